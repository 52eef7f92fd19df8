"""Committed tables of runs are those of the suites as they stand: the same runs, under the same digests."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from harness.planning.load import load

ROOT = Path(__file__).parents[2]
TABLES: dict[str, tuple[str, str]] = {"minigrid": ("minigrid", "two_cores"), "quick_curiosity": ("quick", "curiosity")}
"""Folders below results/published whose runs anybody can repeat today, with the suite and the profile that they are of."""


def rows(folder: str, name: str = "scores.csv") -> list[dict[str, str]]:
    with (ROOT / "results" / "published" / folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("folder", TABLES)
def test_a_committed_table_has_every_run_of_its_suite_and_no_other(folder):
    suite, profile = TABLES[folder]
    runs = load(ROOT / "suites" / f"{suite}.yaml", profile=profile).runs
    asked = {(run.task, run.method, str(run.seed), run.digest, run.method_digest) for run in runs}
    given = [(row["task"], row["method"], row["seed"], row["digest"], row["method_digest"]) for row in rows(folder)]
    assert len(given) == len(runs)
    assert set(given) == asked


@pytest.mark.parametrize("folder", TABLES)
def test_every_run_of_a_committed_table_was_evaluated_at_its_end(folder):
    suite, profile = TABLES[folder]
    (steps,) = {run.steps for run in load(ROOT / "suites" / f"{suite}.yaml", profile=profile).runs}
    assert {int(row["score_step"]) for row in rows(folder)} == {steps}
