"""PPO's objective of discrete actions with one value, and its gradient, as autograd computes it and without it."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from stable_baselines3.common.type_aliases import RolloutBufferSamples
from torch import Tensor
from torch.nn import functional as F

_aten: Any = torch.ops.aten
_MEAN = 1
"""Number of the reduction to a mean, as torch's operations have it."""


class Coefficients(NamedTuple):
    """What belongs to an update.

    Attributes:
        clip_range: How far from 1 ratios of probabilities count.
        clip_range_vf: How far from the old ones values may be; ``None`` for no bound.
        entropy: Weight of the negative mean entropy.
        value: Weight of the values' mean squared error.
    """

    clip_range: float
    clip_range_vf: float | None
    entropy: float
    value: float


class Objective(NamedTuple):
    """What SB3 logs of a minibatch, float32 ``()`` each, and gradients.

    Attributes:
        policy_loss: Mean of the clipped objective, negative.
        value_loss: Mean squared error of values.
        entropy_loss: Mean entropy, negative.
        clip_fraction: Share of samples whose ratio is beyond the clip range.
        approx_kl: Estimate of the divergence between old and new policy (Schulman 2020, "Approximating KL divergence", k3).
        loss: The weighted sum.
        logit_gradient: Its gradient for logits, float32 ``(B, actions)``.
        value_gradient: Its gradient for values, float32 ``(B, 1)``.
    """

    policy_loss: Tensor
    value_loss: Tensor
    entropy_loss: Tensor
    clip_fraction: Tensor
    approx_kl: Tensor
    loss: Tensor
    logit_gradient: Tensor
    value_gradient: Tensor


def clipped_objective(
    logits: Tensor, values: Tensor, samples: RolloutBufferSamples, advantages: Tensor, weights: Coefficients
) -> Objective:
    """The clipped objective (Schulman et al. 2017, equation 9) and its gradient; to be called where gradients are off.

    Operations and their order are those of SB3's loss and of autograd behind it, so that both give the same bits.

    Args:
        logits: Logits of all actions, float32 ``(B, actions)``.
        values: Values of the states, float32 ``(B, 1)``.
        samples: A minibatch of B steps.
        advantages: Normalised if they are to be, float32 ``(B,)``.
        weights: Weights and clip ranges.
    """
    actions = samples.actions.long().view(-1, 1)
    log_sum = logits.logsumexp(-1, keepdim=True)
    log_probs = logits - log_sum
    probs = log_probs.softmax(-1)
    log_ratio = log_probs.gather(-1, actions).squeeze(-1) - samples.old_log_prob
    ratio = log_ratio.exp()
    policy_loss, ratio_gradient = _surrogate(ratio, advantages, weights.clip_range)
    step = ratio - 1
    value_loss, value_gradient = _value_loss(values.flatten(), samples, weights)
    entropy_loss = -(-(log_probs * probs).sum(-1)).mean()

    share = torch.tensor(weights.entropy).div_(len(ratio))
    gradient = _aten._softmax_backward_data.default(log_probs * share, probs, -1, torch.float32)
    gradient.add_(probs * share)
    gradient.scatter_add_(-1, actions, ratio_gradient.mul_(ratio).unsqueeze(-1))
    logit_gradient = gradient - gradient.sum(-1, keepdim=True) * (logits - log_sum).exp_()
    return Objective(
        policy_loss,
        value_loss,
        entropy_loss,
        (step.abs() > weights.clip_range).float().mean(),
        step.sub_(log_ratio).mean(),
        policy_loss + weights.entropy * entropy_loss + weights.value * value_loss,
        logit_gradient,
        value_gradient.unsqueeze(-1),
    )


def _surrogate(ratio: Tensor, advantages: Tensor, clip_range: float) -> tuple[Tensor, Tensor]:
    """The policy's loss and its gradient for the ratios, ``()`` and ``(B,)``."""
    clipped = ratio.clamp(1 - clip_range, 1 + clip_range)
    plain, bounded = advantages * ratio, advantages * clipped
    # The smaller of the two has the gradient, and each has half of it where they are equal; clipping keeps its share.
    half = torch.tensor(-0.5).div_(len(ratio))
    halves = (plain <= bounded).float().add_((plain < bounded).logical_or_(clipped == ratio))
    return -torch.min(plain, bounded).mean(), halves.mul_(half).mul_(advantages)


def _value_loss(values: Tensor, samples: RolloutBufferSamples, weights: Coefficients) -> tuple[Tensor, Tensor]:
    """The values' loss and its gradient for the values, ``()`` and ``(B,)``."""
    weight, inside, predicted = torch.tensor(weights.value), None, values
    if weights.clip_range_vf is not None:
        change = values - samples.old_values
        clipped = change.clamp(-weights.clip_range_vf, weights.clip_range_vf)
        inside, predicted = clipped == change, samples.old_values + clipped
    gradient = _aten.mse_loss_backward.default(weight, predicted, samples.returns, _MEAN)
    return F.mse_loss(samples.returns, predicted), gradient if inside is None else gradient.mul_(inside)
