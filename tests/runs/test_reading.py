"""Looks at the same folders again and again: only what has changed is read, and who holds a run is told without a touch."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from report.synthetic import make_spec, write_run, write_suite
from support.claims import Clock, elsewhere, touch, write_claim
from support.live_results import LiveRun

from harness.experiment import StatusReader
from harness.runs.claim_watch import ClaimObserver
from harness.runs.folder import RunFolder
from harness.runs.jobs import SubmittedJob, record_jobs
from harness.runs.lock import Claim, Owner
from harness.runs.plans import record_plan
from harness.runs.reading import RunReader

RUNS = 12


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return write_suite(tmp_path / "results", {"ppo": 1.0, "rnd": 5.0}, seeds=3)


@pytest.fixture
def live(results: Path) -> Iterator[LiveRun]:
    run = LiveRun(results, "east")
    yield run
    run.release()


def states(found) -> Counter[str]:
    return Counter(run.state for run in found.runs)


def test_what_has_not_changed_is_not_read_again(results: Path, opened: Counter[str]) -> None:
    reader = StatusReader(results)
    first = reader.look()
    assert opened["run.json"] == opened["evaluations.csv"] == RUNS
    opened.clear()
    second = reader.look()
    assert not opened
    assert second == first


def test_of_many_runs_only_the_one_that_goes_on_is_read(results: Path, live: LiveRun, opened: Counter[str]) -> None:
    reader = StatusReader(results)
    reader.look()
    opened.clear()
    live.progress(2500, 64.0)
    live.evaluate(2000, 3.5)
    (run,) = (run for run in reader.look().runs if run.state == "running")
    assert (run.step, run.steps_per_second, run.score) == (2500, 64.0, 3.5)
    assert opened["evaluations.csv"] == opened["progress.csv"] == opened["run.json"] == 1
    live.finish(score=6.0)
    found = reader.look()
    assert states(found)["finished"] == RUNS + 1
    assert opened["run.json"] == 3  # at each of the two looks, and by the run when it ended
    assert next(run for run in found.runs if run.spec.task == "east" and run.state == "finished").holder is None


def test_looks_write_nothing(results: Path, live: LiveRun) -> None:
    write_claim(RunFolder.of(live.spec.model_copy(update={"seed": 9}), results).path / "claim", elsewhere(), age=1e6)
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in results.rglob("*")}
    reader = StatusReader(results)
    for _ in range(3):
        reader.look()
    assert {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in results.rglob("*")} == before


def test_runs_appear_and_go_away_between_looks(results: Path) -> None:
    reader = StatusReader(results)
    assert states(reader.look()) == {"finished": RUNS}
    folder = write_run(results, "north", "ppo", 3)
    assert states(reader.look()) == {"finished": RUNS + 1}
    record_plan([folder.read().spec, make_spec("north", "ppo", 4)], results)
    assert states(reader.look()) == {"finished": RUNS + 1, "missing": 1}
    folder.record_file.unlink()
    folder.evaluations_file.unlink()
    assert states(reader.look()) == {"finished": RUNS, "missing": 2}


def test_what_could_not_be_read_is_read_as_soon_as_it_can_be(results: Path) -> None:
    file = next(results.rglob("evaluations.csv"))
    content = file.read_text()
    file.write_text(content + "1,2,many,4,1\n")
    reader = StatusReader(results)
    for _ in range(2):
        (line,) = reader.look().skipped
        assert "return is no number" in line
    file.write_text(content)
    assert not reader.look().skipped


def test_a_run_says_who_holds_it_since_when_and_as_which_job(results: Path, live: LiveRun) -> None:
    job = SubmittedJob(live.spec.path, "slurm", "12_3", "2026-11-27T09:00:00+00:00")
    waiting = replace(job, run=live.spec.path.replace("seed-0", "seed-7"), job="12_4")
    done = replace(job, run=make_spec("north", "rnd", 0).path, job="11")
    record_jobs(results, [done, job, waiting])
    found = StatusReader(results).look()
    run = next(run for run in found.runs if run.state == "running")
    assert run.holder is not None
    assert (run.holder.pid, run.since, run.job) == (os.getpid(), "2026-11-27T10:00:00+00:00", job)
    assert list(found.jobs) == [job, waiting]  # a finished run has none any more


def test_a_run_that_ends_between_two_looks_at_it_is_never_called_interrupted(live: LiveRun, monkeypatch) -> None:
    observe = ClaimObserver.holder

    def finish_first(observer: ClaimObserver) -> Owner | None:
        monkeypatch.setattr(ClaimObserver, "holder", observe)
        live.finish()
        return observe(observer)

    monkeypatch.setattr(ClaimObserver, "holder", finish_first)
    run, _ = RunReader().read(live.folder)
    assert run.state == "finished"


def test_the_same_run_is_the_same_object(live: LiveRun) -> None:
    reader = RunReader()
    first, _ = reader.read(live.folder)
    assert reader.read(live.folder)[0] is first
    live.release()
    second, _ = reader.read(live.folder)
    assert (first.state, second.state) == ("running", "interrupted")


@pytest.fixture
def claim(tmp_path: Path) -> Path:
    return tmp_path / "claim"


def look_on(observer: ClaimObserver, clock: Clock, seconds: int, touched: Path | None = None) -> list[bool]:
    """Whether somebody holds the claim, at a look every second."""
    held: list[bool] = []
    for _ in range(seconds):
        clock.now += 1
        if touched:
            touch(touched, age=5e6 - clock.now)  # by a clock that is two months late
        held.append(observer.holder() is not None)
    return held


def test_fault_b_a_holder_whose_clock_is_late_lives_while_it_touches_its_claim(claim: Path) -> None:
    write_claim(claim, elsewhere(), age=5e6)
    clock = Clock()
    observer = ClaimObserver(Claim(claim), clock)
    assert look_on(observer, clock, 300, touched=claim)[1:] == [True] * 299


def test_fault_b_a_holder_whose_clock_is_ahead_is_believed_no_longer_than_any_other(claim: Path) -> None:
    write_claim(claim, elsewhere(), age=-3600)
    clock = Clock()
    observer = ClaimObserver(Claim(claim), clock)
    held = look_on(observer, clock, 200)
    assert held[100]
    assert not held[150]
    touch(claim, age=-7200)
    assert look_on(observer, clock, 1) == [True]  # it was only stopped


def test_an_observer_leaves_the_claim_of_the_dead(claim: Path) -> None:
    write_claim(claim, replace(Owner.this_process(), ticks=1), age=1e6)
    before = claim.read_bytes()
    assert ClaimObserver(Claim(claim)).holder() is None
    assert claim.read_bytes() == before
    assert list(claim.parent.iterdir()) == [claim]
