"""What a base algorithm must offer so that a run can drive it, resume it and score it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from stable_baselines3.common.vec_env import VecEnv

from harness.algorithms.learner_view import LearnerVecEnv
from harness.algorithms.replay_store import ReplayStore
from harness.algorithms.reward_wrapper import BonusVecEnv
from harness.environments.base import HarnessVecEnv
from harness.registry import Registry
from harness.rewards import IntrinsicReward
from harness.spec import Combination, RunSpec


@dataclass(frozen=True)
class LearnerContext:
    """What a learner is built from.

    Attributes:
        spec: Specification of the run to train.
        registry: Finds networks by name.
        base: The family's environments.
        learner_env: The environments as the learner sees them, without a bonus.
        bonus_env: Those environments with the bonus around them; ``None`` for a run without one.
        device: Where networks live.
    """

    spec: RunSpec
    registry: Registry
    base: HarnessVecEnv
    learner_env: LearnerVecEnv
    bonus_env: BonusVecEnv | None
    device: torch.device


class Learner(Protocol):
    """A base algorithm in a run. The class is called with its validated configuration and the context."""

    vector_steps_per_iteration: int
    """Vector steps between two calls of `iterate`; checkpoints lie between iterations."""

    replay: ReplayStore | None
    """Transitions that outlive an iteration, saved beside the checkpoint; ``None`` on-policy."""

    def __init__(self, config: Any, context: LearnerContext) -> None: ...

    @staticmethod
    def wrap_envs(env: VecEnv, reward: IntrinsicReward, config: Any, combine: Combination) -> BonusVecEnv:
        """The environments with a method, as this learner needs them."""
        ...

    @property
    def step(self) -> int:
        """Steps taken, over all environments."""
        ...

    @property
    def observations(self) -> np.ndarray:
        """What the environments show now, ``(N, *shape)``."""
        ...

    def begin(self, total_steps: int) -> None:
        """Reset the environments and prepare for ``total_steps`` steps."""
        ...

    def iterate(self) -> dict[str, float]:
        """Collect and learn once; returns metrics by their full column name."""
        ...

    def predict(
        self, observations: np.ndarray, *, deterministic: bool, state: Any = None, episode_starts: np.ndarray | None = None
    ) -> tuple[np.ndarray, Any]:
        """Act in environments that nothing else uses, such as those of an evaluation; training takes no notice of it.

        Args:
            observations: A batch of observations, ``(N, *shape)``, in the dtype of the space.
            deterministic: Whether to take the likeliest action instead of a sampled one.
            state: What this method returned beside the previous actions; ``None`` at the beginning. Learners without memory
                take no notice of it.
            episode_starts: Where an episode begins with these observations, bool ``(N,)``; ``None`` for nowhere.

        Returns:
            Actions ``(N, ...)``, and the recurrent state to come back with.
        """
        ...

    def reset(self, parts: Collection[str], seed: int) -> None:
        """Begin a phase with some parts anew, between two iterations; everything else stays to the bit.

        Shared layers belong to the actor. What is initialised anew loses its optimiser's moments in any case.

        Args:
            parts: Some of `harness.spec.RESETTABLE_PARTS`, out of those that the configuration's class names in
                ``resettable_parts``.
            seed: Seed of the new weights; global random streams are left as they are.
        """
        ...

    def start_from(self, state: Mapping[str, Any], step: int) -> None:
        """Take over networks and optimisers from another run's `state_dict`, after `begin`; nothing else of it.

        Args:
            state: What the other run's checkpoint holds.
            step: The step to count on from.
        """
        ...

    def state_dict(self) -> dict[str, Any]:
        """Everything the learner's next iteration depends on, as a tree; environments, method and randomness aside.

        Weights are under the key ``policy``.
        """
        ...

    def load_state_dict(self, state: Mapping[str, Any], observations: np.ndarray) -> None:
        """Continue where `state_dict` was called, after `begin`; ``observations`` are the environments' present ones."""
        ...
