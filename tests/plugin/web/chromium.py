"""A real browser for tests: Debian's chromium without a window, driven over its own protocol (CDP)."""

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from websockets.sync.client import ClientConnection, connect

PATIENCE_S = 60.0


def chromium() -> str | None:
    """Where it is, if anywhere."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@dataclass
class Browser:
    """One browser with one page."""

    folder: Path
    width: int = 1280
    height: int = 800
    events: list[dict[str, Any]] = field(default_factory=list)
    _number: int = 0

    def __enter__(self) -> Self:
        program = chromium()
        assert program is not None
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-port=0",
                   "--ignore-certificate-errors", "--no-first-run", "--disable-dev-shm-usage", "--disable-extensions",
                   f"--user-data-dir={self.folder}", f"--window-size={self.width},{self.height}"]  # fmt: skip
        self._process = subprocess.Popen(
            [program, *options, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        port_file = self.folder / "DevToolsActivePort"
        wait_for(lambda: port_file.exists() and len(port_file.read_text().splitlines()) == 2)
        port, path = port_file.read_text().splitlines()
        self._stack = ExitStack()
        self._root = self._connected(f"ws://127.0.0.1:{port}{path}")
        target = self._call(self._root, "Target.createTarget", url="about:blank")["targetId"]
        self._page = self._connected(f"ws://127.0.0.1:{port}/devtools/page/{target}")
        for domain in ("Page", "Runtime", "Network", "Log"):
            self._call(self._page, f"{domain}.enable")
        self.size(self.width, self.height)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._process.terminate()
        self._process.wait(30)

    def _connected(self, url: str) -> ClientConnection:
        return self._stack.enter_context(connect(url, max_size=None, open_timeout=PATIENCE_S, proxy=None))

    def size(self, width: int, height: int) -> None:
        """Of the page, in pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def open(self, url: str) -> None:
        """Go there, and wait until it is loaded."""
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        told = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def wait(self, script: str) -> None:
        """Until an expression is true."""
        wait_for(lambda: self._true(script), script)

    def _true(self, script: str) -> bool:
        try:
            return bool(self.run(f"!!({script})"))
        except (AssertionError, RuntimeError):  # the page is between two
            return False

    def text(self, selector: str) -> str:
        """What stands there."""
        return str(self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def fill(self, selector: str, text: str) -> None:
        """Write into a field."""
        self.run(f"(() => {{ const f = document.querySelector({json.dumps(selector)}); f.value = {json.dumps(text)}; "
                 "f.dispatchEvent(new Event('input', {bubbles: true})); })()")  # fmt: skip

    def click(self, selector: str) -> None:
        """Click what is there."""
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def offline(self, *, is_so: bool) -> None:
        """Cut the connection, or restore it."""
        self.call(
            "Network.emulateNetworkConditions", offline=is_so, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )

    def picture(self, file: Path) -> Path:
        """A screenshot."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
        return file

    def loaded_bytes(self) -> int:
        """What came over the network since the browser began, headers included."""
        self.run("1")
        return sum(
            int(one["params"]["encodedDataLength"]) for one in self.events if one["method"] == "Network.loadingFinished"
        )

    def complaints(self) -> list[str]:
        """Errors in the console: scripts that failed, what the content policy stopped."""
        self.run("1")
        found = []
        for one in self.events:
            if one["method"] == "Log.entryAdded" and one["params"]["entry"]["level"] == "error":
                entry = one["params"]["entry"]
                found.append(f"{entry['text']} {entry.get('url', '')}")
            elif one["method"] == "Runtime.exceptionThrown":
                found.append(str(one["params"]["exceptionDetails"]))
            elif one["method"] == "Runtime.consoleAPICalled" and one["params"]["type"] == "error":
                found.append(str(one["params"]["args"]))
        return found

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Any call of the protocol, on the page."""
        return self._call(self._page, method, **parameters)

    def _call(self, to: ClientConnection, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        to.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(to.recv(PATIENCE_S))
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(str(answer["error"]))
                return dict(answer["result"])
            if "method" in answer:
                self.events.append(answer)


def wait_for(done: Callable[[], bool], what: str = "") -> None:
    """Look again and again, with a deadline."""
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.05)
