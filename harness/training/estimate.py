"""What a run will need, before it is started: a short measurement at a small scale, and arithmetic."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from math import ceil
from typing import Any, cast

import numpy as np
from stable_baselines3.common.buffers import ReplayBuffer

from harness.algorithms.replay_frames import observation_bytes
from harness.config import AlgorithmConfig, EnvironmentConfig
from harness.environments.base import StepReturn
from harness.environments.checked import AnswerCheck
from harness.registry import Registry, installed
from harness.spec import Purpose, RunSpec, derive_seeds
from harness.training.assembly import Assembly, assemble
from harness.training.contracts import make_environments
from harness.training.devices import choose_device
from harness.training.memory import forecast_memory

PROBE_EVALUATION_SECONDS = 2.0
"""Longest time for which evaluation episodes are timed; those that have not ended then need at least as long."""

PROBE_STEPS = 512
"""Steps over all environments in the rollout that is timed: few, of all the environments that the run has."""


@dataclass(frozen=True)
class ResourceEstimate:
    """What one run will need.

    Attributes:
        memory_bytes: Memory of the process that trains it and of those that step its environments, on the host and at its
            largest; of a replay buffer that is full.
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
        evaluation = _time_evaluation(spec, assembly)
        replay = replay_bytes(spec, plugins)
        memory = forecast_memory(_config(spec, plugins), assembly, replay)  # last: what it tries changes the networks
        return ResourceEstimate(memory, replay, speed, *evaluation)
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
    config = _config(spec, plugins)
    smaller = config.probe_settings(config.n_envs, PROBE_STEPS)
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
