"""What lies between observations and off-policy networks: SB3's extractor, a trunk, or a method's learned representation."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor, FlattenExtractor, NatureCNN
from stable_baselines3.common.type_aliases import PyTorchObs
from torch import Tensor, nn

from harness.rewards import IntrinsicReward

Extractor = Callable[[spaces.Space[Any]], BaseFeaturesExtractor]


class _OnRepresentation(BasePolicy):
    """Comes before an off-policy policy of SB3's, which then sees features that a method learns.

    Actor, critics and targets take features ``(B, features_dim)``, which sampled batches hold already: see
    `RelabelledReplayBuffer`. Where the policy acts, it computes them from observations. The representation is not a part of
    the policy: not in its parameters, optimisers, targets or state.

    Args:
        args: As for SB3's policy.
        reward: The method, with a `IntrinsicReward.representation`.
        representation: The module of the method, from observations to features.
        kwargs: As for SB3's policy.
    """

    def __init__(self, *args: Any, reward: IntrinsicReward, representation: nn.Module, **kwargs: Any) -> None:
        self._method = (reward, representation)  # a tuple hides them from torch's registration
        super().__init__(*args, **kwargs)

    def _predict(self, observation: PyTorchObs, deterministic: bool = False) -> Tensor:
        assert isinstance(observation, Tensor)
        reward, representation = self._method
        method_obs = torch.as_tensor(reward.view(observation.cpu().numpy()), device=self.device)
        with torch.no_grad():
            features = representation(method_obs)
        return super()._predict(features, deterministic)


@cache
def on_representation(policy_class: type[BasePolicy]) -> type[BasePolicy]:
    """The same policy, on features that a method learns; it takes ``reward`` and ``representation`` besides."""
    return type(f"{policy_class.__name__}OnRepresentation", (_OnRepresentation, policy_class), {})


class PrecomputedFeatures(BaseFeaturesExtractor):
    """Features that come ready-made."""

    def forward(self, observations: Tensor) -> Tensor:
        return observations


class Trunk(BaseFeaturesExtractor):
    """A linear layer and layer normalisation on another extractor's features (Yarats et al. 2021, ``proto.py``: no tanh).

    Args:
        observation_space: Space of one environment's observations.
        inner: Makes the other extractor.
        trunk_dim: Units of the layer.
    """

    def __init__(self, observation_space: spaces.Space[Any], inner: Extractor, trunk_dim: int) -> None:
        super().__init__(observation_space, trunk_dim)
        self.inner = inner(observation_space)
        self.layers = nn.Sequential(nn.Linear(self.inner.features_dim, trunk_dim), nn.LayerNorm(trunk_dim))

    def forward(self, observations: Tensor) -> Tensor:
        return self.layers(self.inner(observations))


def features_extractor(*, images: bool, representation: nn.Module | None, trunk_dim: int | None) -> dict[str, Any]:
    """SB3's ``policy_kwargs`` for what actor, critics and targets each put under their layers.

    Args:
        images: Whether observations are images.
        representation: The method's module, which computes features; ``None`` where networks look for themselves.
        trunk_dim: Units of a `Trunk`; ``None`` for none.
    """
    inner: type[BaseFeaturesExtractor] = NatureCNN if images else FlattenExtractor
    arguments: dict[str, Any] = {}
    if representation is not None:
        inner, arguments = PrecomputedFeatures, {"features_dim": _features_dim(representation)}
    if trunk_dim is not None:
        inner, arguments = Trunk, {"inner": partial(inner, **arguments), "trunk_dim": trunk_dim}
    return {"features_extractor_class": inner, "features_extractor_kwargs": arguments}


def _features_dim(representation: nn.Module) -> int:
    size = getattr(representation, "features_dim", None)
    if not isinstance(size, int):
        raise TypeError(f"{type(representation).__name__}, a representation, needs an attribute features_dim")
    return size
