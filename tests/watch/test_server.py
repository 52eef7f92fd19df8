"""The server: what it shows, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest
from support.live_results import LiveRun
from watch.conftest import HOSTILE, Results, Site

from harness.cli import main
from harness.errors import UserError
from harness.experiment import StatusReader
from harness.report.page_script import SCRIPT_SOURCE
from harness.watch.document import document_schema
from harness.watch.guard import is_loopback
from harness.watch.looks import Looks
from harness.watch.report import GrowingReport
from harness.watch.server import open_listener, title_of

ADDRESSES = ["/", "/report", "/status.json", "/watch.css", "/watch.js"]


class Page(HTMLParser):
    """The words of a page, and everything in it that could run or fetch something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.inline: list[str] = []
        self.fetched: list[str] = []
        self._script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        self._script = tag == "script"
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)
        if (tag in ("script", "iframe", "img") or (tag == "link" and given.get("rel") != "icon")) and (
            address := given.get("src") or given.get("href")
        ):
            self.fetched.append(address)

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    @property
    def text(self) -> str:
        """The words, a space apart."""
        return " ".join(self.words)


def test_the_page_tells_who_does_what_without_a_script(shared_site: Site) -> None:
    answer = shared_site.ask()
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = Page(answer.body)
    for shown in (
        "finished 2 of 8",
        f"pid {os.getpid()} on",
        "25 % 2,500 of 10,000",
        "seed-0 25 % 2,500 of 10,000 64 117 s 3.500",
        "seed-1 ValueError: <script>alert(1)</script> & more",
        "interrupted at 2,000 of 10,000 steps",
        "Could not be read:",
        "Nothing here changes anything.",
    ):
        assert shown in page.text
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in answer.body


def test_nothing_of_the_results_is_markup(shared_site: Site) -> None:
    for path in ("/", "/report"):
        answer = shared_site.ask(path)
        assert HOSTILE not in answer.body
        page = Page(answer.body)
        assert not page.inline
        assert set(page.fetched) <= {"/watch.css", "/watch.js", "/report/page?1"}


@pytest.mark.parametrize("path", [*ADDRESSES, "/report/page", "/nowhere"])
def test_every_answer_bars_other_sites(shared_site: Site, path: str) -> None:
    headers = shared_site.ask(path).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] in ("'none'", "'self'")
    assert (policy["base-uri"], policy["form-action"]) == ("'none'", "'none'")
    assert policy.get("script-src", "'none'") in ("'self'", "'none'", SCRIPT_SOURCE)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW", "get"])
@pytest.mark.parametrize("path", ["/", "/nowhere"])
def test_nothing_but_reading_is_answered(shared_site: Site, method: str, path: str) -> None:
    answer = shared_site.ask(path, method, body=b"x=1")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_look_at_the_head_has_no_body(shared_site: Site, path: str) -> None:
    answer = shared_site.ask(path, "HEAD")
    assert (answer.status, answer.body) == (200, "")
    assert int(answer.headers["content-length"]) > 100


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "evil.example:80", "127.0.0.1.nip.io", "127.0.0.2", "0.0.0.0", "localhost:x",
     "localhost:80:80", "evil@localhost", "[::2]", "", "localhost,evil.example"],
)  # fmt: skip
def test_a_name_of_another_site_that_leads_here_is_refused(shared_site: Site, host: str) -> None:
    assert shared_site.ask(host=host).status in (400, 421)
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9000", "127.0.0.1:1", "[::1]:8642", "[::1]"])
def test_this_machine_is_answered_through_any_tunnel(shared_site: Site, host: str) -> None:
    assert shared_site.ask(host=host).status == 200


def test_two_names_at_once_are_refused(site: Site) -> None:
    site.hosts = ["localhost", "evil.example"]
    assert site.ask().status in (400, 421)


