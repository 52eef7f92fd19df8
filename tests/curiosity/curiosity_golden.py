"""What the golden tests of this folder share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import torch
from golden_cases import Case
from gymnasium import spaces
from torch import Tensor, nn

from harness import IntrinsicReward, IntrinsicRewardConfig, Spaces, Transitions

RewardT = TypeVar("RewardT", bound=IntrinsicReward[Any])


def box(shape: tuple[int, ...], low: float = -np.inf, high: float = np.inf) -> spaces.Box:
    return spaces.Box(low, high, shape, np.float32)


def build(
    case: Case,
    reward: type[RewardT],
    config: IntrinsicRewardConfig,
    observation: spaces.Box,
    action: spaces.Space[Any],
    frame_channels: int | None = None,
) -> RewardT:
    """The method in the case's precision, its weights not yet those of the case."""
    built = reward(config, Spaces(observation, action, frame_channels), n_envs=1, device="cpu", seed=0)
    return built.double() if case.dtype == torch.float64 else built


def tensor(case: Case, values: Any) -> Tensor:
    return torch.as_tensor(np.asarray(values)).to(case.dtype)


def batch(
    obs: Tensor, action: Tensor, next_obs: Tensor, done: Tensor | None = None, reward: Tensor | None = None
) -> Transitions:
    n = len(obs)
    never = torch.zeros(n, dtype=torch.bool)
    ended = never if done is None else done
    earned = torch.zeros(n) if reward is None else reward
    return Transitions(obs, action, next_obs, earned, ended, never, torch.zeros(n, dtype=torch.int64))


def gradients(names: list[str], parameters: list[nn.Parameter]) -> dict[str, Tensor | None]:
    return {name: parameter.grad for name, parameter in zip(names, parameters, strict=True)}


def check_gradients(
    case: Case, expected: Mapping[str, Any], loss: Tensor, parameters: list[nn.Parameter], where: str, prefix: str = ""
) -> None:
    """Compare the gradients of a loss with those of a block, whose names are the parameters' without the prefix."""
    for parameter in parameters:
        parameter.grad = None
    loss.backward(retain_graph=True)
    names = [name.removeprefix(prefix) for name in case.parameter_names() if name.startswith(prefix)]
    case.check(dict(expected), gradients(names, parameters), where)
