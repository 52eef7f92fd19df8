"""What a run will need, before it is started: a short measurement at a small scale, and arithmetic."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import psutil

from harness.registry import registry
from harness.spec import RunSpec
from harness.training import trees
from harness.training.assembly import Assembly, assemble, choose_device

PROBE_ENVS = 8
PROBE_STEPS = 512
"""Steps over all environments in the rollout that is timed."""


@dataclass(frozen=True)
class Estimate:
    """What one run will need.

    Attributes:
        memory_bytes: Of the process that trains it, on the host.
        steps_per_second: Of training on this machine, as it was busy just now; evaluation aside.
    """

    memory_bytes: int
    steps_per_second: float


def estimate(spec: RunSpec, device: str = "auto") -> Estimate:
    """Time one small rollout and update of a run, and add up the memory of the real one.

    Takes seconds. Nothing is written.
    """
    parts = assemble(_smaller(spec), choose_device(device), registry())
    try:
        parts.learner.begin(spec.steps)
        parts.learner.iterate()  # the first pays for allocation
        before, start = parts.learner.step, time.perf_counter()
        parts.learner.iterate()
        speed = (parts.learner.step - before) / (time.perf_counter() - start)
        return Estimate(_memory(spec, parts), speed)
    finally:
        parts.close()


def _smaller(spec: RunSpec) -> RunSpec:
    """The same run with few environments and a short rollout; the work per step stays the same."""
    config = dict(spec.algorithm.config)
    n_envs = min(_whole(config["n_envs"]), PROBE_ENVS)
    n_steps = min(_whole(config["n_steps"]), math.ceil(PROBE_STEPS / n_envs))
    config |= {"n_envs": n_envs, "n_steps": n_steps, "batch_size": min(_whole(config["batch_size"]), n_envs * n_steps)}
    algorithm = spec.algorithm.model_copy(update={"config": config})
    evaluation = spec.evaluation.model_copy(update={"episodes": 1})
    return spec.model_copy(update={"algorithm": algorithm, "evaluation": evaluation})


def _memory(spec: RunSpec, parts: Assembly) -> int:
    config = spec.algorithm.config
    n_transitions = _whole(config["n_envs"]) * _whole(config["n_steps"])
    sample = parts.learner.observations[:1]
    rollout = 2 * n_transitions * sample.nbytes  # SB3 keeps the rollout and, while training, a reordered copy
    batch = _whole(config["batch_size"]) * sample.size * 4 * 3  # a minibatch as float32, its activations about twice that
    learned = _bytes(parts.learner.state_dict()) * 4 // 3  # weights and two Adam moments are in the state, gradients are not
    if parts.reward is not None:
        rollout += 2 * n_transitions * parts.reward.view(sample).nbytes  # both ends of each transition
        learned += _bytes(dict(parts.reward.state_dict())) * 4 // 3
    return psutil.Process().memory_info().rss + rollout + batch + learned


def _bytes(tree: trees.Tree) -> int:
    return sum(tensor.nbytes for tensor in trees.split(tree)[1].values())


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value
