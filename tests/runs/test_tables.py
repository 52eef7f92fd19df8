"""Run folders as tables, of polars and of pandas."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from report.synthetic import write_finished, write_run, write_suite  # type: ignore[import-not-found]

import harness
from harness import experiment
from harness.errors import ResultsError


def test_every_run_has_a_row_and_its_curves_carry_its_name(tmp_path: Path) -> None:
    write_suite(tmp_path, {"ppo": 1, "rnd": 2}, seeds=2)
    runs = harness.read_runs(tmp_path)
    assert runs.select("task", "label", "seed").n_unique() == runs.height == 8
    curves = harness.read_evaluations(str(tmp_path))
    assert curves.columns[:4] == ["suite", "task", "label", "seed"]
    assert curves.columns[-1] == "folder"
    last = curves.group_by("folder", maintain_order=True).last().select("folder", "return")
    joined = runs.join(last, on="folder")
    assert joined["score"].to_list() == pytest.approx(joined["return"].to_list())


def test_logs_of_training_are_numbers(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "north", "ppo", 3)
    folder.progress_file.write_text("time/total_timesteps,train/loss\n128,\n256,0.5\n384,0.")  # the last line is torn
    progress = harness.read_progress(tmp_path)
    assert progress.select("task", "label", "seed", "time/total_timesteps", "train/loss").rows() == [
        ("north", "ppo", 3, 128.0, None),
        ("north", "ppo", 3, 256.0, 0.5),
    ]


def test_pandas_tells_what_is_missing() -> None:
    table = pl.DataFrame(
        {"a": ["x", None], "b": [1, None], "c": [1, 2], "d": [0.5, None], "e": [True, None], "f": [True, False]}
    )
    converted = harness.to_pandas(table)
    assert isinstance(converted, pd.DataFrame)
    assert [str(dtype) for dtype in converted.dtypes] == ["object", "Int64", "int64", "float64", "boolean", "bool"]
    assert converted["b"].isna().tolist() == converted["d"].isna().tolist() == [False, True]
    assert converted["a"].tolist() == ["x", None]


def test_an_empty_table_stays_one() -> None:
    assert harness.to_pandas(pl.DataFrame(schema={"a": pl.Int64, "b": pl.Float64})).shape == (0, 2)


def test_a_place_without_runs_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="no runs in"):
        harness.read_progress(tmp_path)


SUITE = """
suite: small
description: Two methods on one task
environment: {family: deep_sea}
tasks: {n5: {environment: {size: 5}}}
algorithm: {name: ppo, n_envs: 4, n_steps: 8, batch_size: 32}
methods: {ppo: {}, rnd: {reward: rnd, config: {warm_up_steps: 0, hidden: [4], feature_dim: 4}}}
seeds: 2
steps: 64
evaluation: {every: 64, episodes: 1}
"""


def test_what_a_plan_came_to_is_three_tables_of_its_runs_alone(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(SUITE)
    for spec in experiment.plan(file, seeds=3).runs:
        folder = write_finished(spec, tmp_path / "results", score=spec.seed)
        folder.progress_file.write_text("time/total_timesteps,train/loss\n32,\n64,0.5\n")
    result = experiment.run(experiment.plan(file), tmp_path / "results")
    scores, evaluations, progress = result.scores(), result.evaluations(), result.progress()
    assert scores.select("label", "seed", "score").rows() == [("ppo", 0, 0), ("ppo", 1, 1), ("rnd", 0, 0), ("rnd", 1, 1)]
    assert dict(evaluations.schema) == {
        **dict.fromkeys(("suite", "task", "label"), pl.String),
        **dict.fromkeys(("seed", "step", "episodes"), pl.Int64),
        **dict.fromkeys(("return", "length"), pl.Float64),
        "folder": pl.String,
    }
    kinds = [str(dtype) for dtype in harness.to_pandas(progress).dtypes]
    assert kinds == ["object", "object", "object", "int64", "float64", "float64", "object"]
    assert progress.group_by("label").len().sort("label").rows() == [("ppo", 4), ("rnd", 4)]


def test_a_plan_of_which_nothing_is_there_has_no_tables(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(SUITE)
    plan = experiment.plan(file)
    result = experiment.RunResult(plan, tmp_path, [], experiment.status(tmp_path, plan).runs)
    with pytest.raises(ResultsError, match="no runs in"):
        result.scores()


@pytest.mark.parametrize("name", ["seed", "label"])
def test_what_a_log_calls_as_another_column_is_kept_apart(tmp_path: Path, name: str) -> None:
    write_run(tmp_path, "north", "ppo", 3).progress_file.write_text(f"time/total_timesteps,{name}\n128,7\n")
    found = harness.read_progress(tmp_path)
    assert found.select("label", "seed", f"{name} (measured)").rows() == [("ppo", 3, 7.0)]
