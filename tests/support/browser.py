"""A real headless browser for tests: Chromium, spoken to through its DevTools protocol. Nothing is installed for it.

SEOGO_BROWSER names the program (else `chromium` or `google-chrome` is looked for); tests skip where there is none.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import connect
from websockets.sync.connection import Connection

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome-headless-shell")
_FLAGS = (
    *("--headless", "--no-sandbox", "--no-zygote", "--in-process-gpu", "--use-gl=angle", "--use-angle=swiftshader"),
    *("--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--no-first-run"),
    *("--hide-scrollbars", "--remote-debugging-port=0"),
)
_LONGEST = 30.0
"""Seconds for anything that is waited for."""


def browser_program() -> str | None:
    """The program, where there is one."""
    return os.environ.get("SEOGO_BROWSER") or next(filter(None, map(shutil.which, _NAMES)), None)


class Tab:
    """A page in the browser. `complaints`: what its console said that is no mere word, and errors that nobody caught.

    `asked`: the addresses that it asked for, its own first.
    """

    def __init__(self, connection: Connection, session: str) -> None:
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self._connection = connection
        self._session = session
        self._number = 0

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol, and its answer."""
        self._number += 1
        told = {"id": self._number, "method": method, "params": parameters, "sessionId": self._session}
        self._connection.send(json.dumps(told))
        while True:
            answer = json.loads(self._connection.recv(timeout=_LONGEST))
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return dict(answer["result"])
            self._note(answer)

    def open(self, url: str) -> None:
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=url)
        self.until("document.documentElement !== null && document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """The value of an expression in the page; promises are waited for."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, script: str) -> Any:
        """The value of an expression, as soon as it is true."""
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

    def screenshot(self, path: Path, *, whole: bool = True) -> None:
        taken = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(taken["data"]))

    def _note(self, event: dict[str, Any]) -> None:
        told = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                self.complaints.append(str(told["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if told["type"] in ("error", "warning", "assert"):
                self.complaints.append(str(told["args"]))
            case "Log.entryAdded" if told["entry"]["level"] in ("error", "warning"):
                self.complaints.append(str(told["entry"]))
            case "Network.requestWillBeSent":
                self.asked.append(told["request"]["url"])


@contextmanager
def browsing(folder: Path) -> Iterator[Tab]:
    """A tab of a browser of its own, whose profile lies in `folder`; it is gone at the end."""
    program = browser_program()
    assert program is not None, "there is no browser: see browser_program()"
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
    """Where the browser listens: it writes that into its profile."""
    told = folder / "profile" / "DevToolsActivePort"
    ends = time.monotonic() + _LONGEST
    while time.monotonic() < ends and running.poll() is None:
        lines = told.read_text("utf-8").split() if told.exists() else []
        if len(lines) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(0.05)
    raise AssertionError(f"the browser did not start: {(folder / 'browser.log').read_text('utf-8', 'replace')[-2000:]}")


def _session(connection: Connection) -> str:
    """A session with the first tab."""
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
