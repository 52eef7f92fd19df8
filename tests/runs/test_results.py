"""Reading run folders: what counts as a score, what is missing, and what cannot be read."""

from __future__ import annotations

import math
import shutil

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from report.synthetic import STEPS, write_run, write_suite
from toy_plugin import toy_registry

from harness.errors import ResultsError
from harness.runs.results import read_results
from harness.spec import EnvironmentSpec, Normalisation


def only(results, **place) -> dict:
    """The single row of a place."""
    return results.runs.filter(**place).row(0, named=True)


def test_score_is_the_mean_return_of_the_last_evaluation(tmp_path):
    curve = {5000: [100.0, 200.0], 10_000: [1.0, 2.0, 6.0], 2000: [7.0]}
    write_run(tmp_path, "north", "rnd", 0, curve=curve, normalise=Normalisation(low=1, high=5))
    row = only(read_results([tmp_path]), task="north")
    assert (row["score"], row["score_step"], row["episodes"]) == (3.0, 10_000, 3)
    assert row["normalised"] == 0.5


@pytest.mark.parametrize("state", ["running", "failed", "interrupted"])
def test_only_finished_runs_have_a_score(tmp_path, state):
    write_run(tmp_path, "north", "rnd", 0, 5.0, state=state, error="out of memory")
    results = read_results([tmp_path])
    row = only(results, task="north")
    assert row["score"] is None
    assert row["normalised"] is None
    assert row["state"] == ("interrupted" if state == "running" else state)  # nobody owns the folder
    assert row["error"] == "out of memory"
    assert len(results.evaluations) == 10  # its curve is there


def test_torn_last_line_is_dropped(tmp_path):
    folder = write_run(tmp_path, "north", "rnd", 0, curve={1000: [1.0, 3.0]})
    with folder.evaluations_file.open("a") as file:
        file.write("10000,0,9")
    row = only(read_results([tmp_path]), task="north")
    assert (row["score"], row["score_step"]) == (2.0, 1000)


def test_unreadable_and_foreign_things_are_skipped_by_name(tmp_path):
    write_run(tmp_path, "north", "rnd", 0)
    truncated = write_run(tmp_path, "north", "rnd", 1)
    truncated.record_file.write_text(truncated.record_file.read_text()[:100])
    foreign = tmp_path / "synthetic" / "elsewhere"
    foreign.mkdir()
    (foreign / "run.json").write_text('{"what": "is this"}')
    (foreign / "notes.txt").write_text("not a run")
    lone = tmp_path / "synthetic" / "lone"
    lone.mkdir()
    (lone / "evaluations.csv").write_text("step,return\n1,2\n")
    (tmp_path / "empty").mkdir()
    results = read_results([tmp_path])
    assert results.runs["seed"].to_list() == [0]
    assert len(results.skipped) == 3
    for file in (truncated.record_file, foreign / "run.json", lone / "evaluations.csv"):
        assert any(str(file) in line for line in results.skipped)


def test_evaluations_of_another_shape_leave_the_run_without_a_score(tmp_path):
    folder = write_run(tmp_path, "north", "rnd", 0)
    folder.evaluations_file.write_text("a,b\n1,2\n")
    results = read_results([tmp_path])
    assert only(results, task="north")["score"] is None
    assert "'return'" in results.skipped[0]
    assert str(folder.evaluations_file) in results.skipped[0]


def test_rows_that_are_no_episodes_are_named(tmp_path):
    file = write_run(tmp_path, "north", "rnd", 0).evaluations_file
    file.write_text("step,episode,return,length\nx,0,y,1\n")
    results = read_results([tmp_path])
    assert only(results, task="north")["score"] is None
    assert results.skipped == (f"{file}: row 1 is left out: step is no count, but 'x'",)


@pytest.mark.parametrize("content", ["", "step,episode,return,length\n"])
def test_evaluations_without_rows(tmp_path, content):
    write_run(tmp_path, "north", "rnd", 0).evaluations_file.write_text(content)
    results = read_results([tmp_path])
    assert only(results, task="north")["score"] is None
    assert results.skipped == ()


def test_scores_that_are_not_finite_are_no_scores(tmp_path):
    write_run(tmp_path, "north", "rnd", 0, curve={STEPS: [math.nan, 1.0]})
    assert only(read_results([tmp_path]), task="north")["score"] is None


def test_what_was_asked_for_and_has_no_folder_is_missing(tmp_path):
    write_suite(tmp_path, {"ppo": 1, "rnd": 2}, seeds=2)
    shutil.rmtree(next(tmp_path.glob("synthetic/south/rnd-*/seed-1")))
    runs = read_results([tmp_path]).runs
    assert len(runs) == 8
    missing = runs.filter(state="missing").select("task", "label", "seed", "score", "folder").rows()
    assert missing == [("south", "rnd", 1, None, None)]


def test_one_name_with_two_configurations_is_two_methods(tmp_path):
    write_run(tmp_path, "north", "rnd", 0, combine={"intrinsic_weight": 0.5})
    write_run(tmp_path, "north", "rnd", 0, combine={"intrinsic_weight": 2.0})
    write_run(tmp_path, "north", "ppo", 0)
    labels = read_results([tmp_path]).runs["label"].to_list()
    assert sorted(labels) == ["ppo", "rnd · intrinsic_weight 0.5", "rnd · intrinsic_weight 2.0"]


