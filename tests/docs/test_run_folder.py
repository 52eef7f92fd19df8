"""The page of the run folder names every file, key and column that runs leave behind."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from harness import experiment
from harness.runs.folder import Attempt, HistoryEntry, RunRecord, RunStatus
from harness.runs.visits import MapRecord, Stretch, VisitRecord
from harness.spec import EvaluationSpec, Normalisation, RunSpec

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "run_folder.md").read_text()
NAMED = set(re.findall(r"`([^`\n]+)`", TEXT))
RUNS = ROOT / "tests" / "fixtures" / "november" / "finished"
SUITE = """
suite: small
environment: {family: deep_sea}
tasks: {n4: {environment: {size: 4}}}
algorithm: {name: ppo, n_envs: 4, n_steps: 16, batch_size: 32, network: sb3}
methods: {rnd: {reward: rnd, combine: sum, config: {warm_up_steps: 0, hidden: [8], feature_dim: 4}}}
seeds: 1
steps: 256
evaluation: {every: 128, episodes: 2, max_steps: 4}
"""


def columns(file: Path) -> list[str]:
    with file.open(newline="") as opened:
        return next(csv.reader(opened))


def is_named(column: str) -> bool:
    """Whether the page has a column, or says whose columns begin so."""
    return column in NAMED or any(f"{part}/*" in NAMED for part in [column.partition("/")[0]] if "/" in column)


@pytest.mark.parametrize(
    "model",
    [RunRecord, RunStatus, Attempt, HistoryEntry, RunSpec, EvaluationSpec, Normalisation, VisitRecord, MapRecord, Stretch],
)
def test_every_key_of_a_record_is_named(model: type[BaseModel]) -> None:
    assert [name for name in model.model_fields if name not in NAMED] == []


@pytest.mark.parametrize("file", sorted(RUNS.rglob("*.csv")), ids=lambda file: str(file.relative_to(RUNS)))
def test_every_column_of_earlier_runs_is_named(file: Path) -> None:
    assert f"\n## {file.name}\n" in TEXT
    assert [name for name in columns(file) if not is_named(name)] == []


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inside in value.items():
            yield key
            if key not in {"plugins", "packages", "config", "environment", "algorithm", "reward"}:
                yield from keys(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from keys(inside)


@pytest.mark.slow
def test_everything_that_a_run_leaves_is_named(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SUITE)
    result = experiment.run(experiment.plan(tmp_path / "small.yaml"), tmp_path / "results", workers=1, device="cpu")
    assert result.finished
    (folder,) = (tmp_path / "results").rglob("seed-0")
    for file in folder.iterdir():
        assert file.match("events.out.*") or f"\n## {file.name}" in TEXT, file.name
    for file in (folder / "progress.csv", folder / "evaluations.csv"):
        assert [name for name in columns(file) if not is_named(name)] == []
    assert "cut" in columns(folder / "evaluations.csv")
    for file in (folder / "run.json", folder / "visits.json"):
        assert {key for key in keys(json.loads(file.read_text())) if key not in NAMED} == set()
    for file in (tmp_path / "results" / "small").iterdir():
        assert file.name in {"n4"} or f"/{file.name}" in TEXT, file.name
