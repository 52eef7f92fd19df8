"""Diagonal normal distributions, and the terms of evidence lower bounds."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi
from typing import Literal

from torch import Tensor
from torch.nn import functional as F

LOG_SCALE_BOUND = 10.0
"""Largest absolute value of the logarithm of a deviation: none of the codes bounds it, and all of them overflow beyond."""

_SMALLEST_SCALE = 1e-6
"""The least deviation that softplus may give; 0 would be the logarithm of nothing."""

ScaleKind = Literal["log_deviation", "log_variance", "softplus"]
Likelihood = Literal["squared", "half_squared", "bernoulli"]


@dataclass(frozen=True)
class Gaussian:
    """Independent normal distributions.

    Attributes:
        mean: Means, any shape that begins with B.
        log_scale: Logarithms of the deviations, of the same shape.
    """

    mean: Tensor
    log_scale: Tensor

    @classmethod
    def of(cls, mean: Tensor, raw: Tensor, kind: ScaleKind) -> Gaussian:
        """The distributions that a network gives.

        Args:
            mean: Means of the distributions.
            raw: What the network gives for their deviations.
            kind: Whether that is the logarithm of the deviation, of the variance, or what softplus makes the deviation of.
        """
        if kind == "softplus":
            return cls(mean, F.softplus(raw).clamp(min=_SMALLEST_SCALE).log())
        log_scale = raw / 2 if kind == "log_variance" else raw
        return cls(mean, log_scale.clamp(-LOG_SCALE_BOUND, LOG_SCALE_BOUND))

    @property
    def scale(self) -> Tensor:
        """Standard deviations."""
        return self.log_scale.exp()

    def sample(self, noise: Tensor) -> Tensor:
        """Samples that standard normal numbers decide."""
        return self.mean + self.scale * noise

    def log_density(self, values: Tensor) -> Tensor:
        """Logarithm of the density of each value, of the values' shape."""
        return -(((values - self.mean) / self.scale).square() + log(2 * pi)) / 2 - self.log_scale

    def kl_to_standard(self) -> Tensor:
        """KL divergence of each row from the standard normal distribution, ``(B,)``."""
        terms = self.mean.square() + (2 * self.log_scale).exp() - 1 - 2 * self.log_scale
        return terms.flatten(1).sum(1) / 2

    def kl_to(self, other: Gaussian) -> Tensor:
        """KL divergence of each row from another's, ``(B,)``."""
        ratio = (2 * (self.log_scale - other.log_scale)).exp()
        distance = ((self.mean - other.mean) / other.scale).square()
        return (ratio + distance - 1 - 2 * (self.log_scale - other.log_scale)).flatten(1).sum(1) / 2


def reconstruction_error(reconstruction: Tensor, targets: Tensor, likelihood: Likelihood) -> Tensor:
    """What a reconstruction costs, element by element: minus a log-likelihood up to constants.

    Args:
        reconstruction: What the decoder gives, in [0, 1] for ``bernoulli``.
        targets: What it should give, of the same shape.
        likelihood: ``squared`` error, half of it, or the cross-entropy of a Bernoulli distribution.
    """
    if likelihood == "bernoulli":
        return F.binary_cross_entropy(reconstruction, targets, reduction="none")
    squared = (reconstruction - targets).square()
    return squared if likelihood == "squared" else squared / 2
