"""Every setting: its bounds, its meaning, and the range in which tuning searches it. No torch here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from harness.algorithms.off_policy.config import EpsilonGreedyConfig
from harness.config import Search


class DoubleDqnConfig(EpsilonGreedyConfig):
    """Double DQN (van Hasselt et al. 2016, arXiv 1509.06461): one network chooses the next action, another values it.

    `EpsilonGreedyConfig` brings what every learner of DQN's kind has (``n_envs``, ``buffer_size``, ``train_freq``,
    exploration, target) and declares what the harness asks: it is off-policy, and takes discrete actions alone.
    """

    learning_rate: Annotated[float, Search(low=1e-5, high=1e-2, log=True)] = Field(default=2.5e-4, gt=0)
    """Adam's step size."""

    max_grad_norm: float = Field(default=10.0, gt=0)
    """Largest norm of a gradient; longer ones are scaled down."""
