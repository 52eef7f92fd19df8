"""The memory that a run will take at its largest: what is known exactly, and how much updates of growing size take."""

from __future__ import annotations

import ctypes
import gc
import threading
from collections.abc import Callable
from math import ceil
from typing import Any

import psutil
import torch
from stable_baselines3.common.buffers import RolloutBuffer

from harness.algorithms.on_policy.intrinsic import IntrinsicRewardVecEnv
from harness.algorithms.rollout_storage import CompactRolloutBuffer
from harness.config import AlgorithmConfig
from harness.training.assembly import Assembly

_UPDATES = 9
"""Updates of a size that are watched: only then do convolutions look for a faster way, with more memory."""

_METHOD_ROWS = 1024
"""Transitions from which a method learns to show what it takes."""

_SECONDS_BETWEEN_LOOKS = 0.001


class PeakWatch:
    """Watches how much memory this process takes while something is done."""

    def __init__(self) -> None:
        self._process, self._done = psutil.Process(), threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._before = self._most = 0

    @property
    def growth(self) -> int:
        """How many bytes more than before the process took at most."""
        return max(0, self._most - self._before)

    def __enter__(self) -> PeakWatch:
        give_back_memory()
        self._before = self._most = self._process.memory_info().rss
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(_SECONDS_BETWEEN_LOOKS):
            self._most = max(self._most, self._process.memory_info().rss)


def give_back_memory() -> None:
    """Return what was freed to the system, where the C library can do so."""
    gc.collect()
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):  # another system, or another library: what stays counts as taken
        return


def resident_bytes() -> int:
    """Memory of this process and of those that step environments."""
    process = psutil.Process()
    return sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))


def forecast_memory(config: AlgorithmConfig, assembly: Assembly, replay_bytes: int) -> int:
    """Bytes that a run will take at its largest.

    Args:
        config: The algorithm's settings, of the run itself.
        assembly: What the same run is made of, with rollouts of few steps but all its environments, after an iteration.
        replay_bytes: What a full replay buffer takes; 0 on-policy.
    """
    give_back_memory()
    settled = resident_bytes()
    if assembly.learner.replay is not None:
        return settled + replay_bytes + _growth(assembly.learner.iterate)
    return settled + _rollout(config, assembly) + max(_policy_update(config, assembly), _method_update(config, assembly))


def _rollout(config: AlgorithmConfig, assembly: Assembly) -> int:
    """What the learner and the method keep of a rollout."""
    n_steps = config.stored_transitions // config.n_envs
    buffer = getattr(_model(assembly), "rollout_buffer", None)
    kept = 0
    if isinstance(buffer, CompactRolloutBuffer):
        kept = buffer.nbytes_of(n_steps)
    elif isinstance(buffer, RolloutBuffer):
        kept = sum(getattr(value, "nbytes", 0) for value in vars(buffer).values()) * n_steps // buffer.buffer_size
    bonus_env = assembly.bonus_env
    return kept + (bonus_env.rollout.nbytes_of(n_steps) if isinstance(bonus_env, IntrinsicRewardVecEnv) else 0)


def _policy_update(config: AlgorithmConfig, assembly: Assembly) -> int:
    """What the largest update of the policy takes for the moment."""
    model = _model(assembly)
    here = assembly.learner.vector_steps_per_iteration * config.n_envs
    rows = min(config.transitions_per_update, config.steps_per_iteration)
    if model is None or not hasattr(model, "batch_size"):
        return _growth(assembly.learner.iterate) * rows // here

    def update(size: int) -> None:
        model.batch_size, model.n_epochs = size, ceil(_UPDATES * size / here)
        model.train()

    if rows <= here:
        return _growth(lambda: update(rows))
    return _extrapolated(update, here, rows)


def _method_update(config: AlgorithmConfig, assembly: Assembly) -> int:
    """What a method takes for the moment to learn from a rollout."""
    bonus_env, reward = assembly.bonus_env, assembly.reward
    if reward is None or not isinstance(bonus_env, IntrinsicRewardVecEnv):
        return 0
    rollout = bonus_env.rollout.transitions()
    most = config.stored_transitions
    rows = torch.arange(min(most, _METHOD_ROWS), device=reward.device) % len(rollout)
    known = rollout[rows]

    def update(size: int) -> None:
        reward.update(known[:size])

    return _growth(lambda: update(most)) if most <= len(rows) else _extrapolated(update, len(rows), most)


def _extrapolated(update: Callable[[int], object], here: int, rows: int) -> int:
    """What an update with so many rows takes, by two with fewer.

    Args:
        update: Function that updates with a number of rows.
        here: The number of rows with which it is tried, and half of which.
        rows: The number of rows in question.
    """
    half = here // 2
    less, more = _growth(lambda: update(half)), _growth(lambda: update(here))
    return more + max(0, more - less) * (rows - here) // max(1, here - half)


def _growth(work: Callable[[], object]) -> int:
    """Bytes by which this process grows at most while something is done."""
    with PeakWatch() as watch:
        work()
    return watch.growth


def _model(assembly: Assembly) -> Any:
    """The algorithm of SB3 that the learner drives; ``None`` for learners that drive none."""
    return getattr(assembly.learner, "model", None)
