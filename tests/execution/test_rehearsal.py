"""Each task is built once with each method before anything starts, and the workers that did so train afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.specs import make_spec

from harness.errors import UserError
from harness.execution import rehearsal
from harness.execution.executor import ExecutionOptions
from harness.execution.local import LocalExecutor
from harness.execution.rehearsal import distinct_builds, require_buildable
from harness.runs.folder import RunFolder
from harness.spec import RunSpec
from harness.training import rehearsal as building

SMALL = {"feature_dim": 8, "hidden": [8], "warm_up_steps": 2}


def specs() -> list[RunSpec]:
    seeds = [make_spec(seed=seed, steps=160, evaluate_every=160) for seed in range(3)]
    return [*seeds, make_spec(reward="rnd", config=SMALL, steps=160, evaluate_every=160)]


def misfit(**changes: str) -> RunSpec:
    spec = make_spec(algorithm={"network": "burda2018"})
    return spec.model_copy(update={"method": "misfit", **changes})


def test_seeds_and_lengths_are_built_once() -> None:
    found = list(distinct_builds([*specs(), make_spec(steps=10_000, seed=7)]).values())
    assert [(spec.method, spec.seed) for spec in found] == [("none", 0), ("rnd", 0)]


def test_the_workers_that_have_built_train_afterwards(tmp_path: Path) -> None:
    executor = LocalExecutor()
    options = executor.preflight(specs(), ExecutionOptions(tmp_path / "results", 1))
    assert not (tmp_path / "results").exists()
    session = executor.open_session(options)
    try:
        (worker,) = session._idle
    finally:
        session.close()
    assert worker.spec is None
    outcomes = executor.execute(specs(), options, lambda event: None)
    assert [outcome.ending for outcome in outcomes] == ["finished"] * 4
    assert RunFolder.of(specs()[-1], tmp_path / "results").read().status.attempts == 1


def test_what_was_built_is_not_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executor, asked = LocalExecutor(), list[int]()
    monkeypatch.setattr(
        "harness.execution.local.require_buildable", lambda found, workers: asked.append(len(found)) or _NoPool()
    )
    for chosen in (specs()[:2], specs(), specs()):
        executor.preflight(chosen, ExecutionOptions(tmp_path, 1))
    assert asked == [1, 1]


class _NoPool:
    def close(self) -> None: ...


def test_fault_l_causes_are_grouped_and_crashes_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "crashing.py").write_text("import os\ndef rehearse(spec, results, **others): os.abort()\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(UserError) as refused:
        require_buildable([misfit(), misfit(task="other"), *specs()], 1)
    (line,) = str(refused.value).splitlines()
    assert line.startswith("method 'misfit' cannot be built on task 'task': ")  # the other task is the same environment
    monkeypatch.setattr(rehearsal, "REHEARSE", "crashing:rehearse")
    with pytest.raises(UserError, match="method 'none' cannot be built on task 'task': its process was killed by SIGABRT"):
        require_buildable(specs()[:1], 1)


def test_a_build_that_never_ends_is_left_to_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sleeping.py").write_text("import time\ndef rehearse(spec, results, **others): time.sleep(1000)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(rehearsal, "REHEARSE", "sleeping:rehearse")
    monkeypatch.setattr(rehearsal, "LOADING_SECONDS", 0.5)
    require_buildable(specs(), 2).close()


@pytest.mark.parametrize("work", ["time.sleep(2); report(0)", "report(0); time.sleep(2)"], ids=["loads", "builds"])
def test_workers_of_a_busy_machine_are_not_replaced(work: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killing what only takes its time costs its libraries, which are then loaded once more."""
    progress = "lambda step: others['report'](RunProgress(step, 1, 0.0))"
    (tmp_path / "slow.py").write_text(
        "import time\nfrom harness.runs.progress import RunProgress\n"
        f"def rehearse(spec, results, **others):\n    report = {progress}\n    {work}\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(rehearsal, "REHEARSE", "slow:rehearse")
    monkeypatch.setattr(rehearsal, "MOST_SECONDS", 1.5)
    pool = require_buildable(specs()[:1], 1)
    idle = len(pool._idle)
    pool.close()
    assert idle == 1


def test_the_same_spaces_are_built_once_for_all_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "_built", set())
    monkeypatch.setattr(building, "_signatures", {})
    builds, build = list[str](), building._build
    monkeypatch.setattr(building, "_build", lambda spec: builds.append(spec.task) or build(spec))
    for task, mapping_seed in (("one", 1), ("two", 2)):
        spec = make_spec(environment={"size": 6, "mapping_seed": mapping_seed}, reward="rnd", config=SMALL)
        building.rehearse(spec.model_copy(update={"task": task}), tmp_path)
    building.rehearse(make_spec(environment={"size": 7}, reward="rnd", config=SMALL), tmp_path)
    assert builds == ["one", "task"]


def test_other_choices_that_fit_are_named() -> None:
    with pytest.raises(UserError, match=r"what can be built: .*'methods\.misfit\.algorithm\.network: sb3'"):
        building.rehearse(misfit(), Path())