@pytest.mark.parametrize(("newer_state", "stands"), [("finished", "newer"), ("failed", "older")])
def test_the_newest_finished_of_several_folders_stands(tmp_path, newer_state, stands):
    old, new = (EnvironmentSpec(family="lattice", config={"sticky": sticky}) for sticky in (0.0, 0.25))
    write_run(tmp_path, "north", "rnd", 0, 1.0, environment=old, updated="2026-11-01T00:00:00+00:00")
    write_run(tmp_path, "north", "rnd", 0, 2.0, environment=new, state=newer_state)
    runs = read_results([tmp_path]).runs
    assert len(runs) == 2
    kept = runs.filter(~pl.col("superseded"))
    assert kept["score"].to_list() == pytest.approx([2.0 if stands == "newer" else 1.0])


def test_the_newest_run_decides_a_tasks_constants(tmp_path):
    write_run(tmp_path, "north", "rnd", 0, normalise=Normalisation(low=0, high=1), updated="2026-11-01T00:00:00+00:00")
    write_run(tmp_path, "north", "rnd", 1, 1.0, normalise=Normalisation(low=0, high=4, source="corrected"))
    results = read_results([tmp_path])
    assert results.tasks.row(0, named=True) | {"suite": ""} == {
        "suite": "",
        "task": "north",
        "low": 0.0,
        "high": 4.0,
        "source": "corrected",
        "frames_per_step": None,
        "constants": 2,
    }
    assert results.runs["normalised"].to_list() == pytest.approx([0.25, 0.25])


@pytest.mark.parametrize(
    ("family", "config", "frames"),
    [
        ("atari", {"game": "pong", "frame_skip": 3}, 3),
        ("atari", {"game": "pong"}, 4),  # the default of when the report is written
        ("atari", {"game": "of the old days", "frame_skip": 2, "gone": True}, 2),  # valid then
        ("procgen", {"game": "maze"}, 1),
        ("deep_sea", {"size": 4}, None),
        ("nowhere", {"frame_skip": 4}, None),
    ],
)
def test_families_say_what_a_step_is_made_of(tmp_path, family, config, frames):
    write_run(tmp_path, "north", "rnd", 0, environment=EnvironmentSpec(family=family, config=config))
    assert read_results([tmp_path]).tasks["frames_per_step"].to_list() == [frames]


def test_a_family_that_cannot_be_asked_costs_only_the_frames(tmp_path):
    write_run(tmp_path, "north", "rnd", 0, environment=EnvironmentSpec(family="gone", config={}))
    assert read_results([tmp_path], toy_registry()).tasks["frames_per_step"].to_list() == [None]


@pytest.mark.parametrize("constants", [None, Normalisation(low=2, high=2)])
def test_without_usable_constants_there_is_no_normalised_score(tmp_path, constants):
    write_run(tmp_path, "north", "rnd", 0, 3.0, normalise=constants)
    row = only(read_results([tmp_path]), task="north")
    assert row["score"] == pytest.approx(3.0)
    assert row["normalised"] is None


def test_reading_order_and_overlapping_roots_leave_no_trace(tmp_path):
    write_suite(tmp_path, {"ppo": 1, "rnd": 2}, seeds=2)
    parts = [tmp_path / "synthetic" / "south", tmp_path / "synthetic" / "north"]
    whole = read_results([tmp_path])
    for roots in (parts, parts[::-1], [*parts, tmp_path], [tmp_path, tmp_path]):
        other = read_results(roots)
        assert_frame_equal(other.runs, whole.runs)
        assert_frame_equal(other.evaluations, whole.evaluations)


def test_nothing_to_read_is_an_error_that_names_the_place(tmp_path):
    with pytest.raises(ResultsError, match=r"no runs in .*empty"):
        (tmp_path / "empty").mkdir()
        read_results([tmp_path / "empty"])
    with pytest.raises(ResultsError, match="nowhere"):
        read_results([tmp_path / "nowhere"])


def test_pre_training_is_set_apart_and_plans_nothing(tmp_path):
    write_suite(tmp_path, {"ppo": 1.0, "rnd": 2.0}, seeds=2)
    write_run(tmp_path, "explore-sea", "rnd", 0, pretraining=True)
    write_run(tmp_path, "explore-sea", "rnd", 0, pretraining=True, suite="other")
    results = read_results([tmp_path])
    assert results.pretraining.select("suite", "task", "state", "score").rows() == [
        ("other", "explore-sea", "finished", None),
        ("synthetic", "explore-sea", "finished", None),
    ]
    assert "explore-sea" not in results.runs["task"].to_list()
    assert "missing" not in results.runs["state"].to_list()
    assert results.tasks["task"].to_list() == ["north", "south"]
    assert results.suites == ["synthetic"]
    assert results.skipped == ("suite other: only pre-training runs so far, which have no score",)


def test_a_phase_is_no_measurement(tmp_path):
    folder = write_run(tmp_path, "north", "ppo", 0)
    lines = folder.evaluations_file.read_text().splitlines()
    folder.evaluations_file.write_text("\n".join([lines[0] + ",phase", *(line + ",explore" for line in lines[1:])]) + "\n")
    assert "phase" not in read_results([tmp_path]).evaluations.columns
