"""Fault m, of studies: a record that cannot be read is named, and stops neither the report on others nor its own study."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from harness.cli import main
from harness.errors import ResultsError
from harness.runs.folder import RunFolder
from harness.tuning.record import read_study_record, write_study_record
from harness.tuning.trials import find_study_records


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """The folder of a study of three trials."""
    from support.tuning import SUITE, TESTS, SuiteFolder

    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TESTS))
        (folder / "toy.yaml").write_text(SUITE)
        place = SuiteFolder(folder)
        study = place.study()
        place.tune(study, 3)
        write_study_record(study, folder / "results/toy/tuning/toy-rnd")
        place.close()
    return folder / "results"


@pytest.fixture
def two(template, tmp_path, monkeypatch):
    """The records of two studies, of which the first is to be damaged."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(template, "results")
    studies = tmp_path / "results/toy/tuning"
    shutil.copytree(studies / "toy-rnd", studies / "other")
    return studies / "other" / "study.json", studies / "toy-rnd" / "study.json"


def edited(keys, value):
    def change(content):
        *above, last = keys
        for key in above:
            content = content[key]
        content[last] = value
        return json.dumps(content)

    return change


CONFIRMED = {"trial": 1, "default": False, "settings": {"x": 1}, "tuned": 0.5, "scores": [["n4", 0.25]], "planned": 1}

DAMAGE = {
    "truncated": lambda content: json.dumps(content)[:500],
    "empty": lambda content: "",
    "brackets": lambda content: "[" * 100_000,
    "digits": lambda content: json.dumps(content).replace('"number": 0', '"number": ' + "1" * 5000),
    "no trials": edited(["trials"], None),
    "trial without a number": edited(["trials", 0], {}),
    "number": edited(["trials", 0, "number"], -1),
    "state": edited(["trials", 0, "state"], "DONE"),
    "values": edited(["trials", 0, "values"], ["x"]),
    "number of values": edited(["trials", 0, "values"], [1.0, 2.0]),
    "huge value": edited(["trials", 0, "values"], [10**400]),
    "distributions": edited(["trials", 0, "distributions"], {"config.learning_rate": {"name": "Evil", "attributes": {}}}),
    "parameter out of its range": edited(["trials", 0, "params", "config.learning_rate"], 1e9),
    "start": edited(["trials", 0, "start"], "yesterday"),
    "intermediate values": edited(["trials", 0, "intermediate_values"], {"x": 1.0}),
    "attributes": edited(["trials", 0, "user_attrs"], []),
    "objectives": edited(["options", "objectives"], ["fame"]),
    "metric": edited(["options", "metric"], "median"),
    "options": edited(["options"], {}),
    "space": edited(["definition", "space"], [{"name": "x", "scale": "log", "range": [1], "when": None}]),
    "definition": edited(["definition"], {}),
    "confirmed": edited(["confirmed"], [{"trial": 1}]),
    "confirmed runs": edited(["confirmed"], [CONFIRMED | {"planned": {"x": 1}}]),
    "confirmed settings": edited(["confirmed"], [CONFIRMED | {"settings": ["x"]}]),
    "confirmed tuned": edited(["confirmed"], [CONFIRMED | {"tuned": "best"}]),
    "confirmed scores": edited(["confirmed"], [CONFIRMED | {"scores": [["n4", float("nan")]]}]),
    "half a character": edited(["name"], "\ud800"),
    "name": edited(["name"], ""),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_fault_m_a_damaged_record_is_refused_in_one_line(two, damage):
    bad, _ = two
    bad.write_text(damage(json.loads(bad.read_text())))
    with pytest.raises(ResultsError) as caught:
        read_study_record(bad)
    assert str(caught.value).startswith(f"{bad}: ")
    assert str(caught.value).isprintable() and len(str(caught.value)) < 1600


@pytest.mark.parametrize("what", ["truncated", "fifo", "folder", "dangling"])
def test_fault_m_one_damaged_record_leaves_the_others_to_the_report(two, capsys, what):
    bad, _ = two
    text = bad.read_text()
    bad.unlink()
    match what:
        case "truncated":
            bad.write_text(text[:300])
        case "fifo":
            os.mkfifo(bad)
        case "folder":
            bad.mkdir()
        case _:
            bad.symlink_to("nowhere")
    assert main(["report", "results", "--format", "csv", "--out", "out"]) == 1
    assert f"skipped: {bad.relative_to(bad.parents[4])}: " in capsys.readouterr().out
    assert main(["report", str(bad.parent), "--format", "csv", "--out", "none"]) == 2
    assert "study.json: " in capsys.readouterr().err


def test_fault_m_a_damaged_record_is_written_anew_by_its_study(place):
    study = place.study()
    place.tune(study, 2)
    folder = place.results / "toy" / "tuning" / "toy-rnd"
    write_study_record(study, folder)
    (folder / "study.json").write_text("{")
    write_study_record(study, folder)
    assert len(read_study_record(folder / "study.json").trials) == 2


def test_fault_m_a_damaged_run_fails_its_trial_alone(place):
    study = place.study()
    place.tune(study, 2)
    first, other = study.trials()
    specs = study.definition.specs(first.params)
    RunFolder.of(specs[0], place.results).evaluations_file.write_bytes(b"\xff\n")
    again = place.study(storage=str(place.folder / "again.log"))
    again.optuna_study.enqueue_trial(first.params)
    again.optuna_study.enqueue_trial(other.params)
    place.tune(again, 2)
    states = {trial.state.name: trial for trial in again.trials()}
    assert set(states) == {"FAIL", "COMPLETE"}
    assert "evaluations.csv" in states["FAIL"].user_attrs["error"]
    assert states["COMPLETE"].values == other.values


def test_fault_m_records_are_found_once_and_only_in_studies(two):
    _, good = two
    files, problems = find_study_records([good.parents[3], good.parent])
    assert (len(files), problems) == (2, [])
