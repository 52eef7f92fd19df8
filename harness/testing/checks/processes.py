"""The method in a process of its own, where hashes and memory addresses are others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness.errors import HarnessError, PluginError
from harness.registry import Registry, installed
from harness.registry.hooks import Method
from harness.rewards import IntrinsicReward
from harness.testing.checks.state import state_tensors
from harness.testing.outcomes import CheckFailed, NotApplicable, require_same
from harness.testing.scripted_envs import ENVIRONMENT_KINDS
from harness.testing.subject import ConformanceCase, Subject
from harness.training import checkpoints

_SECONDS = 300
"""How long a new process may take, imports included."""


def fresh_process(subject: Subject) -> None:
    """Restored from a checkpoint in a new process, the method continues to the same numbers.

    States come again before and after the checkpoint, in one episode.
    """
    if not subject.cases:
        raise NotApplicable("the method accepts no kind of environment to try it in")
    origin = _origin(subject)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected: dict[str, dict[str, Tensor]] = {}
        for case in subject.cases:
            place = str(ENVIRONMENT_KINDS.index(case.kind))
            reward = case.build(1)
            case.run_rollouts(reward, 1, recurring=True)
            checkpoints.save(folder / place, 1, {"reward": dict(reward.state_dict())})
            expected[place] = _continue(case, reward)
        _run_elsewhere({**origin, "folder": name, "cases": list(expected)})
        for place, numbers in expected.items():
            found = checkpoints.load(folder / f"{place}-continued")
            assert found is not None
            require_same(numbers, found[1], f"in a new process as in this one, with {ENVIRONMENT_KINDS[int(place)]}")


def main() -> None:
    """Continue from the checkpoints that the other process names on the standard input."""
    task: Mapping[str, Any] = json.loads(sys.stdin.read())
    sys.path[:0] = [entry for entry in task["path"] if entry not in sys.path]
    subject = _subject(task)
    for place in task["cases"]:
        case = ConformanceCase(subject, ENVIRONMENT_KINDS[int(place)])
        loaded = checkpoints.load(Path(task["folder"]) / place)
        assert loaded is not None
        reward = case.build(2)
        reward.load_state_dict(loaded[1]["reward"])
        checkpoints.save(Path(task["folder"]) / f"{place}-continued", 1, dict(_continue(case, reward)))


def _continue(case: ConformanceCase, reward: IntrinsicReward) -> dict[str, Tensor]:
    """What comes out of one more rollout, and what is left after it."""
    numbers = case.run_rollouts(reward, 4, recurring=True) | state_tensors(reward)
    return {name: torch.as_tensor(values) for name, values in numbers.items()}


def _origin(subject: Subject) -> dict[str, Any]:
    """Where another process finds the method.

    Raises:
        NotApplicable: It cannot be found by any name, like a class that is defined in a function.
    """
    settings = json.loads(json.dumps(subject.settings, default=list))
    named: dict[str, Any] = {"settings": settings, "path": sys.path, "method": subject.method.name, "classes": []}
    with suppress(HarnessError):  # it is not installed, and may be found by its classes
        if installed().config_class(installed().method(subject.method.name)) is subject.config_class:
            return named
    classes: list[type[Any]] = [subject.reward_class, subject.config_class]
    places = [f"{made.__module__}:{made.__qualname__}" for made in classes]
    with suppress(PluginError):
        if [Registry([]).load(place) for place in places] == classes and "__main__" not in {c.__module__ for c in classes}:
            return {**named, "classes": places, "works_with": sorted(subject.method.works_with)}
    raise NotApplicable("another process cannot import its class, which is defined in a function or a script")


def _subject(task: Mapping[str, Any]) -> Subject:
    if not task["classes"]:
        return replace(Subject.named(task["method"]), settings=task["settings"])
    reward, config = (Registry([]).load(path) for path in task["classes"])
    described = Method(name=task["method"], reward="", config="", works_with=frozenset(task["works_with"]))
    return Subject(described, reward, config, task["settings"])


def _run_elsewhere(task: Mapping[str, Any]) -> None:
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    done = subprocess.run(
        [sys.executable, "-c", f"from {__name__} import main; main()"],
        input=json.dumps(task),
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CheckFailed(f"expected a new process to continue from a checkpoint, got {last}")
