"""Beginning a phase with parts of an actor-critic policy anew.

What belongs to whom is read off the computation itself, so that it holds for every network: the critics own the parameters
that values depend on and actions do not; the actor owns all others. Layers that both share, such as the convolutions of
Stable-Baselines3's shared features extractor or of a published network, therefore stay with the actor: they are kept where
the critics are initialised anew, and begin anew with the actor.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, cast

import numpy as np
import torch
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.utils import obs_as_tensor
from torch import Tensor, nn


def critic_parameters(policy: ActorCriticPolicy) -> set[str]:
    """Names of the parameters that values depend on and actions do not."""
    sample = cast(np.ndarray, policy.observation_space.sample())
    observations: Any = obs_as_tensor(sample[None], policy.device)
    with torch.enable_grad():
        values = policy.predict_values(observations).sum()
        distribution = policy.get_distribution(observations)
        log_prob = distribution.log_prob(distribution.mode()).sum()
    return parameters_behind(policy, values) - parameters_behind(policy, log_prob)


def reinitialise(
    policy: ActorCriticPolicy, fresh: ActorCriticPolicy, critics: Collection[str], parts: Collection[str]
) -> None:
    """Replace parts of a policy by those of a new one.

    Args:
        policy: The policy, changed in place. Optimiser moments of what is replaced are forgotten, and with
            ``optimizers`` those of everything.
        fresh: A new policy of the same shape.
        critics: Names of the parameters that belong to the critics; all others are the actor's.
        parts: Some of ``actor``, ``critics`` and ``optimizers``.
    """
    replaced = {name for name, _ in policy.named_parameters() if ("critics" if name in critics else "actor") in parts}
    new = dict(fresh.named_parameters())
    for name, parameter in policy.named_parameters():
        if name in replaced:
            with torch.no_grad():
                parameter.copy_(new[name])
        if name in replaced or "optimizers" in parts:
            policy.optimizer.state.pop(parameter, None)


def parameters_behind(module: nn.Module, output: Tensor) -> set[str]:
    """Names of the parameters that an output depends on."""
    parameters = dict(module.named_parameters())
    gradients = cast(Sequence[Tensor | None], torch.autograd.grad(output, list(parameters.values()), allow_unused=True))
    return {name for name, gradient in zip(parameters, gradients, strict=True) if gradient is not None}