@pytest.mark.parametrize(
    "path",
    ["/../../etc/passwd", "/watch.js/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd",
     "/report/page/../run.json", "/synthetic/north", "/report/", "/" + "a" * 30_000, "/report/manifest.json", "http://evil.example/"],
)  # fmt: skip
def test_no_path_of_a_request_is_looked_for_on_the_disk(shared_site: Site, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shared_site.ask()
    opened: list[str] = []
    original = os.open
    monkeypatch.setattr(os, "open", lambda name, *rest, **named: opened.append(str(name)) or original(name, *rest, **named))
    assert shared_site.ask(path).status in (400, 404)
    assert not [name for name in opened if "passwd" in name or "manifest" in name]


def test_the_status_as_json_keeps_its_schema(shared_site: Site) -> None:
    answer = shared_site.ask("/status.json")
    assert answer.headers["content-type"] == "application/json"
    document = json.loads(answer.body)
    jsonschema.validate(document, document_schema())
    (running,) = (run for run in document["runs"] if run["state"] == "running")
    assert (running["holder"]["pid"], running["step"], running["score"]) == (os.getpid(), 2500, 3.5)
    assert document["unreadable"] == len(document["skipped"]) == 1


def test_the_page_follows_a_run_to_its_end(site: Site, results: Results) -> None:
    results.live.progress(7500, 32.0)
    page = site.wait_for(lambda answer: "75 %" in answer.body)
    assert "7,500 of 10,000" in Page(page.body).text
    results.live.finish()
    page = site.wait_for(lambda answer: "finished 3 of 8" in Page(answer.body).text)
    assert "Nobody is training here now." in page.body


def test_before_the_first_run_there_is_a_page_too(serve: Callable[[Path], Site], tmp_path: Path) -> None:
    site = serve(tmp_path)
    assert "No run has begun yet." in site.ask().body
    assert "There is no report yet" in site.ask("/report").body
    assert site.ask("/report/page").status == 404
    run = LiveRun(tmp_path)
    try:
        site.wait_for(lambda answer: "seed-0" in answer.body)
    finally:
        run.release()


def test_results_that_go_away_are_missed_and_not_fatal(site: Site, results: Results, tmp_path: Path) -> None:
    site.ask()
    results.path.rename(tmp_path / "elsewhere")
    site.wait_for(lambda answer: "no such results directory" in answer.body)
    (tmp_path / "elsewhere").rename(results.path)
    site.wait_for(lambda answer: "finished 2 of 8" in Page(answer.body).text)


def files(folder: Path) -> set[Path]:
    """Everything in a folder but claims, which a run removes when it ends."""
    return {path for path in folder.rglob("*") if not path.name.startswith("claim")}


def test_the_report_grows_beside_the_results(site: Site, results: Results, tmp_path: Path) -> None:
    before = files(results.path)
    site.ask()
    page = site.wait_for(lambda answer: answer.status == 200, "/report/page").body
    assert "2 of 8" in page
    assert HOSTILE not in page
    frame = site.ask("/report").body
    assert '<iframe src="/report/page?1" title="The report"></iframe>' in frame
    assert "As of" in frame
    results.live.finish()
    site.ask()
    site.wait_for(lambda answer: "/report/page?" in answer.body and "/report/page?1" not in answer.body, "/report")
    assert "3 of 8" in site.ask("/report/page").body
    assert files(results.path) == before


def test_a_report_that_cannot_be_made_says_why_and_the_last_one_stays(
    site: Site, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.ask()
    good = site.wait_for(lambda answer: answer.status == 200, "/report/page").body
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    results.live.finish()
    site.wait_for(lambda answer: "could not be made: " in answer.body, "/report")
    assert site.ask("/report/page").body == good


def test_nothing_is_left_of_a_report_that_is_stopped(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    report = GrowingReport([results.path])
    report.keep_up(Looks(StatusReader(results.path), 1.0).newest())
    while not list(place.rglob("errors")):
        pass
    report.close()
    assert not list(place.iterdir())
    assert report.state.page is None


def test_a_port_that_is_taken_is_named() -> None:
    with open_listener(0) as first:
        port = first.getsockname()[1]
        with pytest.raises(UserError, match=rf"port {port} cannot be used \(.*\): .* --port 0"):
            open_listener(port)


def test_results_are_called_by_their_last_names(tmp_path: Path) -> None:
    assert re.fullmatch(r".+/quick", title_of([tmp_path / "quick"]))
    assert title_of([Path("/")]) == "/"


COMMAND = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from harness.cli import main
code = main(sys.argv[1:])
heavy = {"torch", "stable_baselines3", "matplotlib", "polars", "pandas", "scipy", "optuna", "numpy", "gymnasium"}
print("LOADED", *sorted(heavy & set(sys.modules)))
sys.exit(code)
"""


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_the_command_says_where_answers_loads_nothing_heavy_and_ends_cleanly(results: Results, number: str) -> None:
    command = [sys.executable, "-c", COMMAND, "watch", str(results.path), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert address, line
        with urllib.request.urlopen(address[0], timeout=60) as answer:
            assert b"under way" in answer.read().lower()
        process.send_signal(getattr(signal, number))
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, output, errors) == (0, "LOADED\n", "")


def test_results_that_are_not_there_are_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["watch", str(tmp_path / "nowhere"), "--port", "0"]) == 2
    assert capsys.readouterr().err == f"error: {tmp_path}/nowhere: no such results directory\n"
