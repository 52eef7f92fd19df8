"""Results folders of before the rooms moved are skipped, resumed and reported; see tests/fixtures/november.

That holds of environments that save their state. Those of the others, whose checkpoints ended episodes then, are reported and
left alone, and their runs are trained anew beside them.
"""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
import torch

from harness.cli.app import main
from harness.errors import RunError
from harness.planning.load import load
from harness.runs.folder import RunFolder
from harness.runs.results import read_results
from harness.training.run import train

NOVEMBER = Path(__file__).parents[1] / "fixtures" / "november"
FINISHED = NOVEMBER / "finished"
RUNS = sorted(folder.parent.relative_to(FINISHED) for folder in FINISHED.glob("*/[nm]*/*/seed-*/run.json"))


def as_then(suite: str, folder: Path) -> Path:
    """The suite with the one line that its summed, normalised bonuses need to be computed as they were."""
    text = (NOVEMBER / f"{suite}.yaml").read_text()
    text = text.replace("combine: {mode: sum, ", "combine: {mode: sum, normaliser_start: prior, ")
    text = text.replace("  sac_rnd:\n", "  sac_rnd:\n    combine: {normaliser_start: prior}\n")
    assert text.count("normaliser_start") == 1
    file = folder / f"{suite}.yaml"
    file.write_text(text)
    return file


def test_what_was_finished_is_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "results"
    shutil.copytree(FINISHED, results)
    before = {file: file.read_bytes() for file in results.rglob("run.json")}
    assert main(["run", str(as_then("november", tmp_path)), "--results", str(results)]) == 0
    assert "nothing to do: 6 runs finished" in capsys.readouterr().out
    assert {file: file.read_bytes() for file in results.rglob("run.json")} == before


def test_only_summed_normalised_bonuses_are_trained_anew() -> None:
    """Their first bonuses were inflated. Under the suite as it was they get a new digest, and the old runs stay beside."""
    plan = load(NOVEMBER / "november.yaml").runs
    found = {Path(spec.path) in RUNS for spec in plan if spec.method != "rnd_sum"}
    assert found == {True}
    old = {run.parts[2] for run in RUNS if run.parts[0] == "november" and run.parts[2].startswith("rnd_sum-")}
    assert len(old) == 1
    new = {spec.path.split("/")[2] for spec in plan if spec.method == "rnd_sum"}
    assert len(new) == 1 and not old & new


def test_runs_whose_checkpoints_ended_episodes_are_left_alone_and_trained_anew_beside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results"
    shutil.copytree(FINISHED / "november_sac", results / "november_sac")
    before = {file: file.read_bytes() for file in results.rglob("*") if file.is_file()}
    suite = str(as_then("november_sac", tmp_path))
    assert main(["run", suite, "--results", str(results), "--workers", "1", "--no-report"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "results of November 2026 or earlier lie beside and are left alone, since their checkpoints ended episodes" in said
    assert "mountain_car_continuous/sac-" in said and ", and 1 more" in said
    assert {file: content for file, content in before.items() if file.read_bytes() == content} == before
    runs = read_results([results]).runs
    assert runs["state"].to_list() == ["finished"] * 4
    assert not runs["superseded"].any()
    assert len(set(runs["label"])) == 4, "runs of before and after share a label, under which their scores would be averaged"
    assert main(["status", str(results), "--json"]) == 0
    assert len({run["digest"] for run in json.loads(capsys.readouterr().out)["runs"]}) == 4


def test_an_interrupted_run_whose_checkpoints_ended_episodes_is_refused_with_the_remedy(tmp_path: Path) -> None:
    results = tmp_path / "results"
    shutil.copytree(NOVEMBER / "interrupted", results)
    for file in (results / "november_sac").rglob("run.json"):
        with pytest.raises(RunError, match=r"ended every episode.*run its suite anew.*stays as it is"):
            train(RunFolder(file.parent).read().spec, results)


def test_what_was_finished_is_counted_and_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(FINISHED), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [run["state"] for run in found["runs"]] == ["finished"] * len(RUNS)
    assert not found["skipped"]
    assert main(["report", str(FINISHED), "--out", str(tmp_path / "report"), "--format", "csv"]) == 0
    with (tmp_path / "report" / "scores.csv").open() as file:
        scores = {(row["task"], row["method"], int(row["seed"])): float(row["score"]) for row in csv.DictReader(file)}
    assert len(scores) == len(RUNS)
    for run in RUNS:
        record = json.loads((FINISHED / run / "run.json").read_text())
        spec = record["spec"]
        assert scores[spec["task"], spec["method"], spec["seed"]] == pytest.approx(record["status"]["score"])


def test_what_was_interrupted_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    suite, results = "november", tmp_path / "results"
    shutil.copytree(NOVEMBER / "interrupted", results)
    command = ["run", str(as_then(suite, tmp_path)), "--seeds", "0-0", "--results", str(results)]
    assert main([*command, "--workers", "1", "--no-report"]) == 0
    for run in (run for run in RUNS if run.parts[0] == suite and run.name == "seed-0"):
        record = json.loads((results / run / "run.json").read_text())
        assert record["status"]["state"] == "finished"
        assert record["status"]["attempts"] == 2
        for name in ("progress.csv", "evaluations.csv"):
            _assert_alike(results / run / name, FINISHED / run / name)


def _assert_alike(found: Path, expected: Path) -> None:
    """Equal to the digit where torch is the one that wrote ``expected``, and close elsewhere; times aside."""
    exact = torch.__version__.startswith("2.13.0")
    rows, wanted = (list(csv.DictReader(file.read_text().splitlines())) for file in (found, expected))
    assert len(rows) == len(wanted)
    for row, other in zip(rows, wanted, strict=True):
        for key in other.keys() - {"time/fps", "time/time_elapsed"}:
            same = row[key] == other[key]
            assert same or (not exact and float(row[key]) == pytest.approx(float(other[key]), rel=1e-2, abs=1e-3)), key
