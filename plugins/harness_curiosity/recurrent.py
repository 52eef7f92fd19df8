"""What methods do alike whose bonus is a surprise that depends on the episode so far."""

from __future__ import annotations

from abc import abstractmethod
from typing import TypeVar

import torch
from torch import Tensor

from harness.nn.memo import Memo
from harness.rewards import Transitions
from harness_curiosity.generative_configs import TDVAEConfig, WorldModelConfig
from harness_curiosity.reward import CuriosityReward
from harness_curiosity.sequences import RecurrentState

ConfigT = TypeVar("ConfigT", bound=TDVAEConfig | WorldModelConfig)


class RecurrentReward(CuriosityReward[ConfigT]):
    """The bonus is a surprise under a recurrent state, which follows the episode and is empty at its start.

    Attributes:
        state: Output and cell of the recurrent network for each environment.
    """

    state: RecurrentState
    _memo: Memo | None = None

    @abstractmethod
    def step(self, transitions: Transitions) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The surprise of each transition, ``(B,)``, and output and cell of the recurrent states after it."""

    @torch.no_grad()
    def track(self, transitions: Transitions) -> None:
        """Score the transitions of one step, then let the states take them in; they are empty again where episodes end."""
        surprise, state = self.step(transitions)
        self.state.write(transitions.env_index, state, transitions.done)
        self._memo = Memo.of(surprise, transitions.next_obs)

    @torch.no_grad()
    def bonus(self, transitions: Transitions) -> Tensor:
        """``eta`` times the surprise of each transition, float32 ``(B,)``: of those just tracked as they were met."""
        if self._memo is not None and self._memo.is_valid_for(transitions.next_obs):
            surprise = self._memo.output
        else:
            surprise, _ = self.step(transitions)
        return (self.config.eta * surprise).to(torch.float32)
