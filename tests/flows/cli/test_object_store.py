"""Commands with an object store that refuses, misbehaves or is of another archive: a sentence, an exit code, no key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from storage.archive import open_archive
from storage.integrity.repair import verify_archive
from tests.support.archives import new_archive, spooled, store_new, write_document
from tests.support.command import Ran, seogo
from tests.support.secrets import all_bytes
from tests.support.servers.s3 import BUCKET, KEY, SECRET, Fault, S3Server, refuse, s3_server, send_page
from tests.support.values import article

CAPTURES, PUBLIC = f"s3://{BUCKET}/naver", f"s3://{BUCKET}/public"
TOKEN = "made-up-session-token"

COMMANDS = {
    "move": ("captures", "move", "--to", CAPTURES),
    "verify": ("verify",),
    "rebuild": ("rebuild",),
    "publish": ("publish", "--to", PUBLIC),
}
FAULTS: dict[str, tuple[Fault, str]] = {
    "no rights": (refuse(403, "AccessDenied"), "the store refuses access (403 AccessDenied)"),
    "no bucket": (refuse(404, "NoSuchBucket"), "there is no such bucket"),
    "wrong region": (refuse(301, "PermanentRedirect"), "the bucket is in another region"),
    "no S3": (send_page, "the answer is not one of S3"),
}


@pytest.fixture
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture
def env(s3: S3Server, tmp_path: Path) -> Mapping[str, str | Path]:
    return {**s3.environment, "AWS_SESSION_TOKEN": TOKEN, "SEOGO_ARCHIVE": tmp_path / "archive"}


@pytest.fixture
def root(s3: S3Server, env: Mapping[str, str], tmp_path: Path) -> Path:
    """An archive with captures in the store."""
    root = new_archive(tmp_path / "archive", 1)
    assert seogo(*COMMANDS["move"], env=env).code == 0
    assert spooled(root) == []
    return root


def break_down(s3: S3Server, fault: Fault) -> None:
    s3.faults.update(dict.fromkeys(("GET", "HEAD", "PUT", "POST"), fault))


def check_no_key(root: Path, *runs: Ran) -> None:
    texts = {str(number): f"{ran.out}{ran.err}".encode() for number, ran in enumerate(runs)}
    for name, data in (texts | all_bytes(root)).items():
        assert not any(key.encode().lower() in data.lower() for key in (KEY, SECRET, TOKEN)), name


def test_a_store_that_cannot_be_used_is_a_sentence_and_an_exit_code(
    root: Path, s3: S3Server, env: Mapping[str, str]
) -> None:
    before, every = dict(s3.objects), []
    for fault, says in FAULTS.values():
        break_down(s3, fault)
        for words in COMMANDS.values():
            ran = seogo(*words, env=env)
            assert ran.code == 9, words
            assert says in ran.complaint, words
            assert f"s3://{BUCKET}/" in ran.complaint
            every.append(ran)
    assert s3.objects == before
    check_no_key(root, *every)


def test_a_command_that_writes_goes_on_and_the_status_says_why(
    root: Path, s3: S3Server, env: Mapping[str, str], tmp_path: Path
) -> None:
    every = []
    for number, (fault, says) in enumerate((FAULTS["no rights"], FAULTS["no S3"]), 2):
        break_down(s3, fault)
        wrote = seogo("import", write_document(tmp_path / "old", article(number)), env=env)
        assert (wrote.code, len(spooled(root))) == (0, number - 1)
        found, human = seogo("status", "--json", env=env), seogo("status", env=env)
        assert says in found.json["captures"]["fault"]
        assert says in " ".join(human.out.split())
        every += [wrote, found, human]
    check_no_key(root, *every, seogo("doctor", env=env))


def test_a_place_that_cannot_be_used_at_first_is_not_taken(
    s3: S3Server, env: Mapping[str, str], tmp_path: Path
) -> None:
    root = new_archive(tmp_path / "archive", 1)
    for respond, says in FAULTS.values():
        break_down(s3, respond)
        ran = seogo("import", write_document(tmp_path / "old", article(2)), env={**env, "SEOGO_CAPTURES": CAPTURES})
        assert ran.code == 9
        assert says in ran.complaint
        check_no_key(root, ran)
    assert len(spooled(root)) == 1
    s3.faults.clear()
    assert verify_archive(root).faults == []


def test_a_place_of_another_archive_is_a_wrong_option(
    root: Path, s3: S3Server, env: Mapping[str, str], tmp_path: Path
) -> None:
    assert seogo(*COMMANDS["publish"], env=env).code == 0
    other, before = tmp_path / "other", dict(s3.objects)
    with open_archive(other) as archive:
        store_new(archive, 2, run="20260102T040405Z-0002")
    for words in (COMMANDS["move"], COMMANDS["publish"]):
        ran = seogo(*words, "--archive", other, env=env)
        assert (ran.code, "another archive" in ran.complaint) == (2, True)
    assert s3.objects == before
    assert len(spooled(other)) == 1


def test_an_object_that_changed_is_named_by_verify_and_ends_a_move(
    root: Path, s3: S3Server, env: Mapping[str, str]
) -> None:
    (name,) = (name for name in s3.objects if name.endswith(".gz"))
    s3.objects[name] = s3.objects[name][:-1] + b"x"
    verified = seogo("verify", "--json", env=env)
    assert verified.code == 8
    assert name.removeprefix(f"{BUCKET}/naver/") in json.dumps(verified.json["faults"])
    moved = seogo("captures", "move", "--to", "directory", env=env)
    assert (moved.code, "is not the file that was written" in moved.complaint) == (8, True)
    assert name in s3.objects


def test_without_credentials_nothing_is_requested(root: Path, s3: S3Server, env: Mapping[str, str]) -> None:
    s3.seen.clear()
    ran = seogo("verify", env={name: text for name, text in env.items() if not name.endswith("_KEY_ID")})
    assert (ran.code, "AWS_ACCESS_KEY_ID" in ran.complaint) == (2, True)
    assert s3.seen == []


def test_a_key_in_the_address_is_refused_and_not_repeated(root: Path, env: Mapping[str, str]) -> None:
    for address in (f"s3://{KEY}:{SECRET}@{BUCKET}/naver", f"s3://{BUCKET}/naver?token={SECRET}"):
        for words in (("captures", "move", "--to", address), ("publish", "--to", address)):
            ran = seogo(*words, env=env)
            assert ran.code == 2
            check_no_key(root, ran)


def test_the_key_is_sent_to_no_other_server(root: Path, s3: S3Server, env: Mapping[str, str]) -> None:
    """A store that redirects elsewhere."""
    with s3_server() as other:
        location = {"Location": f"http://localhost:{other.port}/{BUCKET}/naver/seogo-archive-id"}
        break_down(s3, refuse(307, "TemporaryRedirect", location))
        assert seogo("verify", env=env).code == 9
        assert other.headers != []  # it was asked, but without a signature
        assert [line for line in other.headers if KEY in line or "authorization" in line.lower()] == []
