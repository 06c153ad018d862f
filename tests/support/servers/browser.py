"""A headless Chromium for tests, controlled through its DevTools protocol. Nothing is installed for it.

SEOGO_BROWSER names the program, by default `chromium` or `google-chrome`; tests are skipped if there is none.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.sync.connection import Connection

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome-headless-shell")
_FLAGS = (
    *("--headless", "--no-sandbox", "--no-zygote", "--in-process-gpu", "--use-gl=angle", "--use-angle=swiftshader"),
    *("--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--no-first-run"),
    *("--hide-scrollbars", "--remote-debugging-port=0"),
)
_LONGEST = 30.0
"""Timeout in seconds for everything."""


def browser_program() -> str | None:
    """The program, or None."""
    return os.environ.get("SEOGO_BROWSER") or next(filter(None, map(shutil.which, _NAMES)), None)


NEEDS_BROWSER = pytest.mark.skipif(browser_program() is None, reason="no browser: set SEOGO_BROWSER")


class Tab:
    """A page in the browser.

    `complaints`: warnings and errors on its console, and uncaught exceptions. `requested`: the URLs that it requested,
    its own first.
    """

    def __init__(self, connection: Connection, session: str) -> None:
        self.complaints: list[str] = []
        self.requested: list[str] = []
        self._connection = connection
        self._session = session
        self._number = 0

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters, "sessionId": self._session}
        self._connection.send(json.dumps(command))
        while True:
            answer = json.loads(self._connection.recv(timeout=_LONGEST))
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return dict(answer["result"])
            self._note(answer)

    def visit(self, url: str, width: int) -> None:
        """Open a page in a window of this width, without complaints and requests of earlier pages."""
        self.complaints.clear()
        self.requested.clear()
        self.resize(width, 900)
        self.open(url)

    def open(self, url: str) -> None:
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=url)
        self.until("document.documentElement !== null && document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression in the page; promises are awaited."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, script: str) -> Any:
        """Wait until a JavaScript expression is truthy, and return its value."""
        ends = time.monotonic() + _LONGEST
        while time.monotonic() < ends:
            if value := self.run(script):
                return value
            time.sleep(0.02)
        raise AssertionError(f"never true: {script}")

    def resize(self, width: int, height: int, *, phone: bool = False) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def colours(self, scheme: str) -> None:
        """`light` or `dark`."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def _note(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                self.complaints.append(str(parameters["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if parameters["type"] in ("error", "warning", "assert"):
                self.complaints.append(str(parameters["args"]))
            case "Log.entryAdded" if parameters["entry"]["level"] in ("error", "warning"):
                self.complaints.append(str(parameters["entry"]))
            case "Network.requestWillBeSent":
                self.requested.append(parameters["request"]["url"])


@contextmanager
def browsing(folder: Path) -> Iterator[Tab]:
    """A tab of a new browser with its profile in `folder`; the browser is killed at the end."""
    program = browser_program()
    assert program is not None, "there is no browser: set SEOGO_BROWSER"
    command = [program, *_FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
    with (folder / "browser.log").open("wb") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        with connect(_address(folder, running), max_size=None, open_timeout=_LONGEST) as connection:
            yield Tab(connection, _session(connection))
    finally:
        running.kill()
        running.wait()


def _address(folder: Path, running: subprocess.Popen[bytes]) -> str:
    """The address of the browser, which it writes to its profile."""
    port_file = folder / "profile" / "DevToolsActivePort"
    ends = time.monotonic() + _LONGEST
    while time.monotonic() < ends and running.poll() is None:
        lines = port_file.read_text("utf-8").split() if port_file.exists() else []
        if len(lines) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(0.05)
    raise AssertionError(f"the browser did not start: {(folder / 'browser.log').read_text('utf-8', 'replace')[-2000:]}")


def _session(connection: Connection) -> str:
    """Attach to the first tab; returns the session's id."""
    connection.send(json.dumps({"id": -1, "method": "Target.getTargets"}))
    targets = _answer(connection, -1)["targetInfos"]
    target = next(one["targetId"] for one in targets if one["type"] == "page")
    attach = {"targetId": target, "flatten": True}
    connection.send(json.dumps({"id": -2, "method": "Target.attachToTarget", "params": attach}))
    return str(_answer(connection, -2)["sessionId"])


def _answer(connection: Connection, number: int) -> dict[str, Any]:
    while True:
        answer = json.loads(connection.recv(timeout=_LONGEST))
        if answer.get("id") == number:
            return dict(answer["result"])
