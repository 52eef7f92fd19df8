"""What off-policy algorithms ask of a suite: a way to combine rewards, continuous actions, and steps enough to learn."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from harness.config import Config, EnvironmentConfig
from harness.registry import Registry
from harness.spec import Combination
from harness.suites.model import Suite
from harness.suites.validation import Problem


def adapt_combination(preset: Mapping[str, Any], written: Mapping[str, Any], supports: Collection[str]) -> Mapping[str, Any]:
    """A preset's ``combine`` for an algorithm that may not know its mode.

    Presets are published with a mode. Where the suite names none and the algorithm does not know the preset's, rewards are
    summed; the extrinsic reward keeps its scale, so that runs with and without a bonus differ in nothing else, and the bonus
    keeps its weight relative to it. What goes with two critics only is left out.

    Args:
        preset: The preset's values.
        written: The suite's own, which go over them.
        supports: Modes that the algorithm knows.
    """
    mode = preset.get("mode", Combination().mode)
    if "mode" in written or mode in supports or "sum" not in supports:
        return preset
    summed = Combination.model_validate({**preset, "mode": "sum"})
    extrinsic, intrinsic = summed.extrinsic_weight, summed.intrinsic_weight
    weights = (1.0, intrinsic / extrinsic) if extrinsic else (extrinsic, intrinsic)
    return {"mode": "sum", "extrinsic_weight": weights[0], "intrinsic_weight": weights[1]}


def action_problems(
    method: str, algorithm: str, config: Config, environments: Mapping[str, tuple[str, Config]], registry: Registry
) -> Iterator[Problem]:
    """Tasks whose actions, known before an environment is made, are not what the algorithm learns."""
    wanted = getattr(type(config), "actions", None)
    if wanted is None:
        return
    wrong = {task: family for task, (family, settings) in environments.items() if _action_kind(settings) not in (None, wanted)}
    if wrong:
        tasks = ", ".join(f"{task!r} (family {family!r})" for task, family in wrong.items())
        others = [name for name in registry.algorithms if _accepts_any_action(name, registry)]
        remedy = f"use {' or '.join(others)} there" if others else "leave them out"
        message = f"algorithm {algorithm!r} needs {wanted} actions, which these tasks do not have: {tasks}; {remedy}"
        yield Problem(message, (("methods", method, "algorithm", "name"), ("algorithm", "name")))


def run_length_problems(suite: Suite, method: str, config: Config) -> Iterator[Problem]:
    """Runs that end before an off-policy algorithm's first gradient step, or before the first row of its log."""
    learning_starts, log_every = getattr(config, "learning_starts", None), getattr(config, "log_every", None)
    if learning_starts is None or log_every is None:
        return
    shortest = min(suite.tasks.values(), key=lambda task: task.steps or suite.steps).steps or suite.steps
    least_steps = {"learning_starts": learning_starts + 1, "log_every": getattr(config, "steps_per_iteration", log_every)}
    for key, least in least_steps.items():
        if shortest < least:
            message = f"{getattr(config, key)} leaves nothing of runs of {shortest} steps: take more steps or a smaller {key}"
            paths = (("methods", method, "algorithm", key), ("algorithm", key), ("methods", method, "algorithm"), ("steps",))
            yield Problem(message, paths)


def _action_kind(config: Config) -> str | None:
    return config.actions if isinstance(config, EnvironmentConfig) else None


def _accepts_any_action(algorithm: str, registry: Registry) -> bool:
    return getattr(registry.config_class(registry.algorithm(algorithm)), "actions", None) is None
