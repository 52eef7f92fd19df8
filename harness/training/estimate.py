"""What a run will need, before it is started: a short measurement at a small scale, and arithmetic."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from math import ceil
from typing import Any, cast

import numpy as np
import psutil
from stable_baselines3.common.buffers import ReplayBuffer

from harness.algorithms.replay_frames import observation_bytes
from harness.algorithms.rollout_storage import CompactRolloutBuffer
from harness.config import AlgorithmConfig, EnvironmentConfig
from harness.environments.base import StepReturn
from harness.environments.checked import AnswerCheck
from harness.registry import Registry, installed
from harness.spec import Purpose, RunSpec, derive_seeds
from harness.training import trees
from harness.training.assembly import Assembly, assemble
from harness.training.contracts import make_environments
from harness.training.devices import choose_device

PROBE_EVALUATION_SECONDS = 2.0
"""Longest time for which evaluation episodes are timed; those that have not ended then need at least as long."""

PROBE_ENVS = 8
PROBE_STEPS = 512
"""Steps over all environments in the rollout that is timed."""


@dataclass(frozen=True)
class ResourceEstimate:
    """What one run will need.

    Attributes:
        memory_bytes: Memory of the process that trains it, on the host; of a replay buffer that is full.
        replay_bytes: Disk that a full replay buffer takes beside the checkpoint; 0 on-policy.
        steps_per_second: Speed of training on this machine, as it was busy just now; evaluation aside.
        evaluation_seconds: Duration of one evaluation, with episodes as long as those of the untrained policy.
        unended_after: Steps after which none of the timed evaluation episodes that count had ended, so that
            `evaluation_seconds` is a lower bound; ``None`` where it is none.
    """

    memory_bytes: int
    replay_bytes: int
    steps_per_second: float
    evaluation_seconds: float = 0.0
    unended_after: int | None = None


def estimate(spec: RunSpec, device: str = "auto") -> ResourceEstimate:
    """Time one small rollout and update of a run, and add up the memory of the real one.

    Takes seconds. Nothing is written.
    """
    plugins = installed()
    assembly = assemble(_probe_spec(spec, plugins), choose_device(device), plugins)
    try:
        assembly.learner.begin(spec.steps)
        assembly.learner.iterate()  # the first pays for allocation
        before, start = assembly.learner.step, time.perf_counter()
        assembly.learner.iterate()
        speed = (assembly.learner.step - before) / (time.perf_counter() - start)
        memory = _memory(spec, assembly, plugins)
        return ResourceEstimate(memory, replay_bytes(spec, plugins), speed, *_time_evaluation(spec, assembly))
    finally:
        assembly.close()


def replay_bytes(spec: RunSpec, plugins: Registry | None = None) -> int:
    """What a full replay buffer takes, in memory and as much again on the disk; 0 on-policy. Makes one environment."""
    plugins = plugins or installed()
    config = _config(spec, plugins)
    if config.kind == "on_policy":
        return 0
    family = plugins.environment(spec.environment.family)
    env_config = plugins.config_class(family).model_validate(spec.environment.config)
    assert isinstance(env_config, EnvironmentConfig)
    base = make_environments(plugins, family, env_config, 1, 1)
    try:
        row = ReplayBuffer(1, base.observation_space, base.action_space, "cpu")
        observations = observation_bytes(base.observation_space, base.frame_channels)
    finally:
        base.close()
    arrays = (row.actions, row.rewards, row.dones, row.timeouts)
    return config.stored_transitions * (observations + sum(array.nbytes for array in arrays))


def _config(spec: RunSpec, plugins: Registry) -> AlgorithmConfig:
    return plugins.algorithm_config(spec.algorithm.name).model_validate(spec.algorithm.config)


def _probe_spec(spec: RunSpec, plugins: Registry) -> RunSpec:
    """The same run at a small scale; the work per step stays the same."""
    smaller = _config(spec, plugins).probe_settings(PROBE_ENVS, PROBE_STEPS)
    algorithm = spec.algorithm.model_copy(update={"config": spec.algorithm.config | smaller})
    return spec.model_copy(update={"algorithm": algorithm})


def _time_evaluation(spec: RunSpec, assembly: Assembly) -> tuple[float, int | None]:
    """Seconds of an evaluation, and the steps after which the wait for an episode's end was given up."""
    env, evaluation = assembly.evaluation_env, spec.evaluation
    limit, check = evaluation.max_steps or sys.maxsize, AnswerCheck(env)
    env.reseed(derive_seeds(spec.seed, Purpose.EVALUATION, 0, env.num_envs))
    observations: Any = env.reset()
    state, ended, steps = None, np.zeros(env.num_envs, dtype=bool), 0
    starts, begin = np.ones_like(ended), time.perf_counter()
    while not ended.all() and steps < limit and time.perf_counter() - begin < PROBE_EVALUATION_SECONDS:
        actions, state = assembly.learner.predict(
            observations, deterministic=evaluation.deterministic, state=state, episode_starts=starts
        )
        step = cast(StepReturn, env.step(actions))
        check.step(step)
        observations, _, starts, _ = step
        ended |= starts
        steps += 1
    seconds = (time.perf_counter() - begin) / max(steps, 1)
    longest = steps if ended.all() else evaluation.max_steps or steps
    unended = None if ended.any() or evaluation.max_steps else steps
    return ceil(evaluation.episodes / env.num_envs) * longest * seconds, unended


def _memory(spec: RunSpec, assembly: Assembly, plugins: Registry) -> int:
    config = _config(spec, plugins)
    sample = assembly.learner.observations[:1]
    stored = replay_bytes(spec, plugins)
    if assembly.learner.replay is None:
        stored = _rollout_bytes(config, assembly, sample)
    batch = config.transitions_per_update * sample.size * 4 * 3  # a minibatch as float32, its activations about twice that
    learned = (
        _bytes(assembly.learner.state_dict()) * 4 // 3
    )  # weights and two Adam moments are in the state, gradients are not
    if assembly.reward is not None:
        if assembly.learner.replay is None:
            stored += 2 * config.stored_transitions * assembly.reward.view(sample).nbytes  # both ends of each transition
        learned += _bytes(dict(assembly.reward.state_dict())) * 4 // 3
    return psutil.Process().memory_info().rss + stored + batch + learned


def _rollout_bytes(config: AlgorithmConfig, assembly: Assembly, sample: np.ndarray) -> int:
    """What the observations of a rollout take: stacked images once each frame, others again in the order of minibatches."""
    channels, buffer = assembly.base.frame_channels, getattr(getattr(assembly.learner, "model", None), "rollout_buffer", None)
    if not isinstance(buffer, CompactRolloutBuffer) or not channels or sample.shape[1] == channels:
        return 2 * config.stored_transitions * sample.nbytes
    depth = sample.shape[1] // channels
    steps = config.stored_transitions // config.n_envs
    frames = (steps + depth) * config.n_envs * sample.nbytes // depth
    return frames + config.n_envs * sample.nbytes  # and the newest stacks, which the next ones are compared with


def _bytes(tree: trees.Tree) -> int:
    return sum(tensor.nbytes for tensor in trees.flatten(tree)[1].values())
