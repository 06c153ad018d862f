"""The command `seogo`: options in, one plain function, its result printed, an exit code out.

process.py       the process: its start, and its end
app.py           all commands registered by name; `main`, which turns errors into messages and exit codes
commands/        the commands
options.py       the options that commands share
arguments.py     what a user gave, as values: addresses, times, files, ids
run_here.py      runs with progress and Ctrl-C; results and their exit codes
send_changes.py  the delivery to the webhooks after a run
exit_codes.py    the exit codes, and which error or ending of a run has which
errors.py        messages for people and for programs; closed pipes and full disks
signals.py       the first and the second Ctrl-C
parse_page.py    which parser reads a captured page
sql_prompt.py    the interactive prompt of `seogo sql`
sql_output.py    where the rows of a query go
show/            what is printed
"""

from flows.cli.process import main

__all__ = ["main"]
