"""The flow `digest`: the stories of one day, as an artifact and by mail."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from functools import partial
from typing import Any

from prefect.client.schemas.objects import State

from flows.deployed.flow_runs import artifacts, states
from flows.deployed.flow_runs.blocks import mail_server
from flows.deployed.flow_runs.execution import in_thread
from flows.deployed.flow_runs.parameters import DigestParameters
from flows.deployed.flow_runs.run_flow import run_flow
from flows.reports.digest import Digest, html, markdown, read_digest, subject, summary, yesterday
from flows.reports.language import Language
from schemas.errors import BadInput


@run_flow(DigestParameters, task="write the digest")
async def digest(parameters: DigestParameters) -> State[Any]:
    """Show the stories of one day. Reads the readers' database: waits for no other process."""
    topic, day = parameters.read_topic(), parameters.day or yesterday()
    found = await in_thread(partial(read_digest, parameters.archive_path, day, title=topic.title))
    await artifacts.markdown("digest", markdown(found, topic.language), summary(found, topic.language))
    what = f"the digest of {day} of {parameters.archive_name}: {summary(found, topic.language)}"
    if not parameters.mail:
        return states.of_outcome(f"{what}. No mail: the parameter `mail` names no block")
    if fault := await _send(parameters, found, topic.language):
        return states.of_outcome(f"{what}. The mail was not sent: {fault}", failed="MailNotSent")
    return states.of_outcome(f"{what}. Sent to {len(parameters.to)} addresses")


async def _send(parameters: DigestParameters, found: Digest, language: Language) -> str:
    """Send the mail. Returns what prevented it; empty if nothing did. Raises BadInput."""
    server = await mail_server(str(parameters.mail))
    sender = parameters.sender or server.username
    if not sender:
        raise BadInput(f"the block {parameters.mail!r} has no user: give the address of the sender (`sender`).")
    try:
        await in_thread(partial(_deliver, server, message(found, language, sender, parameters.to)))
    except (smtplib.SMTPException, OSError) as error:
        # A server's words may repeat what was sent to it.
        code = getattr(error, "smtp_code", None)
        return f"{type(error).__name__}{f' {code}' if code else ''}: check the block {parameters.mail!r} and its server"
    return ""


def message(found: Digest, language: Language, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """The digest as a mail, in Markdown and in HTML. Raises BadInput for an address that cannot be one."""
    mail = EmailMessage()
    try:
        mail["Subject"], mail["From"], mail["To"] = subject(found, language), sender, ", ".join(to)
    except ValueError as error:
        raise BadInput(f"the addresses of the mail cannot be used: {error}.") from error
    mail.set_content(markdown(found, language))
    mail.add_alternative(html(found, language), subtype="html")
    return mail


def _deliver(server: Any, mail: EmailMessage) -> None:
    with server.get_server() as connection:
        connection.send_message(mail)
