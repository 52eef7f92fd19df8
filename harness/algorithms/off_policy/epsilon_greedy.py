"""What learners of action values share, which act at random with a probability that falls in the course of a run."""

# SB3 keeps what a resumed run needs in protected attributes, and offers no other way to it:
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from harness.algorithms.base import LearnerContext
from harness.algorithms.off_policy.config import EpsilonGreedyConfig
from harness.algorithms.off_policy.learner import OFF_POLICY_ARGUMENTS, OffPolicyLearner
from harness.errors import UserError

_SEEDS = 2**31 - 1

EpsilonGreedyModelT = TypeVar("EpsilonGreedyModelT", bound=OffPolicyAlgorithm)
EpsilonGreedyConfigT = TypeVar("EpsilonGreedyConfigT", bound=EpsilonGreedyConfig)


class EpsilonGreedyLearner(OffPolicyLearner[EpsilonGreedyModelT, EpsilonGreedyConfigT]):
    """Drives an algorithm like SB3's DQN; see `harness.algorithms.off_policy.learner.OffPolicyLearner`.

    Where the schedule of exploration stands, and how many calls it is to the next update of the target, is in the checkpoint.

    Raises:
        UserError: Actions are not one number each.
    """

    arguments = (
        *OFF_POLICY_ARGUMENTS,
        "target_update_interval",
        "exploration_fraction",
        "exploration_initial_eps",
        "exploration_final_eps",
    )

    def __init__(self, config: EpsilonGreedyConfigT, context: LearnerContext) -> None:
        space = context.base.action_space
        if set(config.actions) == {"discrete"} and not isinstance(space, spaces.Box | spaces.Discrete):
            raise UserError(f"{context.spec.algorithm.name} needs one of n actions at a time, not {space}")
        super().__init__(config, context)

    def predict(
        self, observations: np.ndarray, *, deterministic: bool, state: Any = None, episode_starts: np.ndarray | None = None
    ) -> tuple[np.ndarray, Any]:
        """Actions ``(N,)`` for evaluation; random ones are not drawn from the stream that training draws from."""
        space = cast(spaces.Space[Any], self.model.action_space)
        training = space.np_random
        space._np_random = np.random.Generator(np.random.PCG64(np.random.randint(_SEEDS)))
        try:
            return super().predict(observations, deterministic=deterministic, state=state, episode_starts=episode_starts)
        finally:
            space._np_random = training

    def state_dict(self) -> dict[str, Any]:
        """Also where exploration and the updates of the target stand."""
        model: Any = self.model
        return super().state_dict() | {"exploration_rate": float(model.exploration_rate), "calls": model._n_calls}

    def load_state_dict(self, state: Mapping[str, Any], observations: np.ndarray) -> None:
        """Continue where `state_dict` was called, after `begin`."""
        super().load_state_dict(state, observations)
        model: Any = self.model
        model.exploration_rate, model._n_calls = state["exploration_rate"], state["calls"]
