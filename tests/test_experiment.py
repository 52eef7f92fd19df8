"""Experiments from Python: what is returned and sent, and that nothing is printed or changed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.tuning import SUITE, TESTS, SuiteFolder
from support.unrehearsed import rehearse_nothing

from harness import experiment
from harness.errors import ResultsError, SuiteError, UserError
from harness.execution.events import RunEnded, RunProgressed, RunStarted
from harness.experiment import PlanStarted
from harness.planning.plan import Plan
from harness.tuning.search import ConfirmationEnded, ConfirmationStarted, SearchEnded, StudyOpened
from harness.tuning.tuner import TrialEnded, TrialProgressed, TrialStarted


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SuiteFolder:
    """A suite whose runs take milliseconds with the executor ``local``."""
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    (tmp_path / "toy.yaml").write_text(SUITE)
    place = SuiteFolder(tmp_path)
    rehearse_nothing(monkeypatch)
    monkeypatch.setattr("harness.execution.local.LocalExecutor.open_session", lambda executor, options: place.workers())
    return place


@pytest.fixture
def plan(place: SuiteFolder) -> Plan:
    return experiment.plan(place.folder / "toy.yaml", methods=["rnd"], seeds=1)


def test_run_status_and_report(plan: Plan, place: SuiteFolder, capfd: pytest.CaptureFixture[str]) -> None:
    before = (dict(os.environ), signal.getsignal(signal.SIGTERM), Path.cwd())
    events: list[Any] = []
    result = experiment.run(plan, place.results, workers=2, on_event=events.append)
    assert [outcome.ending for outcome in result.outcomes] == ["finished", "finished"]
    assert not result.failed
    assert [run.state for run in events[0].runs] == ["missing", "missing"]
    assert {type(event) for event in events} == {PlanStarted, RunStarted, RunProgressed, RunEnded}
    assert sum(isinstance(event, RunEnded) for event in events) == 2

    found = experiment.status(place.results, experiment.plan(place.folder / "toy.yaml", methods=["rnd"], seeds=2))
    assert sorted(run.state for run in found.runs) == ["finished", "finished", "missing", "missing"]
    again: list[Any] = []
    assert experiment.run(plan, place.results, on_event=again.append).outcomes == []
    assert again == []
    assert capfd.readouterr() == ("", "")
    assert before == (dict(os.environ), signal.getsignal(signal.SIGTERM), Path.cwd())


def test_tune_confirms_and_writes_what_run_accepts(plan: Plan, place: SuiteFolder, capfd: pytest.CaptureFixture[str]) -> None:
    events: list[Any] = []
    plan = experiment.plan(place.folder / "toy.yaml", methods=["rnd"], overrides=[("tune.confirm", "1")])
    result = experiment.tune(plan, results=place.results, trials=4, workers=2, on_event=events.append)
    assert (result.stop_reason, result.failed, result.confirmed) == ("complete", False, True)
    assert sum(result.summary.counts.values()) == 4
    assert result.verdict
    kinds = [type(event) for event in events]
    order = [StudyOpened, SearchEnded, ConfirmationStarted, ConfirmationEnded]
    assert [kind for kind in kinds if kind in order] == order
    assert {TrialStarted, TrialProgressed, TrialEnded, RunStarted, RunEnded} <= set(kinds)
    assert result.settings_file is not None
    tuned = experiment.plan(place.folder / "toy.yaml", methods=["rnd"], overrides=[(f"@{result.settings_file}", "")])
    origin = tuned.source("methods.rnd.config.learning_rate")
    assert origin.origin.startswith(str(result.settings_file))
    assert origin.value != plan.source("methods.rnd.config.learning_rate").value or len(result.compared) == 1
    assert capfd.readouterr() == ("", "")


def test_mistakes_are_raised_from_our_own_tree_and_nothing_is_written(plan: Plan, place: SuiteFolder) -> None:
    both = experiment.plan(place.folder / "toy.yaml")
    for call, message in (
        (lambda: experiment.run(plan, place.results, executor="lokal"), "did you mean 'local'"),
        (lambda: experiment.run(plan, place.results, device="cuda:99"), "cuda"),
        (lambda: experiment.tune(both, results=place.results), "the plan has several methods, ppo, rnd"),
        (lambda: experiment.tune(both, "rdn", place.results), "no method 'rdn': did you mean 'rnd'"),
        (lambda: experiment.tune(both, "rnd", place.results, study="a/b"), "cannot name a folder"),
        (lambda: experiment.tune(both, "rnd", place.results, executor="lokal"), "did you mean 'local'"),
        (lambda: experiment.tune(both, "rnd", place.results, storage="redis://host"), "unknown storage"),
        (lambda: experiment.status(place.results), "no such results directory"),
    ):
        with pytest.raises(UserError, match=message):
            call()
    with pytest.raises(SuiteError, match="no such file"):
        experiment.plan(place.folder / "none.yaml")
    (place.folder / "file").write_text("")
    with pytest.raises(ResultsError, match="cannot be written"):
        experiment.run(plan, place.folder / "file")
    assert sorted(path.name for path in place.folder.iterdir()) == ["file", "toy.yaml"]


def test_the_module_is_light_until_it_is_used(place: SuiteFolder) -> None:
    code = "import sys\nfrom harness import experiment\nexperiment.plan(sys.argv[1])\n"
    code += (
        "heavy = {'torch', 'numpy', 'optuna', 'polars', 'matplotlib', 'stable_baselines3', 'gymnasium'} & set(sys.modules)\n"
    )
    light = "('harness.tuning', 'harness.cli')"
    code += f"heavy |= {{name for name in sys.modules if name.startswith({light})}}\nassert not heavy, heavy"
    subprocess.run([sys.executable, "-c", code, str(place.folder / "toy.yaml")], check=True, timeout=60)
