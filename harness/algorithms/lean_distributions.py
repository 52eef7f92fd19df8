"""SB3's distribution of discrete actions with the same numbers, and without torch's tests of every argument.

A forward pass of a small policy spends a third of its time on these tests. What they would find is found later: numbers that
are no probabilities when an action is drawn, and weights or losses that are not finite after the update.
"""

from __future__ import annotations

from typing import Any, Self

import torch
from stable_baselines3.common.distributions import CategoricalDistribution
from torch import Tensor
from torch.distributions import Categorical

_ONE = torch.Size()


class LeanCategoricalDistribution(CategoricalDistribution):
    """What a policy asks for actions, their probabilities and entropy."""

    def proba_distribution(self, action_logits: Tensor) -> Self:
        """Take the logits, float32 ``(N, actions)``."""
        self.distribution = _LeanCategorical(action_logits)
        return self


class _LeanCategorical(Categorical):
    """Torch's distribution, whose arithmetic this is, of logits ``(N, actions)``; nothing of them is tested."""

    def __init__(self, logits: Tensor) -> None:
        own = vars(self)
        own["logits"] = self._param = logits - logits.logsumexp(dim=-1, keepdim=True)
        self._num_events = logits.size(-1)
        self._batch_shape, self._event_shape, self._validate_args = logits.shape[:-1], _ONE, False

    def sample(self, sample_shape: Any = _ONE) -> Tensor:
        """Actions, int64 ``(N,)``."""
        if sample_shape != _ONE:
            return super().sample(sample_shape)
        return torch.multinomial(self.probs.reshape(-1, self._num_events), 1, True).T.reshape(self._batch_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithms of the actions' probabilities, float32 ``(N,)``."""
        if value.shape != self._batch_shape:
            torchs: Any = super()
            return torchs.log_prob(value)
        return self.logits.gather(-1, value.long().unsqueeze(-1)).squeeze(-1)
