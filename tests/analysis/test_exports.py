"""Scores for other programs: what rliable and marl-eval read must be what the report says."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from report.synthetic import write_run, write_suite
from rliable import library, metrics

from harness.analysis import matrices
from harness.analysis.exports import marl_eval_data, rliable_matrices
from harness.report.build import build_report
from harness.runs.results import Results, read_results


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return read_results([write_suite(tmp_path / "results", {"ppo": 3.0, "rnd": 6.0}, seeds=4)])


def test_rliable_computes_from_the_matrices_what_the_report_says(results: Results) -> None:
    found = json.loads(json.dumps(rliable_matrices(results, "synthetic")))
    scores = {method: np.array(matrix) for method, matrix in found["normalised"].items()}
    assert {method: matrix.shape for method, matrix in scores.items()} == {"ppo": (4, 2), "rnd": (4, 2)}
    points, _ = library.get_interval_estimates(scores, lambda x: np.array([metrics.aggregate_iqm(x)]), reps=10)
    ours = matrices.aggregate_scores(scores, n_resamples=10).filter(metric="iqm")
    assert {method: value[0] for method, value in points.items()} == dict(ours.select("method", "value").rows())
    row = results.runs.filter(label="rnd", task="south", seed=2)
    assert found["scores"]["rnd"][2][found["tasks"].index("south")] == row["score"].item()


def test_a_run_without_a_score_is_null_and_a_task_without_constants_is_not_normalised(tmp_path: Path) -> None:
    write_suite(tmp_path, {"ppo": 3.0}, seeds=3)
    write_run(tmp_path, "north", "ppo", 1, state="failed")
    write_run(tmp_path, "west", "ppo", 0, 7.0, normalise=None)
    found = rliable_matrices(read_results([tmp_path]), "synthetic")
    assert (found["tasks"], found["normalised_tasks"], found["seeds"]) == (
        ["north", "south", "west"],
        ["north", "south"],
        [0, 1, 2],
    )
    scores = np.array(found["scores"]["ppo"], dtype=float)
    assert np.isnan(scores).tolist() == [[False, False, False], [True, False, True], [False, False, True]]
    assert scores[0, 2] == 7.0


def test_marl_eval_gets_its_tree(results: Results) -> None:
    """The structure of its README: environment, task, algorithm, run; steps with their count, absolute metrics last."""
    data = marl_eval_data(results)
    assert list(data) == ["synthetic"] and sorted(data["synthetic"]) == ["north", "south"]
    runs = data["synthetic"]["north"]["rnd"]
    assert list(runs) == [f"seed_{seed}" for seed in range(4)]
    assert list(runs["seed_1"]) == [*(f"step_{i}" for i in range(1, 11)), "absolute_metrics"]
    first, last = runs["seed_1"]["step_1"], runs["seed_1"]["absolute_metrics"]
    assert first["step_count"] == 1000 and set(first) == {"step_count", "return", "length", "success"}
    score = results.runs.filter(label="rnd", task="north", seed=1)["score"].item()
    assert last["return"] == runs["seed_1"]["step_10"]["return"] == [score]


def test_marl_eval_gets_no_unfinished_run_and_no_measurement_that_some_lack(tmp_path: Path) -> None:
    write_suite(tmp_path, {"ppo": 3.0}, tasks=("north",), seeds=2)
    write_run(tmp_path, "north", "ppo", 2, state="interrupted")
    write_run(tmp_path, "north", "ppo", 3, metrics={"success": 1.0, "rooms": 2.0})
    runs = marl_eval_data(read_results([tmp_path]))["synthetic"]["north"]["ppo"]
    assert list(runs) == ["seed_0", "seed_1", "seed_3"]
    assert "rooms" not in runs["seed_3"]["step_1"] and "success" in runs["seed_3"]["step_1"]


def test_the_report_writes_both_and_every_attempt(tmp_path: Path) -> None:
    write_suite(tmp_path / "results", {"ppo": 3.0, "rnd": 6.0}, tasks=("north",), seeds=2, suite="a b")
    main = build_report([tmp_path / "results"], tmp_path / "out", formats=("json", "csv"))
    files = {file.name for file in (tmp_path / "out").iterdir()}
    assert main.name == "scores.csv"
    (matrix,) = (name for name in files if name.startswith("rliable-"))
    assert " " not in matrix
    assert set(json.loads((tmp_path / "out" / matrix).read_text())["scores"]) == {"ppo", "rnd"}
    attempts = pl.read_csv(tmp_path / "out" / "attempts.csv")
    assert attempts["seed"].to_list() == [0, 1, 0, 1]
    assert set(attempts["command"]) == {"harness run suites/synthetic.yaml"} and set(attempts["commit"]) == {"0123456789ab"}
    assert json.loads(attempts["packages"][0]) == {"torch": "2.13.0", "numpy": "2.4.6"}


def test_figures_and_tables_link_the_files_with_their_numbers(tmp_path: Path) -> None:
    write_suite(tmp_path / "results", {"ppo": 3.0, "rnd": 6.0}, tasks=("north",), seeds=3)
    build_report([tmp_path / "results"], tmp_path / "out", formats=("md", "csv"))
    text = (tmp_path / "out" / "report.md").read_text()
    linked = set(re.findall(r"\]\(([\w]+\.csv)\)", text))
    assert linked >= {
        "aggregates.csv",
        "curves.csv",
        "tasks.csv",
        "scores.csv",
        "curves_by_seed.csv",
        "attempts.csv",
        "runs.csv",
    }
    assert all((tmp_path / "out" / name).exists() for name in linked)
    curves = pl.read_csv(tmp_path / "out" / "curves_by_seed.csv")
    assert curves.columns[:7] == ["suite", "task", "method", "seed", "step", "episodes", "return"]
    assert len(curves) == 2 * 3 * 10
    build_report([tmp_path / "results"], tmp_path / "without", formats=("md",))
    assert ".csv)" not in (tmp_path / "without" / "report.md").read_text()


@pytest.mark.parametrize("name", ["method", "=cmd()", "'=cmd()", "folder", "suite", "", "a,b"])
def test_no_name_of_a_measurement_breaks_the_file_of_evaluations(tmp_path: Path, name: str) -> None:
    write_run(tmp_path / "results", "north", "ppo", 0, metrics={name: 1.0, "'=cmd()": 2.0})
    build_report([tmp_path / "results"], tmp_path / "out", formats=("csv",))
    assert pl.read_csv(tmp_path / "out" / "curves_by_seed.csv")["step"].to_list() == list(range(1000, 10_001, 1000))


def test_arrays_hold_every_seed_and_name_their_axes(tmp_path: Path) -> None:
    write_suite(tmp_path / "results", {"ppo": 3.0, "rnd · ἄλφα": 6.0}, seeds=3)
    write_run(tmp_path / "results", "north", "ppo", 1, state="failed")
    write_run(tmp_path / "results", "west", "ppo", 0, 7.0, normalise=None)
    main = build_report([tmp_path / "results"], tmp_path / "out", formats=("npz",))
    assert main.name == "scores-synthetic.npz"
    with np.load(main, allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    assert [arrays[name].tolist() for name in ("suite", "methods", "seeds", "tasks")] == [
        "synthetic",
        ["ppo", "rnd · ἄλφα"],
        [0, 1, 2],
        ["north", "south", "west"],
    ]
    assert [arrays[name].dtype.str for name in ("seeds", "scores", "normalised", "low", "high")] == ["<i8", *["<f8"] * 4]
    assert arrays["scores"].shape == arrays["normalised"].shape == (2, 3, 3)
    assert np.isnan(arrays["scores"][0]).tolist() == [[False, False, False], [True, False, True], [False, False, True]]
    runs = read_results([tmp_path / "results"]).runs
    assert arrays["scores"][1, 2, 1] == runs.filter(label="rnd · ἄλφα", task="south", seed=2)["score"].item()
    assert arrays["scores"][0, 0, 2] == 7.0
    np.testing.assert_array_equal(arrays["normalised"][..., :2], arrays["scores"][..., :2] / 10)
    assert np.isnan(arrays["normalised"][..., 2]).all()
    np.testing.assert_array_equal(arrays["low"], [0, 0, np.nan])


@pytest.mark.parametrize(
    ("epoch", "year"), [(None, 1980), ("1700000000", 2023), ("0", 1980), ("99999999999", 2107), ("soon", 1980)]
)
def test_arrays_are_the_same_to_the_byte_and_as_old_as_they_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epoch: str | None, year: int
) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    if epoch is not None:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    write_run(tmp_path / "results", "north", "ppo", 0)
    one, two = (
        build_report([tmp_path / "results"], tmp_path / name, formats=("npz",)).read_bytes() for name in ("one", "two")
    )
    assert one == two
    with zipfile.ZipFile(tmp_path / "one" / "scores-synthetic.npz") as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {year}
