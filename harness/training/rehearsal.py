"""Building what a run would train, without training: what does not fit together is said before anything is started."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import torch
from pydantic import BaseModel, JsonValue, ValidationError

from harness.config import EnvironmentConfig
from harness.errors import HarnessError, UserError
from harness.planning.compatibility import CHOICES
from harness.registry import Registry, installed
from harness.runs.progress import ReportProgress, RunProgress
from harness.spec import RunSpec
from harness.training.assembly import assemble
from harness.training.contracts import make_environments

_ENVS, _STEPS = 2, 64
"""Environments and steps of a rollout of what is built: as little as there may be."""

_MOST_CHOICES, _MOST_SECONDS = 3, 10.0
"""How many other choices are named that fit, and how long they are looked for."""

_OF_NETWORKS = ("architecture", "conv", "encoder", "network")
"""Words in the names of settings that are tried first: what does not fit is a network nearly always."""

_signatures: dict[str, str] = {}
"""By family and settings, the spaces of environments that this process has built."""

_built: set[tuple[str, str]] = set()
"""Spaces and settings of learner and method that this process has built together."""


def rehearse(spec: RunSpec, results: Path, *, report: ReportProgress | None = None, **others: Any) -> None:
    """Build the environments of a run, its method and its learner, and throw them away.

    It takes the place of `harness.training.run.train` in a worker. What this process has built already, for another task with
    the same spaces, is not built again.

    Args:
        spec: Specification of the run.
        results: Not used: nothing is written.
        report: Called at once, which says that the libraries are loaded.
        others: Not used: everything is built on the CPU.

    Raises:
        UserError: The run cannot be built; says why, and which other choices of one setting can be.
    """
    if report is not None:
        report(RunProgress(0, spec.steps, 0.0, activity="building"))
    small = _small(spec)
    signature = _spaces(small)
    learner = small.model_dump_json(include={"algorithm", "reward"})
    if (signature, learner) in _built:
        return
    try:
        _build(small)
    except HarnessError as error:
        raise UserError(f"{error}{_fitting_choices(small)}") from error
    _built.add((signature, learner))
    _keep_what_is_loaded()


@cache
def _keep_what_is_loaded() -> None:
    """Take the libraries, loaded once, out of the collections of garbage that follow every job: they cost 0.2 s each."""
    gc.collect()
    gc.freeze()


def _small(spec: RunSpec) -> RunSpec:
    """The same run with as few environments and as small a memory as there may be."""
    config = installed().algorithm_config(spec.algorithm.name).model_validate(spec.algorithm.config)
    settings = spec.algorithm.config | config.probe_settings(_ENVS, _STEPS)
    algorithm = spec.algorithm.model_copy(update={"config": settings})
    evaluation = spec.evaluation.model_copy(update={"episodes": 1})
    return spec.model_copy(update={"algorithm": algorithm, "evaluation": evaluation})


def _spaces(spec: RunSpec) -> str:
    """What the environments of a run look like; makes one of them, unless that is known already."""
    key = spec.environment.model_dump_json()
    if key not in _signatures:
        plugins = installed()
        family = plugins.environment(spec.environment.family)
        config = plugins.config_class(family).model_validate(spec.environment.config)
        assert isinstance(config, EnvironmentConfig)
        base = make_environments(plugins, family, config, 1, 1)
        _signatures[key] = f"{base.observation_space} {base.action_space} {base.frame_channels} {spec.environment.family}"
        base.close()
    return _signatures[key]


def _build(spec: RunSpec) -> None:
    assemble(spec, torch.device("cpu"), installed()).close()


def _fitting_choices(spec: RunSpec) -> str:
    """The end of a sentence that names other choices of one setting with which the run can be built; empty without any."""
    deadline, found = time.monotonic() + _MOST_SECONDS, dict[str, list[str]]()
    for setting, value, changed in _alternatives(spec, installed()):
        if sum(map(len, found.values())) == _MOST_CHOICES or time.monotonic() > deadline:
            break
        try:
            _build(changed)
        except Exception:  # noqa: BLE001  this choice does not fit either, whatever a plugin raises
            continue
        found.setdefault(setting, []).append(str(value))
    choices = [f"'{setting}: {value}'" for setting, values in found.items() for value in values]
    return CHOICES + " or ".join(choices) if choices else ""


def _alternatives(spec: RunSpec, plugins: Registry) -> Iterator[tuple[str, JsonValue, RunSpec]]:
    """Runs that differ in one choice of the method, or in the learner's network: the key in a suite, the choice, the run."""
    place = f"methods.{spec.method}"
    if spec.reward is not None:
        model = plugins.config_class(plugins.method(spec.reward.name))
        for name, choice in _choices(model, spec.reward.config):
            if (config := _valid(model, spec.reward.config | {name: choice})) is not None:
                reward = spec.reward.model_copy(update={"config": config})
                yield f"{place}.config.{name}", choice, spec.model_copy(update={"reward": reward})
    network = spec.algorithm.config.get("network")
    for other in sorted(plugins.networks) if isinstance(network, str) else ():
        model = plugins.algorithm_config(spec.algorithm.name)
        if other != network and (config := _valid(model, spec.algorithm.config | {"network": other})) is not None:
            algorithm = spec.algorithm.model_copy(update={"config": config})
            yield f"{place}.algorithm.network", other, spec.model_copy(update={"algorithm": algorithm})


def _choices(model: type[BaseModel], config: dict[str, JsonValue]) -> Iterator[tuple[str, JsonValue]]:
    """Settings that are one of several words, each with the words that were not chosen."""
    by_relevance = sorted(model.model_fields.items(), key=lambda item: not any(word in item[0] for word in _OF_NETWORKS))
    for name, field in by_relevance:
        key = field.alias or name
        if get_origin(field.annotation) is Literal and key in config:
            yield from ((key, choice) for choice in get_args(field.annotation) if choice != config[key])


def _valid(model: type[BaseModel], config: dict[str, JsonValue]) -> dict[str, JsonValue] | None:
    try:
        return model.model_validate(config).model_dump(mode="json")
    except ValidationError:
        return None
