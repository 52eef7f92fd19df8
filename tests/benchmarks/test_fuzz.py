"""A sample of what the fuzz drivers try in full: no exception but ours, and no hang."""

from __future__ import annotations

import random
import time
from pathlib import Path

import fuzz_bundles
import fuzz_results
import fuzz_suites
import watchdog
from optuna.trial import TrialState
from support.synthetic_training import train

from harness.errors import UserError
from harness.planning.load import load
from harness.planning.plan import Plan
from harness.tuning.record import write_study_record
from harness.tuning.request import TuneRequest
from harness.tuning.storage import open_storage
from harness.tuning.study import Limit, StudyDefinition, TuningStudy


def make_results(place: Path) -> Plan:
    """Runs and a study without training."""
    (place / "small.yaml").write_text(fuzz_results.SUITE)
    plan, results = load(place / "small.yaml", methods=["rnd"]), place / "results"
    for spec in plan.runs:
        train(spec, results)
    request = TuneRequest.create(plan, "rnd", results)
    handle = open_storage(None, request.folder / "journal.log")
    study = TuningStudy(StudyDefinition.from_plan(plan, "rnd", request.study), handle)
    for score in (0.25, 0.5):
        claimed = study.ask(Limit(2))
        assert claimed is not None
        study.tell(claimed.trial, [score], TrialState.COMPLETE, {})
    write_study_record(study, request.folder)
    handle.close()
    return plan


def test_mutated_suites_are_planned_or_refused(tmp_path):
    figures = fuzz_suites.fuzz(range(60), 1, tmp_path / "keep")
    assert figures.failures == []
    assert figures.outcomes["refused"] > 20
    assert figures.outcomes["accepted"] > 0
    assert not (tmp_path / "keep").exists()


def test_the_same_seed_gives_the_same_mutations():
    text = fuzz_results.SUITE
    assert len({fuzz_suites.mutate(text, random.Random(case)) for case in range(50)}) > 40
    assert fuzz_suites.mutate(text, random.Random(3)) == fuzz_suites.mutate(text, random.Random(3))


def test_corrupted_results_are_read_or_refused(tmp_path):
    figures = fuzz_results.fuzz(range(6), 1, tmp_path / "keep", make_results)
    assert figures.failures == []
    assert sum(figures.outcomes.values()) == 6 * 10


def test_corrupted_bundles_are_read_or_refused(tmp_path):
    figures = fuzz_bundles.fuzz(range(16), 1, tmp_path / "keep", make_results)
    assert figures.failures == []
    assert figures.outcomes["refused"] >= 4
    assert figures.outcomes["accepted"] >= 4


def test_foreign_exception_and_hang_are_failures(tmp_path, monkeypatch):
    monkeypatch.setattr(watchdog, "SECONDS", 0.05)
    monkeypatch.setattr(watchdog, "BLOCKED_SECONDS", 0.2)
    figures = watchdog.Figures()

    def refuse() -> None:
        raise UserError("no such file")

    def spin() -> None:
        while True:
            pass

    assert watchdog.watched(refuse, figures) == ""
    assert watchdog.watched(lambda: None, figures) == ""
    assert "ZeroDivisionError" in watchdog.watched(lambda: 1 / 0, figures)
    assert "too long" in watchdog.watched(lambda: time.sleep(5), figures)
    assert "too long" in watchdog.watched(spin, figures)
    assert "says nothing" in watchdog.watched(lambda: (_ for _ in ()).throw(UserError("")), figures)
    assert dict(figures.outcomes) == {"refused": 2, "accepted": 1, "broke": 1, "hung": 2}


def test_failing_suite_is_kept(tmp_path):
    figures = fuzz_suites.fuzz(range(1), 0, tmp_path / "keep", lambda file, draw: file.read_bytes()[10**9])
    assert len(figures.failures) == 1
    assert "IndexError" in figures.failures[0]
    assert (tmp_path / "keep" / "suite-0-0.yaml").read_bytes()
