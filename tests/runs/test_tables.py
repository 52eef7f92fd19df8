"""Run folders as tables, of polars and of pandas."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from report.synthetic import write_run, write_suite  # type: ignore[import-not-found]

import harness
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
