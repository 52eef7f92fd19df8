"""``harness tune`` and what it leaves: mistakes, the settings found, the record, the report."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.report.build import build_report
from harness.runs.folder import RunFolder
from harness.training.estimate import ResourceEstimate
from harness.tuning.confirm import Confirmation, compare, recommended, verdict
from harness.tuning.record import read_study_record, write_study_record
from harness.tuning.study import StudyDefinition

MISTAKES = {
    "no method": ("tune toy.yaml", "Missing option '--method'"),
    "unknown method": ("tune toy.yaml -m rdn", "did you mean 'rnd'?"),
    "several methods": (
        'tune toy.yaml -m rnd --set methods={"rnd":null,"a":{"reward":"rnd"},"b":{"reward":"rnd"}}',
        "--method rnd: is the reward of a, b; name one of them",
    ),
    "unknown sampler": ("tune toy.yaml -m rnd --sampler tpee", "unknown sampler 'tpee': did you mean 'tpe'?"),
    "unknown pruner": ("tune toy.yaml -m rnd --pruner media", "did you mean 'median'?"),
    "unknown objective": ("tune toy.yaml -m rnd --objective speed", "unknown objective 'speed'"),
    "no time": ("tune toy.yaml -m rnd --time soon", "--time soon: expected a time such as 90m"),
    "no steps": ("tune toy.yaml -m rnd --total-steps many", "--total-steps many: expected a whole number"),
    "no trials": ("tune toy.yaml -m rnd --trials 0", "Invalid value for '--trials'"),
    "study with a slash": ("tune toy.yaml -m rnd --study a/b", "cannot name a folder"),
    "storage": ("tune toy.yaml -m rnd --storage redis://me:hunter2@host", "unknown storage 'redis://me:***@host'"),
    "parameter": ("tune toy.yaml -m rnd --set tune.parameters=[config.lr]", "unknown parameter 'config.lr'"),
    "empty space": ("tune toy.yaml -m rnd --set tune.parameters=[]", "has nothing to search"),
    "no constants": ("tune toy.yaml -m rnd --set tasks.n4.normalise=null", "task 'n4' has no constants"),
    "prune two": ("tune toy.yaml -m rnd --pruner median --objective score --objective seconds", "needs a single objective"),
    "executor": ("tune toy.yaml -m rnd --executor lokal", "unknown executor 'lokal': did you mean 'local'?"),
    "out": ("tune toy.yaml -m rnd --out nowhere/best.yaml", "there is no folder nowhere"),
    "file for --set": ("run toy.yaml --set @none.yaml", "none.yaml: no such file"),
}


@pytest.mark.parametrize(("line", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_gets_one_line_and_leaves_nothing(harness, place, line, message):
    code, _, errors = harness(*line.split())
    assert code == 2
    (complaint,) = errors.splitlines()
    assert complaint.startswith("error: ")
    assert message in complaint
    assert "hunter2" not in complaint
    assert [path.name for path in place.folder.iterdir()] == ["toy.yaml"]


def test_what_only_tuning_needs_is_refused_by_it_alone_with_file_and_line(harness, place):
    """Settings to search may be meant for another method than the one that is run or tuned."""
    file = place.folder / "toy.yaml"
    text = file.read_text().partition("tune:")[0]
    file.write_text(f"{text}tune:\n  parameters: [config.eta]\n")
    code, _, errors = harness("tune", "toy.yaml", "-m", "ppo", "--dry-run")
    assert code == 2
    assert errors.startswith(f"error: toy.yaml:{len(text.splitlines()) + 2}: tune.parameters: unknown parameter 'config.eta'")
    assert harness("check", "toy.yaml", "--no-build")[0] == 0


@pytest.mark.usefixtures("no_figures")
def test_study_of_another_suite_is_refused(harness, place):
    assert harness("tune", "toy.yaml", "-m", "rnd", "--trials", 1, "--confirm", 0)[0] == 0
    code, _, errors = harness("tune", "toy.yaml", "-m", "rnd", "--trials", 2, "--steps", 400)
    assert code == 2
    assert "steps is 300 there and 400 here" in errors
    assert len(errors.splitlines()) == 1


def test_from_search_to_report_and_back_into_run(harness, place):
    code, output, errors = harness("tune", "toy.yaml", "-m", "rnd", "--trials", 20, "--confirm", 2, "--workers", 2)
    assert (code, errors) == (0, "")
    assert "done: 20 of 20 trials" in output
    assert "Tuning helped: " in output

    folder = place.results / "toy" / "tuning" / "toy-rnd"
    record = read_study_record(folder / "study.json")
    confirmed = record.confirmations()
    assert [one.default for one in confirmed] == [False, False, True]
    assert all(len(one.scores) == one.planned == 10 for one in confirmed)
    compared = compare(record.name, "iqm", confirmed)
    chosen = recommended(compared)
    assert chosen.improvement.value == 1.0
    assert chosen.drop == pytest.approx(chosen.confirmation.tuned - chosen.score.value)

    text = (folder / "best.yaml").read_text()
    assert "Tuning helped" in text
    (plain,) = {spec.method_digest for spec in place.plan().runs if spec.reward}
    (tuned,) = {spec.method_digest for spec in place.plan(f"@{folder / 'best.yaml'}=").runs if spec.reward}
    (spec,) = [
        spec for spec in place.plan(f"@{folder / 'best.yaml'}=").runs if spec.reward and spec.task == "n4" and not spec.seed
    ]
    assert tuned != plain
    assert spec.reward.config["learning_rate"] == chosen.confirmation.settings["config.learning_rate"]
    assert spec.algorithm.config["gae_lambda"] == chosen.confirmation.settings["algorithm.gae_lambda"]
    assert spec.reward.combine.mode == "sum"
    folders = {
        RunFolder.of(run, place.results).path.parent.name
        for run in StudyDefinition.from_plan(place.plan(), "rnd", "toy-rnd").specs(chosen.confirmation.settings)
    }
    assert folders <= {path.name for path in (folder / "n4").iterdir()} | {path.name for path in (folder / "n5").iterdir()}

    again, output, _ = harness("tune", "toy.yaml", "-m", "rnd", "--trials", 20, "--confirm", 2, "--workers", 2)
    assert again == 0
    assert "started" not in output
    assert "confirming" not in output

    page = (folder / "report" / "index.html").read_text()
    for words in ("Confirmation", "Tuned score", "Confirmed score", "Drop", "Importances", "Parallel coordinates", "Slices"):
        assert words in page
    assert page.count("<svg") == 5  # history, importances, parallel coordinates and two slices
    rows = list(csv.DictReader((folder / "report" / "tuning-toy-toy-rnd.csv").read_text().splitlines()))
    assert len(rows) == 20
    assert rows[0]["state"] == "complete"
    assert build_report([place.results / "toy"], place.folder / "out", formats=["html"]).name == "index.html"
    with pytest.raises(Exception, match="no runs in"):
        from harness.runs.status import read_runs_below

        read_runs_below([place.results / "toy"])


def test_study_whose_names_are_markup_cannot_break_the_page(place):
    study = place.study(name="toy-rnd")
    place.tune(study, 5)
    folder = place.results / "toy" / "tuning" / "toy-rnd"
    write_study_record(study, folder)
    evil = "<script>alert(1)</script>$x^2$"
    data = json.loads((folder / "study.json").read_text())
    text = json.dumps(data).replace("config.learning_rate", evil).replace('"toy-rnd"', json.dumps(evil))
    (folder / "study.json").write_text(text)
    page = build_report([folder], place.folder / "out").read_text()
    assert page.count("<script") == 1  # its own
    assert "&lt;script&gt;" in page


def test_two_objectives_show_their_front(harness, place):
    code, _, _ = harness(
        "tune", "toy.yaml", "-m", "rnd", "--trials", 8, "--confirm", 0, "--objective", "score", "--objective", "seconds"
    )
    assert code == 0
    page = (place.results / "toy" / "tuning" / "toy-rnd" / "report" / "index.html").read_text()
    assert "The Pareto front" in page
    assert "Seconds per run" in page


@pytest.fixture
def ten_steps_a_second(monkeypatch):
    """How fast runs are is not measured, which loads the libraries in a process of its own."""
    monkeypatch.setattr("harness.execution.measuring.measure", lambda spec, device: ResourceEstimate(1 << 20, 0, 10.0))


@pytest.mark.usefixtures("ten_steps_a_second")
def test_dry_run_tells_the_space_and_writes_nothing(harness, place):
    code, output, _ = harness("tune", "toy.yaml", "-m", "rnd", "--trials", 10, "--dry-run", "--workers", 2)
    assert code == 0
    assert "1e-05 to 0.01, logarithmic" in output
    assert "10 trials of 4 runs, 1,200 steps each, then 40 runs to confirm; about" in output
    assert [path.name for path in place.folder.iterdir()] == ["toy.yaml"]


@pytest.mark.usefixtures("ten_steps_a_second", "no_figures")
def test_dry_run_forecasts_trials_whatever_is_finished(harness, place):
    for trials in (0, 1):  # the trial has the suite's own settings, as the first one always has
        if trials:
            assert harness("tune", "toy.yaml", "-m", "rnd", "--trials", trials, "--confirm", 0)[0] == 0
        output = harness("tune", "toy.yaml", "-m", "rnd", "--trials", 10, "--dry-run", "--workers", 2, "--confirm", 0)[1]
        assert "about 11 min 40 s" in output  # 10 trials of 4 runs, each 300 steps and 5 s to start, two at a time


def test_fault_dry_run_forecasts_the_cost_of_the_space_not_of_the_default(harness, place, monkeypatch):
    """Settings that make a trial dear are found by drawing some: here one of two numbers of passes is 100 times as slow."""
    slow = lambda spec, device: ResourceEstimate(1 << 20, 0, 10.0 if spec.algorithm.config["n_epochs"] == 4 else 0.1)  # noqa: E731
    monkeypatch.setattr("harness.execution.measuring.measure", slow)
    space = "tune.space={rnd: {algorithm: {n_epochs: [4, 100]}}}"
    (code, output, _) = harness(
        *("tune", "toy.yaml", "-m", "rnd", "--trials", 10, "--dry-run", "--workers", 1, "--confirm", 0),
        *("--set", space, "--set", "tune.parameters=[algorithm.n_epochs]"),
    )
    assert code == 0
    assert "one with the suite's own settings 2 min 20 s" in output  # 4 runs of 300 steps at 10 a second and 5 s to start
    assert "a trial takes 2 min 20 s to 3 h 20 min, as measured with 4 trials drawn from the space" in output
    assert "about 23 min" not in output
    assert [path.name for path in place.folder.iterdir()] == ["toy.yaml"]


def test_show_prints_a_space(harness):
    code, output, _ = harness("show", "rnd", "--space")
    assert code == 0
    assert "config.learning_rate" in output
    code, output, _ = harness("show", "rnd", "--space", "--json")
    names = [parameter["name"] for parameter in json.loads(output)["parameters"]]
    assert "combine.intrinsic_weight" in names


@pytest.mark.slow  # what a stopped run says is tried every day in ``cli/test_run_end_to_end.py``
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGUSR1], ids=lambda it: it.name)
def test_interrupted_its_runs_save_and_it_says_what_the_disk_holds_of_them(place, number):
    """With real training, which is long enough to be interrupted."""
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "tune", "toy.yaml", "-m", "rnd", "--steps", "500_000", "--workers", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=place.folder,
        env=os.environ,
        start_new_session=True,
    )
    for line in process.stdout:
        if "started" in line:
            break
    limit = time.monotonic() + 180
    while not [file for file in place.results.rglob("progress.csv") if len(file.read_text().splitlines()) > 2]:
        assert time.monotonic() < limit
        time.sleep(0.02)
    os.killpg(process.pid, number)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "")
    (record,) = [json.loads(file.read_text()) for file in place.results.rglob("run.json")]
    (checkpoint,) = place.results.rglob("checkpoint/step-*")
    kept = int(checkpoint.name.removeprefix("step-"))
    assert record["status"]["state"] == "interrupted"
    assert record["status"]["step"] == kept > 0
    spec = record["spec"]
    assert output.splitlines()[-3].partition("  ")[2].startswith("stopping: 1 run saves at the next update (n4/rnd/seed-")
    assert output.splitlines()[-2:] == [
        f"  trial 0, n4/rnd/seed-{spec['seed']}: {kept:,} of 500,000 steps kept",
        "interrupted: 0 of 50 trials; the same command goes on from there",
    ]
    assert Path(place.results / "toy/tuning/toy-rnd/study.json").exists()


def one(trial, scores, tuned=0.9, default=False):
    return Confirmation(trial, default, {}, tuned, [("a", score) for score in scores], len(scores))


LOW, HIGH, HIGHER = [0.1, 0.2, 0.15, 0.1, 0.12], [0.8, 0.9, 0.85, 0.8, 0.82], [0.95, 0.96, 0.97, 0.98, 0.99]


def confirmed(*trials, own=LOW):
    return compare("s", "iqm", [*trials, one(None, own, None, default=True)])


def test_fault_confirmation_does_not_choose_on_the_seeds_that_judge():
    """The best of k on fresh seeds is no evidence: the best tuned trial did not help, so nothing is said of the others."""
    compared = confirmed(one(3, LOW, 0.9), one(4, HIGH, 0.8))
    assert recommended(compared) is None
    assert verdict(compared).startswith("Tuning did not clearly help: trial 3 scores")


def test_among_trials_that_helped_in_order_the_best_confirmed_is_recommended():
    compared = confirmed(one(5, HIGHER, 0.7), one(4, HIGH, 0.8), one(3, HIGH, 0.9))
    assert recommended(compared).confirmation.trial == 5
    assert verdict(compared).startswith("Tuning helped: trial 5 scores")
    assert recommended(confirmed(one(3, HIGH, 0.9), one(4, LOW, 0.8), one(5, HIGHER, 0.7))).confirmation.trial == 3


def test_what_is_not_finished_ends_the_order_and_is_not_skipped():
    """Otherwise a trial whose runs fail would make room for the next, which is a choice by what came of fresh seeds."""
    broken = Confirmation(3, False, {}, 0.9, [("a", 0.1)], 5)
    compared = confirmed(broken, one(4, HIGH, 0.8))
    assert recommended(compared) is None
    assert verdict(compared).startswith("Nothing was confirmed")


@pytest.mark.usefixtures("no_figures")
def test_best_yaml_holds_the_suite_s_own_settings_where_tuning_did_not_help(harness, place, monkeypatch):
    """Settings make no difference here, and the file says so; it can be given to run all the same."""
    monkeypatch.setattr("support.synthetic_training.true_score", lambda spec: 0.5)
    assert harness("tune", "toy.yaml", "-m", "rnd", "--trials", 6, "--confirm", 2)[0] == 0
    file = place.results / "toy" / "tuning" / "toy-rnd" / "best.yaml"
    comments = [line for line in file.read_text().splitlines() if line.startswith("#")]
    assert "The suite's own settings of method rnd" in comments[0]
    assert any("Tuning did not" in line for line in comments)
    assert any("highest tuned score" in line and "config.learning_rate" in line for line in comments)
    plain, recommended = (
        {spec.method_digest for spec in place.plan(*change).runs if spec.reward} for change in ((), (f"@{file}=",))
    )
    assert plain == recommended


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        ([0.8, 0.9, 0.85, 0.8], [0.1, 0.2, 0.15, 0.1], "Tuning helped: trial 3 scores 0.825 on fresh seeds"),
        ([0.1, 0.2, 0.15, 0.1], [0.8, 0.9, 0.85, 0.8], "Tuning did not help, the suite's own settings are better"),
        ([0.1, 0.9, 0.5, 0.6], [0.2, 0.8, 0.6, 0.5], "Tuning did not clearly help"),
        ([0.1, 0.9], [0.2, 0.8], "Too few seeds to tell"),
    ],
)
def test_verdict_says_plainly_whether_tuning_helped(ours, theirs, words):
    compared = compare("s", "iqm", [one(3, ours), one(None, theirs, None, default=True)])
    assert verdict(compared).startswith(words)
