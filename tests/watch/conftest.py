"""Results with runs of every kind, and a server that shows them."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import pytest
import uvicorn
from report.synthetic import make_spec, write_run
from support.live_results import LiveRun

from harness.experiment import StatusReader
from harness.runs.plans import record_plan
from harness.watch import server as serving
from harness.watch.application import Application
from harness.watch.looks import Looks
from harness.watch.page import Pages
from harness.watch.report import GrowingReport

HOSTILE = "<script>alert(1)</script>"


@dataclass
class Results:
    """A results folder in which one run is under way."""

    path: Path
    live: LiveRun


@contextmanager
def results_in(path: Path) -> Iterator[Results]:
    """Of a plan of eight, two finished runs, one failed, one interrupted, one under way, and a file that cannot be read."""
    record_plan([make_spec(*run) for run in product(("north", "south"), ("ppo", "rnd"), (0, 1))], path)
    for seed in range(2):
        write_run(path, "north", "ppo", seed, 1.0 + seed)
    write_run(path, "north", "rnd", 1, state="failed", error=f"ValueError: {HOSTILE} & more", steps=[1000])
    write_run(path, "south", "ppo", 1, state="running", steps=[1000, 2000])
    broken = path / "synthetic" / "south" / "ppo-00000000" / "seed-0"
    broken.mkdir(parents=True)
    (broken / "run.json").write_text('{"' + HOSTILE)
    live = LiveRun(path)
    live.progress(2500, 64.0)
    live.evaluate(2000, 3.5)
    yield Results(path, live)
    live.release()


@pytest.fixture
def results(tmp_path: Path) -> Iterator[Results]:
    """Results that a test may change."""
    with results_in(tmp_path / "results") as made:
        yield made


@dataclass
class Answer:
    """What a server said."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass
class Site:
    """A server that runs in this process."""

    port: int
    report: GrowingReport
    hosts: list[str] = field(default_factory=list)

    def ask(self, path: str = "/", method: str = "GET", host: str | None = None, body: bytes | None = None) -> Answer:
        """Ask for something, exactly as it stands here."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for one in self.hosts or [f"127.0.0.1:{self.port}" if host is None else host]:
                connection.putheader("Host", one)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, headers, answer.read().decode())
        finally:
            connection.close()

    def wait_for(self, condition: Callable[[Answer], bool], path: str = "/", seconds: float = 120) -> Answer:
        """Ask again and again until an answer is as it should be."""
        give_up = time.monotonic() + seconds
        while not condition(answer := self.ask(path)):
            assert time.monotonic() < give_up, answer.body
            time.sleep(0.1)
        return answer


@contextmanager
def servers() -> Iterator[Callable[[Path], Site]]:
    """Serves results folders until the end."""
    running: list[tuple[uvicorn.Server, threading.Thread, GrowingReport]] = []

    def start(path: Path) -> Site:
        looks = Looks(StatusReader(path), 0.2)
        report = GrowingReport([path], rest_seconds=0.2, rest_factor=0)
        listener = serving.open_listener(0)
        application = Application(looks, report, Pages(serving.title_of([path]), 0.2)).asgi()
        server = uvicorn.Server(serving.configuration(application))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        running.append((server, thread, report))
        return Site(listener.getsockname()[1], report)

    yield start
    for server, thread, report in running:
        server.should_exit = True
        report.close()
        thread.join()


@pytest.fixture
def serve() -> Iterator[Callable[[Path], Site]]:
    """Serve a results folder until the test ends."""
    with servers() as start:
        yield start


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server for all tests that ask it and change nothing."""
    with results_in(tmp_path_factory.mktemp("watched") / "results") as made, servers() as start:
        yield start(made.path)


@pytest.fixture
def site(serve: Callable[[Path], Site], results: Results) -> Site:
    """A server of `results`."""
    return serve(results.path)
