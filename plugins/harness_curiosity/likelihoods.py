"""What a decoder's output says of a state: a Bernoulli distribution of every number, or a normal one."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from harness.errors import UserError


class StateLikelihood(nn.Module):
    """Minus the log-likelihood of states, up to a constant for normal distributions.

    Args:
        bernoulli: Whether numbers are in [0, 1] and each has a Bernoulli distribution; else a normal one of variance 1.
        epsilon: What is added inside logarithms, 1e-9 in ericjang/e2c.
    """

    def __init__(self, *, bernoulli: bool, epsilon: float = 0.0) -> None:
        super().__init__()
        self.bernoulli, self.epsilon = bernoulli, epsilon

    @classmethod
    def choose(cls, wanted: str, *, bounded: bool, epsilon: float = 0.0) -> StateLikelihood:
        """What the setting ``likelihood`` names.

        Args:
            wanted: ``auto``, ``bernoulli`` or ``half_squared``.
            bounded: Whether states are in [0, 1].
            epsilon: What is added inside logarithms.

        Raises:
            UserError: When ``bernoulli`` is asked for and they are not.
        """
        if wanted == "bernoulli" and not bounded:
            raise UserError("likelihood: bernoulli needs numbers in [0, 1]; use half_squared for these observations, or auto")
        return cls(bernoulli=wanted == "bernoulli" or (wanted == "auto" and bounded), epsilon=epsilon)

    def forward(self, outputs: Tensor, states: Tensor) -> Tensor:
        """What each state costs, ``(B,)``.

        Args:
            outputs: What the decoder gives, before the logistic function, ``(B, D)``.
            states: Flattened states, ``(B, D)``.
        """
        if not self.bernoulli:
            return (outputs - states).square().sum(1) / 2
        if not self.epsilon:
            return F.binary_cross_entropy_with_logits(outputs, states, reduction="none").sum(1)
        p = outputs.sigmoid()
        log_one, log_zero = (p + self.epsilon).log(), (1 - p + self.epsilon).log()
        return -(states * log_one + (1 - states) * log_zero).sum(1)

    def floor(self, states: Tensor) -> Tensor:
        """What no decoder can cost less of each state, ``(B,)``: the entropy of its numbers as probabilities, or 0."""
        if not self.bernoulli:
            return states.new_zeros(len(states))
        return F.binary_cross_entropy(states, states, reduction="none").sum(1)
