"""Pre-training shared by tasks, from the command line: order, exactness, interruption, failure, and what is told of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import psutil
import pytest
import torch

from harness.algorithms.ppo.learner import PPOLearner
from harness.cli import main
from harness.errors import RunError
from harness.execution.attempt import attempt
from harness.planning.load import load
from harness.planning.snapshots import resolve_snapshots
from harness.runs.files import read_csv_rows
from harness.runs.folder import RunFolder
from harness.runs.status import summarise_plan
from harness.spec import RunSpec
from harness.training import checkpoints
from harness.training.estimate import ResourceEstimate
from harness.training.run import _Run, train

pytestmark = pytest.mark.usefixtures("workplace")

RESULTS = Path("results")

Harness = Callable[..., tuple[int, list[str], str]]


def plan(**options: object) -> list[RunSpec]:
    return list(resolve_snapshots(load("ocean.yaml", **options)).runs)  # type: ignore[arg-type]


@pytest.fixture
def harness(capsys: pytest.CaptureFixture[str]) -> Harness:
    """Run a command in this process."""

    def call(*arguments: str) -> tuple[int, list[str], str]:
        code = main(list(arguments))
        captured = capsys.readouterr()
        return code, captured.out.splitlines(), captured.err

    return call


def numbers(folder: RunFolder) -> tuple[object, ...]:
    """What must not depend on how a run came about."""
    rows = [read_csv_rows(file)[1] for file in (folder.progress_file, folder.evaluations_file)]
    for row in rows[0]:
        del row["time/time_elapsed"], row["time/fps"]
    found = checkpoints.load(folder.checkpoint)
    assert found
    (checkpoint,) = folder.checkpoint.glob("step-*")
    return *rows, found[0], (checkpoint / "tensors.safetensors").read_bytes()


@pytest.fixture
def pair() -> tuple[RunSpec, RunSpec]:
    """A pre-training run and one that begins from it."""
    parent, child = plan(tasks=["walk"], methods=["rnd"], seeds=[0])
    return parent, child


# --- one run after the other ---------------------------------------------------------------------------------------
def test_it_begins_from_exactly_what_was_learned(pair: tuple[RunSpec, RunSpec]) -> None:
    parent, child = pair
    train(parent, RESULTS)
    step, state = checkpoints.load(RunFolder.of(parent, RESULTS).checkpoint) or (0, {})
    assert step == 256
    run = _Run(child.model_copy(update={"phases": _without_resets(child)}), RESULTS, "cpu", None, lambda: False, {})
    run.folder.path.mkdir(parents=True)
    run._assemble()
    run._begin()
    learner = run.assembly.learner
    assert isinstance(learner, PPOLearner)
    assert learner.step == 256
    assert run.assembly.reward
    for name, tensor in learner.model.policy.state_dict().items():
        assert torch.equal(tensor, state["learner"]["policy"][name]), name
    learned = dict(run.assembly.reward.state_dict())
    for name, tensor in state["reward"].items():
        if isinstance(tensor, torch.Tensor):
            assert torch.equal(learned[name], tensor), name
    moments = learner.model.policy.optimizer.state_dict()["state"]
    assert moments.keys() == state["learner"]["optimizer"]["state"].keys()
    for index, entry in state["learner"]["optimizer"]["state"].items():
        assert torch.equal(moments[index]["exp_avg"], entry["exp_avg"])
    assert run.phases.name == "exploit"
    assert run.assembly.base.config.goal == "walk"  # type: ignore[attr-defined]
    run.assembly.close()
    run.log.close("interrupted")
    run.files.close()


def _without_resets(spec: RunSpec) -> tuple[object, ...]:
    return tuple(phase.model_copy(update={"reset": ()}) for phase in spec.phases)


def test_it_goes_on_counting_where_pre_training_ended(pair: tuple[RunSpec, RunSpec]) -> None:
    parent, child = pair
    train(parent, RESULTS)
    status = train(child, RESULTS)
    assert (status.step, status.steps) == (512, 512)
    folder = RunFolder.of(child, RESULTS)
    steps = [int(row["time/total_timesteps"]) for row in read_csv_rows(folder.progress_file)[1]]
    assert steps == list(range(288, 513, 32))
    assert {row["phase"] for row in read_csv_rows(folder.progress_file)[1]} == {"exploit"}
    assert sorted({int(row["step"]) for row in read_csv_rows(folder.evaluations_file)[1]}) == [384, 512]


def test_a_run_whose_start_is_not_there_says_so(pair: tuple[RunSpec, RunSpec]) -> None:
    parent, child = pair
    with pytest.raises(RunError, match=r"the run that this one begins from cannot be read: .*missing"):
        train(child, RESULTS)
    train(parent, RESULTS)
    folder = RunFolder.of(parent, RESULTS)
    folder.set_state("failed")
    with pytest.raises(RunError, match="is failed, not finished; run it first"):
        train(child, RESULTS)
    folder.set_state("finished")
    assert child.start
    other = child.model_copy(update={"start": child.start.model_copy(update={"digest": "00000000"})})
    with pytest.raises(RunError, match=f"begins from 00000000, and {parent.digest} is there by now"):
        train(other, RESULTS)
    folder.write(folder.read().model_copy(update={"digest": "00000000"}))
    with pytest.raises(RunError, match="its digests are 00000000 and"):
        train(child, RESULTS)
    assert attempt(child, RESULTS).ending == "failed"


def test_a_snapshot_counts_from_nothing_and_draws_its_own_seeds() -> None:
    parent = next(spec for spec in plan(tasks=["walk"], methods=["rnd"], seeds=[0]) if spec.pretraining)
    train(parent, RESULTS)
    text = Path("ocean.yaml").read_text()
    head, _, rest = text.partition("    phases:\n")
    text = (
        head
        + f"    snapshot: results/{parent.path}\n    phases: {{tune: {{reset: [critics]}}}}\nseeds"
        + rest.partition("seeds")[2]
    )
    Path("ocean.yaml").write_text(text)
    found = plan(tasks=["walk"], methods=["rnd"], seeds=[0, 1])
    assert not any(spec.pretraining for spec in found)
    first, second = found
    for spec in found:
        assert train(spec, RESULTS).step == 512
        steps = [int(row["time/total_timesteps"]) for row in read_csv_rows(RunFolder.of(spec, RESULTS).progress_file)[1]]
        assert steps == list(range(32, 513, 32))
    assert numbers(RunFolder.of(first, RESULTS)) != numbers(RunFolder.of(second, RESULTS))


# --- all of them ---------------------------------------------------------------------------------------------------
def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "harness", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, start_new_session=True, env=os.environ
    )


def kill_when(process: subprocess.Popen[str], condition: object) -> None:
    """Kill everything that a command has started once a condition holds, or it is over."""
    assert callable(condition)
    limit = time.monotonic() + 120
    while process.poll() is None and not condition():
        assert time.monotonic() < limit
        time.sleep(0.01)
    if process.poll() is None:
        everyone = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        os.killpg(process.pid, signal.SIGKILL)
        psutil.wait_procs(everyone, timeout=10)
    process.wait()


def rows_of(specs: Sequence[RunSpec]) -> int:
    return sum(len(read_csv_rows(RunFolder.of(spec, RESULTS).progress_file)[1]) for spec in specs)


@pytest.mark.slow
def test_killed_anywhere_and_resumed_with_two_workers_equals_one_after_another(harness: Harness) -> None:
    specs = plan(seeds=[0], methods=["rnd"])
    parents = [spec for spec in specs if spec.pretraining]
    assert len(parents) == 2
    command = ("run", "ocean.yaml", "--seeds", "1", "--method", "rnd", "--workers", "2")
    kill_when(start(*command), lambda: rows_of(parents) >= 3)
    states = {run.spec.label: run.state for run in summarise_plan(specs, RESULTS)}
    assert states["walk/rnd/seed-0"] == "missing"
    kill_when(start(*command), lambda: rows_of([spec for spec in specs if not spec.pretraining]) >= 3)
    assert {run.state for run in summarise_plan(specs, RESULTS)} & {"interrupted", "missing"}
    code, lines, errors = harness(*command)
    assert (code, errors) == (0, ""), lines
    once = sum(spec.pretraining for spec in specs)
    rest = len(specs) - once
    assert f"{rest} runs: {rest} finished; pre-training: {once} runs: {once} finished" in lines
    for spec in specs:
        train(spec, Path("whole"))
        assert numbers(RunFolder.of(spec, RESULTS)) == numbers(RunFolder.of(spec, Path("whole"))), spec.label


@pytest.mark.usefixtures("no_figures")
def test_status_forecast_and_report_tell_pre_training_apart(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.execution.measuring.measure", lambda spec, device: ResourceEstimate(1 << 20, 0, 10.0))
    specs = plan(seeds=[0], tasks=["stand", "walk"])
    for spec in specs[:1]:
        train(spec, RESULTS)
    code, lines, _ = harness("status", "results", "--suite", "ocean.yaml", "--json")
    assert code == 0
    states = {f"{run['task']}/{run['method']}/{run['seed']}": run for run in json.loads("\n".join(lines))["runs"]}
    assert states["explore-reef/rnd/0"]["state"] == "finished"
    assert states["walk/rnd/0"]["state"] == states["explore-cave/rnd/0"]["state"] == "missing"

    code, lines, errors = harness("report", "results")
    assert code == 2
    assert "only pre-training runs in results: scores come with the runs that begin from them" in errors

    code, lines, _ = harness("run", "ocean.yaml", "--seeds", "1", "--task", "walk", "--task", "stand", "--dry-run", "--json")
    cells = {(cell["task"], cell["method"]): cell for cell in json.loads("\n".join(lines))["cells"]}
    assert cells["explore-reef", "rnd"]["finished"] == 1
    walk, plain = cells["walk", "rnd"], cells["walk", "ppo"]
    assert walk["seconds"] - walk["evaluation_seconds"] / 2 - 5 == pytest.approx(256 / walk["steps_per_second"])
    assert plain["seconds"] - plain["evaluation_seconds"] - 5 == pytest.approx(512 / plain["steps_per_second"])

    for spec in specs[1:]:
        train(spec, RESULTS)
    code, lines, _ = harness("report", "results", "--format", "html,md,csv")
    assert code == 0
    out = RESULTS / "report"
    assert set(pl.read_csv(out / "scores.csv")["task"]) == {"stand", "walk"}
    runs = pl.read_csv(out / "runs.csv")
    assert runs.filter("pretraining")["task"].to_list() == ["explore-reef"]
    assert "missing" not in runs["state"].to_list()
    page = (out / "report.md").read_text()
    assert "explore-reef" in page
    assert "Pre-training runs, from which others begin." in page
    assert "explore: 256 steps (extrinsic × 0, bonus × 1), once for several tasks" in page
    assert "exploit: 256 steps (extrinsic × 2, bonus × 0.5), begins with new critics and optimizers" in page
    assert "An upright dotted line marks where the next phase" in page


def test_what_begins_from_a_failed_run_fails_with_a_clear_line(harness: Harness) -> None:
    (parent, *_) = plan(tasks=["walk"], methods=["rnd"], seeds=[0])
    folder = RunFolder.of(parent, RESULTS)
    folder.checkpoint.mkdir(parents=True)
    (folder.checkpoint / "step-000000000064").mkdir()  # a checkpoint without content
    command = ("run", "ocean.yaml", "--task", "walk", "--method", "rnd", "--seeds", "1", "--workers", "1", "--no-report")
    code, lines, _ = harness(*command)
    assert code == 1
    assert "1 run: 1 failed; pre-training: 1 run: 1 failed" in lines
    failures = [line for line in lines if line.startswith("failed: ")]
    assert failures[0].startswith("failed: explore-reef/rnd/seed-0: ")
    assert "the checkpoint is damaged" in failures[0]
    assert failures[1].startswith("failed: walk/rnd/seed-0: explore-reef/rnd/seed-0, from which it begins, failed: ")
    code, lines, _ = harness(*command, "--fresh")
    assert code == 0, lines
    assert "1 run: 1 finished; pre-training: 1 run: 1 finished" in lines
