"""The end of the command's process: nothing that should still happen is skipped."""

from __future__ import annotations

import subprocess
import sys

from tests.support.command import environment

PROGRAM = """
import atexit, sys, threading, time
import flows.cli.app, flows.cli.process

def late():
    time.sleep(0.1)
    print("thread")

def main():
    threading.Thread(target=late).start()
    atexit.register(print, "exit")
    {ending}

flows.cli.app.main = main
flows.cli.process.main()
"""


def run(ending: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM.format(ending=ending)]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)


def test_threads_and_what_is_registered_come_before_the_end() -> None:
    done = run("print('main'); sys.exit(7)")
    assert (done.returncode, done.stdout, done.stderr) == (7, "main\nthread\nexit\n", "")


def test_an_error_ends_with_its_traceback() -> None:
    done = run("raise RuntimeError('a mistake')")
    assert (done.returncode, done.stdout) == (1, "thread\nexit\n")
    assert done.stderr.endswith("RuntimeError: a mistake\n")
