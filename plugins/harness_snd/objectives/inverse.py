"""SND with inverse dynamics, beyond the paper.

Source: Pathak et al. 2017, arXiv 1705.05363, section 2.2; pathak22/noreward-rl. With h an MLP on the features before and after
a transition:

    discrete actions    L = mean -log softmax(h(z(s_t), z(s_{t+1})))_(a_t)
    continuous actions  L = mean (h(z(s_t), z(s_{t+1})) - a_t)^2

s_{t+1} is the true last state of an episode, never the first of the next, so no transition has to be left out.

Differences from the reference code: only the inverse model, without ICM's forward model; continuous actions are beyond it. The
SND repository's variant (``vinv``) regresses one-hot actions.
"""

from __future__ import annotations

from math import prod

import torch
from gymnasium import spaces as gym_spaces
from torch import Tensor
from torch.nn import functional as F

from harness.errors import UserError
from harness_snd.configs import SNDInverseConfig
from harness_snd.objective import Minibatch, Objective, ObjectiveContext, head
from harness_snd.reward import SND


class InverseDynamics(Objective[SNDInverseConfig]):
    """Which action leads from one state to the next."""

    def __init__(self, config: SNDInverseConfig, context: ObjectiveContext) -> None:
        super().__init__(config, context)
        self.space = context.action_space
        outputs = _outputs(self.space)
        self.guess = head([2 * context.target.features_dim, *config.inverse_hidden, outputs], context)

    def terms(self, batch: Minibatch) -> dict[str, Tensor]:
        guesses = self.guess(torch.cat([batch.features, batch.next_features], 1))
        if isinstance(self.space, gym_spaces.Discrete):
            return {"action": F.cross_entropy(guesses, batch.actions.flatten() - int(self.space.start))}
        return {"action": F.mse_loss(guesses, batch.actions.flatten(1).to(guesses.dtype))}


def _outputs(space: gym_spaces.Space) -> int:
    if isinstance(space, gym_spaces.Discrete):
        return int(space.n)
    if isinstance(space, gym_spaces.Box):
        return prod(space.shape)
    raise UserError(f"snd_inverse needs actions that are Discrete or a Box of numbers, not {type(space).__name__}")


class SNDInverse(SND[SNDInverseConfig]):
    """SND with a target that knows what the agent can do."""

    objective_class = InverseDynamics
