"""The bookkeeping of a suite under way."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.display.board import Board
from harness.execution.events import Advanced, Ended, Outcome, Started
from harness.progress import Progress
from harness.run_folder import RunFolder
from harness.spec import AlgorithmSpec, EnvironmentSpec, EvaluationSpec, RunSpec
from harness.status import RunStanding


def standing(method: str, seed: int, step: int = 0) -> RunStanding:
    spec = RunSpec(
        suite="s",
        task="t",
        method=method,
        seed=seed,
        environment=EnvironmentSpec(family="e", config={}),
        algorithm=AlgorithmSpec(name="a", config={}),
        reward=None,
        steps=1000,
        evaluation=EvaluationSpec(every=100),
        checkpoint_every=100,
    )
    return RunStanding(spec, RunFolder(Path("nowhere")), "interrupted" if step else "missing", step)


def advanced(run: RunStanding, step: int, speed: float) -> Advanced:
    return Advanced(run.spec, Progress(step, 1000, speed))


@given(st.lists(st.sampled_from(["finished", "failed", "claimed", "advances", "stays"]), max_size=12), st.integers(0, 3))
def test_every_run_is_counted_once(fates, before):
    runs = [standing("m", seed) for seed in range(len(fates))]
    board = Board(runs, finished=before)
    for run, fate in zip(runs, fates, strict=True):
        if fate == "stays":
            continue
        board.update(Started(run.spec))
        board.update(advanced(run, 500, 10.0))
        if fate != "advances":
            board.update(Ended(Outcome(run.spec, fate)))
    assert board.finished == before + fates.count("finished")
    assert board.waiting == fates.count("stays")
    assert len(board.running) == fates.count("advances")
    assert board.finished + board.failed + board.claimed + board.waiting + len(board.running) == board.total


def test_time_left_knows_that_methods_differ_in_speed():
    fast, slow, waiting = standing("fast", 0), standing("slow", 0), standing("slow", 1)
    board = Board([fast, slow, waiting])
    assert board.seconds_left is None
    for run in (fast, slow):
        board.update(Started(run.spec))
    board.update(advanced(fast, 500, 100.0))
    board.update(advanced(slow, 500, 10.0))
    assert board.seconds_left == pytest.approx((5 + 50 + 100) / 2)


def test_time_left_does_not_count_what_was_done_before():
    board = Board([standing("m", 0, step=900), standing("m", 1)])
    board.update(Started(board_run := standing("m", 1).spec))
    board.update(Advanced(board_run, Progress(500, 1000, 10.0)))
    assert board.seconds_left == pytest.approx(10 + 50)
