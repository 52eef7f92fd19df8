"""What a run will need, before it is started: a short measurement at a small scale, and arithmetic."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import psutil
from stable_baselines3.common.buffers import ReplayBuffer

from harness.registry import Registry, registry
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
        memory_bytes: Of the process that trains it, on the host; of a replay buffer that is full.
        replay_bytes: Disk that a full replay buffer takes beside the checkpoint; 0 on-policy.
        steps_per_second: Of training on this machine, as it was busy just now; evaluation aside.
    """

    memory_bytes: int
    replay_bytes: int
    steps_per_second: float


def estimate(spec: RunSpec, device: str = "auto") -> Estimate:
    """Time one small rollout and update of a run, and add up the memory of the real one.

    Takes seconds. Nothing is written.
    """
    known = registry()
    parts = assemble(_smaller(spec, known), choose_device(device), known)
    try:
        parts.learner.begin(spec.steps)
        parts.learner.iterate()  # the first pays for allocation
        before, start = parts.learner.step, time.perf_counter()
        parts.learner.iterate()
        speed = (parts.learner.step - before) / (time.perf_counter() - start)
        return Estimate(_memory(spec, parts, known), replay_bytes(spec, known), speed)
    finally:
        parts.close()


def replay_bytes(spec: RunSpec, known: Registry | None = None) -> int:
    """What a full replay buffer takes, in memory and as much again on the disk; 0 on-policy. Makes one environment."""
    known = known or registry()
    config = _config(spec, known)
    if not hasattr(config, "buffer_size"):
        return 0
    family = known.environment(spec.environment.family)
    env_config = known.config_class(family).model_validate(spec.environment.config)
    base = known.load(family.make)(env_config, 1)
    try:
        row = ReplayBuffer(1, base.observation_space, base.action_space, "cpu")
    finally:
        base.close()
    arrays = (row.observations, row.next_observations, row.actions, row.rewards, row.dones, row.timeouts)
    return config.stored_transitions * sum(array.nbytes for array in arrays)


def _config(spec: RunSpec, known: Registry) -> Any:
    return known.config_class(known.algorithm(spec.algorithm.name)).model_validate(spec.algorithm.config)


def _smaller(spec: RunSpec, known: Registry) -> RunSpec:
    """The same run at a small scale; the work per step stays the same."""
    smaller = _config(spec, known).for_probe(PROBE_ENVS, PROBE_STEPS)
    algorithm = spec.algorithm.model_copy(update={"config": spec.algorithm.config | smaller})
    evaluation = spec.evaluation.model_copy(update={"episodes": 1})
    return spec.model_copy(update={"algorithm": algorithm, "evaluation": evaluation})


def _memory(spec: RunSpec, parts: Assembly, known: Registry) -> int:
    config = _config(spec, known)
    sample = parts.learner.observations[:1]
    stored = replay_bytes(spec, known)
    if parts.learner.replay is None:
        stored = 2 * config.stored_transitions * sample.nbytes  # the rollout and, while training, a reordered copy
    batch = config.batch_size * sample.size * 4 * 3  # a minibatch as float32, its activations about twice that
    learned = _bytes(parts.learner.state_dict()) * 4 // 3  # weights and two Adam moments are in the state, gradients are not
    if parts.reward is not None:
        if parts.learner.replay is None:
            stored += 2 * config.stored_transitions * parts.reward.view(sample).nbytes  # both ends of each transition
        learned += _bytes(dict(parts.reward.state_dict())) * 4 // 3
    return psutil.Process().memory_info().rss + stored + batch + learned


def _bytes(tree: trees.Tree) -> int:
    return sum(tensor.nbytes for tensor in trees.split(tree)[1].values())
