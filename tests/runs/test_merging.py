"""Folders with names in one view: methods are kept apart, tasks have one scale."""

from __future__ import annotations

from pathlib import Path

import pytest
from report.synthetic import make_spec, write_run

from harness.errors import ResultsError
from harness.runs.plans import record_plan
from harness.runs.results import read_named_results, read_results
from harness.spec import Normalisation


def test_each_method_is_named_after_its_folder_and_nothing_is_superseded(tmp_path: Path) -> None:
    for name in ("old", "new"):
        write_run(tmp_path / name, "north", "ppo", 0)
    found = read_named_results({"old": [tmp_path / "old"], "new": [tmp_path / "new"]})
    assert found.runs.select("label", "superseded").rows() == [("ppo · new", False), ("ppo · old", False)]
    assert found.streams == {"ppo · new": "ppo", "ppo · old": "ppo"}
    assert list(found.sources.items()) == [("ppo · old", "old"), ("ppo · new", "new")]
    assert read_results([tmp_path]).runs["superseded"].to_list() == [False, True]


def test_constants_of_the_folder_that_is_named_last_hold_for_all(tmp_path: Path) -> None:
    for name, high in (("old", 10), ("new", 20)):
        write_run(tmp_path / name, "north", "ppo", 0, 5.0, normalise=Normalisation(low=0, high=high))
    found = read_named_results({"old": [tmp_path / "old"], "new": [tmp_path / "new"]})
    assert found.runs["normalised"].to_list() == pytest.approx([0.25, 0.25])
    assert found.tasks.select("high", "constants").row(0) == (20.0, 2)


def test_a_folder_with_two_names_is_read_once_for_each(tmp_path: Path) -> None:
    write_run(tmp_path, "north", "ppo", 0)
    found = read_named_results({"a": [tmp_path], "b": [tmp_path]})
    assert found.runs["label"].to_list() == ["ppo · a", "ppo · b"]
    assert found.evaluations["step"].is_unique().all()


def test_what_one_folder_misses_is_missing_there_alone(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    record_plan([make_spec("north", "ppo", seed) for seed in (0, 1)], old)
    for results, seed in ((old, 0), (new, 0), (new, 1)):
        write_run(results, "north", "ppo", seed)
    found = read_named_results({"old": [old], "new": [new]})
    assert found.runs.filter(state="missing").select("label", "seed").rows() == [("ppo · old", 1)]
    assert found.planned_suites == frozenset()  # nobody knows what the other was asked for


def test_a_folder_without_runs_is_named(tmp_path: Path) -> None:
    write_run(tmp_path / "old", "north", "ppo", 0)
    (tmp_path / "new").mkdir()
    with pytest.raises(ResultsError, match=f"no runs in {tmp_path / 'new'}"):
        read_named_results({"old": [tmp_path / "old"], "new": [tmp_path / "new"]})
