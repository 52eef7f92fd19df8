"""Headless Chromium, driven by ChromeDriver's own protocol (W3C WebDriver) with nothing but the standard library."""

from __future__ import annotations

import base64
import json
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import pytest

_PROGRAMS = ("chromium", "chromedriver")
_START_SECONDS, _WAIT_SECONDS = 120.0, 180.0
_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",  # it asks for updates and lists otherwise, and waits where there is no network
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


class Browser:
    """A window of Chromium."""

    def __init__(self, driver: str, session: str) -> None:
        self._session = f"{driver}/session/{session}"

    def open(self, address: str) -> None:
        """Go to a page and wait until it is loaded."""
        _call("POST", f"{self._session}/url", {"url": address})

    def run(self, script: str) -> Any:
        """The value that JavaScript returns, from outside the page, so that the page's own policy does not count."""
        return _call("POST", f"{self._session}/execute/sync", {"script": script, "args": []})

    def text(self) -> str:
        """The words of the page as they are shown, found without a script of it."""
        body = _call("POST", f"{self._session}/element", {"using": "css selector", "value": "body"})
        return _call("GET", f"{self._session}/element/{next(iter(body.values()))}/text")

    def title(self) -> str:
        """The title of the page."""
        return _call("GET", f"{self._session}/title")

    def command(self, name: str, **parameters: Any) -> Any:
        """Do something that Chrome's DevTools can."""
        return _call("POST", f"{self._session}/goog/cdp/execute", {"cmd": name, "params": parameters})

    def complaints(self) -> list[str]:
        """What was written to the console, and what could not be fetched, since the last question."""
        log = _call("POST", f"{self._session}/se/log", {"type": "browser"})
        return [f"{entry['level']}: {entry['message']}" for entry in log]

    def resize(self, width: int, height: int = 900, *, dark: bool = False) -> None:
        """Make the page as wide as a screen; windows themselves cannot be that narrow."""
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, file: Path) -> None:
        """Save what is seen as PNG."""
        file.write_bytes(base64.b64decode(_call("GET", f"{self._session}/screenshot")))

    def wait_for(self, condition: Callable[[], object], seconds: float = _WAIT_SECONDS) -> None:
        """Look again and again until something holds."""
        give_up = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < give_up, self.text()
            time.sleep(0.2)

    def close(self) -> None:
        """End Chromium."""
        _call("DELETE", self._session)


@contextmanager
def browser(*, scripts: bool = True) -> Iterator[Browser]:
    """A window of Chromium until the block ends; the test is skipped where Chromium is not installed.

    Args:
        scripts: Whether pages may run JavaScript.
    """
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed: apt-get install chromium chromium-driver")
    with TemporaryDirectory(prefix="harness-browser-", ignore_cleanup_errors=True) as folder:
        said = Path(folder) / "chromedriver.txt"
        # What it says goes to a file: Chromium keeps what it inherits, and who reads a pipe of its driver waits for both.
        with said.open("w") as file:
            driver = psutil.Popen(["chromedriver", "--port=0"], stdout=file, stderr=file)
        window = None
        try:
            window = _open_window(_address(driver, said), folder, scripts=scripts)
            yield window
        finally:
            with suppress(OSError, AssertionError):
                if window:
                    window.close()
            family = [*driver.children(recursive=True), driver]
            for process in family:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(family)


def _address(driver: psutil.Popen, said: Path) -> str:
    give_up = time.monotonic() + _START_SECONDS
    while driver.poll() is None and time.monotonic() < give_up:
        if found := re.search(r"started successfully on port (\d+)", said.read_text()):
            return f"http://127.0.0.1:{found[1]}"
        time.sleep(0.05)
    raise AssertionError(f"chromedriver did not start: {said.read_text()}")


def _open_window(driver: str, folder: str, *, scripts: bool) -> Browser:
    arguments = [*_ARGUMENTS, f"--user-data-dir={folder}/profile"]
    allowed = {"profile.managed_default_content_settings.javascript": 1 if scripts else 2}
    wanted = {
        "goog:chromeOptions": {"args": arguments, "prefs": allowed},
        "goog:loggingPrefs": {"browser": "ALL"},
        "pageLoadStrategy": "normal",
    }
    found = _call("POST", f"{driver}/session", {"capabilities": {"alwaysMatch": wanted}})
    return Browser(driver, found["sessionId"])


def _call(method: str, address: str, content: Any = None) -> Any:
    data = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=_START_SECONDS) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        raise AssertionError(json.load(error)["value"]["message"]) from None
