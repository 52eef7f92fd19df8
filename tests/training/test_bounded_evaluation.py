"""A run whose evaluation episodes never end: bounded, told of, and forecast."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from support.broken import broken_spec, registry

from harness.runs.files import read_csv_rows
from harness.runs.folder import RunFolder
from harness.runs.progress import RunProgress
from harness.training import estimate, evaluation, run
from harness.training.assembly import assemble
from harness.training.run import train


class Enough(Exception):
    """Ends a run that would not end."""


@pytest.fixture(autouse=True)
def _with_broken_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (run, estimate):
        monkeypatch.setattr(module, "installed", registry)
    monkeypatch.setattr(evaluation, "FIRST_NOTICE_STEPS", 200)


def test_fault_j_an_evaluation_without_end_is_told_to_whoever_waits(tmp_path: Path) -> None:
    seen: list[RunProgress] = []

    def report(progress: RunProgress) -> None:
        seen.append(progress)
        if progress.notice:
            raise Enough

    with pytest.raises(Enough):
        train(broken_spec(family={"length": 0}), tmp_path, report=report)
    assert seen[-1].step == 32
    assert seen[-1].notice == "still in its first evaluation episode after 200 steps; evaluation: {max_steps: N} bounds one"


def test_fault_j_a_bounded_evaluation_ends_and_its_rows_say_so(tmp_path: Path) -> None:
    spec = broken_spec(family={"length": 0}, steps=32, max_steps=50)
    assert train(spec, tmp_path).score == 50
    header, rows = read_csv_rows(RunFolder.of(spec, tmp_path).evaluations_file)
    assert "cut" in header
    assert [(row["length"], row["return"], row["cut"]) for row in rows] == [("50", "50.0", "1")] * 2


def test_fault_j_a_forecast_neither_waits_nor_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "PROBE_EVALUATION_SECONDS", 0.3)
    found = estimate.estimate(broken_spec(family={"length": 0}), "cpu")
    assert found.unended_after is not None
    assert found.evaluation_seconds >= 0.3
    bounded = estimate.estimate(broken_spec(family={"length": 0}, max_steps=10**6), "cpu")
    assert bounded.unended_after is None
    assert bounded.evaluation_seconds > found.evaluation_seconds
    short = estimate.estimate(broken_spec(family={"length": 5}), "cpu")
    assert short.unended_after is None
    assert short.evaluation_seconds < 0.3


def test_environments_of_a_run_are_checked_and_its_method_named() -> None:
    parts = assemble(broken_spec({}), torch.device("cpu"), registry())
    assert parts.bonus_env is not None
    assert parts.bonus_env.check.name == "broken"
    parts.close()
