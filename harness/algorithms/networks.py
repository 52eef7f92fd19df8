"""Actor-critic networks: the interface that plugins implement, and the SB3 policy that carries one or two value heads."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, cast

import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.type_aliases import PyTorchObs, Schedule
from torch import Tensor, nn

from harness.registry import Registry


class ActorCriticNetwork(nn.Module):
    """Everything between an observation and the output heads, initialised by itself.

    The heads are linear layers that the policy adds: action logits on `policy_latent`, one scalar per value head on
    `value_latent`, with zero bias and orthogonal weights of gain `policy_gain` and `value_gain`.

    Args:
        observation_space: Space of one environment's observations; images are channel-first.
        n_value_heads: 1 without a bonus or with ``sum``, 2 with two critics; some published networks differ by it.
    """

    features_dim: int
    policy_dim: int
    value_dim: int
    policy_gain: ClassVar[float] = 0.01
    value_gain: ClassVar[float] = 0.01

    @abstractmethod
    def __init__(self, observation_space: spaces.Box, n_value_heads: int) -> None:
        super().__init__()

    @abstractmethod
    def features(self, observations: Tensor) -> Tensor:
        """Shared features ``(B, features_dim)`` of float observations ``(B, *shape)``; images are scaled to [0, 1]."""

    @abstractmethod
    def policy_latent(self, features: Tensor) -> Tensor:
        """Input of the action head, ``(B, policy_dim)``."""

    @abstractmethod
    def value_latent(self, features: Tensor) -> Tensor:
        """Input of the value heads, ``(B, value_dim)``."""


def load_network(registry: Registry, name: str) -> type[ActorCriticNetwork]:
    """The class of a network.

    Args:
        registry: What is installed.
        name: Name of an installed network.

    Raises:
        PluginError: It cannot be imported, or is no `ActorCriticNetwork`.
    """
    return registry.load_class(registry.network(name).build, ActorCriticNetwork)


class NetworkFeatures(BaseFeaturesExtractor):
    """The network's features as SB3's features extractor."""

    def __init__(self, observation_space: spaces.Box, network: ActorCriticNetwork) -> None:
        super().__init__(observation_space, network.features_dim)
        self.network = network

    def forward(self, observations: Tensor) -> Tensor:
        return self.network.features(observations)


class _Latents(nn.Module):
    """The network's two branches as SB3's MLP extractor; the modules themselves belong to the features extractor."""

    def __init__(self, network: ActorCriticNetwork) -> None:
        super().__init__()
        self._network = (network,)  # a tuple hides it from torch's registration
        self.latent_dim_pi, self.latent_dim_vf = network.policy_dim, network.value_dim

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        return self.forward_actor(features), self.forward_critic(features)

    def forward_actor(self, features: Tensor) -> Tensor:
        return self._network[0].policy_latent(features)

    def forward_critic(self, features: Tensor) -> Tensor:
        return self._network[0].value_latent(features)


class MultiHeadActorCriticPolicy(ActorCriticPolicy):
    """SB3's actor-critic policy with any number of value heads and, if given, a published network.

    With two heads every value tensor has shape ``(B, 2)``: extrinsic first, intrinsic second.

    Args:
        n_value_heads: Outputs of the value layer.
        network: Class of the network between observation and heads; ``None`` for SB3's own.
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        lr_schedule: Schedule,
        *args: Any,
        n_value_heads: int = 1,
        network: type[ActorCriticNetwork] | None = None,
        **kwargs: Any,
    ) -> None:
        self.n_value_heads = n_value_heads
        self._network: tuple[ActorCriticNetwork, ...] = ()  # a tuple hides it from torch's registration
        if network is not None:
            if not isinstance(observation_space, spaces.Box):
                raise TypeError(f"{network.__name__} needs a Box of observations, not {observation_space}")
            box = cast(spaces.Box, observation_space)
            built = network(box, n_value_heads)
            self._network = (built,)
            kwargs |= {
                "features_extractor_class": NetworkFeatures,
                "features_extractor_kwargs": {"network": built},
                "ortho_init": False,
            }
        super().__init__(observation_space, action_space, lr_schedule, *args, **kwargs)

    def _build_mlp_extractor(self) -> None:
        if self._network:
            self.mlp_extractor = _Latents(self._network[0])
        else:
            super()._build_mlp_extractor()

    def _build(self, lr_schedule: Schedule) -> None:
        super()._build(lr_schedule)
        if self.n_value_heads > 1:
            self.value_net = nn.Linear(self.mlp_extractor.latent_dim_vf, self.n_value_heads)
            if self.ortho_init:
                _initialise(self.value_net, 1.0)
        if self._network:
            _initialise(self.action_net, self._network[0].policy_gain)
            _initialise(self.value_net, self._network[0].value_gain)
        arguments: dict[str, Any] = {"lr": lr_schedule(1), **self.optimizer_kwargs}
        self.optimizer = self.optimizer_class(self.parameters(), **arguments)

    def predict_values(self, obs: PyTorchObs) -> Tensor:
        """Values ``(B, n_value_heads)`` of a batch of observations."""
        return super().predict_values(obs)


def _initialise(layer: nn.Module, gain: float) -> None:
    if isinstance(layer, nn.Linear):
        nn.init.orthogonal_(layer.weight, gain)
        with torch.no_grad():
            layer.bias.zero_()
