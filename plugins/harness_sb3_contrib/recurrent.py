"""RecurrentPPO in a run: what it remembers is in the checkpoint, and evaluation passes it on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from sb3_contrib import RecurrentPPO
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
from sb3_contrib.common.recurrent.type_aliases import RNNStates
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.utils import obs_as_tensor
from torch import Tensor

from harness.algorithms.base import LearnerContext
from harness.algorithms.networks import ActorCriticNetwork, load_network
from harness.algorithms.ppo.learner import ClippedObjectiveLearner
from harness.algorithms.reinitialisation import parameters_behind
from harness_sb3_contrib.configs import RecurrentPPOConfig


class SharedFeatures(BaseFeaturesExtractor):
    """The shared features of a network, for an LSTM to lie on; its branches are not used.

    Args:
        observation_space: Space of one environment's observations.
        network: The class of the network.
    """

    def __init__(self, observation_space: spaces.Box, network: type[ActorCriticNetwork]) -> None:
        built = network(observation_space, 1)
        super().__init__(observation_space, built.features_dim)
        self.network = built

    def forward(self, observations: Tensor) -> Tensor:
        """Features ``(B, features_dim)``."""
        return self.network.features(observations)


class RecurrentPPOLearner(ClippedObjectiveLearner[RecurrentPPO, RecurrentPPOConfig]):
    """Drives sb3-contrib's RecurrentPPO."""

    model_class = RecurrentPPO

    def policy_class(self, context: LearnerContext) -> type[BasePolicy]:
        """Sb3-contrib's own policy, whatever lies under the LSTM."""
        return RecurrentPPO.policy_aliases["CnnLstmPolicy" if self.images else "MlpLstmPolicy"]

    def policy_arguments(self, context: LearnerContext) -> dict[str, Any]:
        """Those of PPO, with any network under the LSTM, and the LSTM itself."""
        config = self.config
        arguments = super().policy_arguments(context)
        if config.network != "sb3":
            del arguments["network"]
            network = load_network(context.registry, config.network)
            arguments |= {"features_extractor_class": SharedFeatures, "features_extractor_kwargs": {"network": network}}
        lstm = {name: dict(config)[name] for name in ("lstm_hidden_size", "n_lstm_layers", "enable_critic_lstm")}
        return arguments | lstm

    def critic_parameters(self, policy: ActorCriticPolicy) -> set[str]:
        """Names of the parameters that values depend on and actions do not, at the first step of an episode."""
        assert isinstance(policy, RecurrentActorCriticPolicy)
        observations: Any = obs_as_tensor(policy.observation_space.sample()[None], policy.device)
        layers, _, units = policy.lstm_hidden_state_shape
        zeros = torch.zeros(layers, 1, units, device=policy.device)
        memory = zeros, zeros
        starts = torch.ones(1, device=policy.device)
        with torch.enable_grad():
            values = policy.predict_values(observations, memory, starts).sum()
            distribution, _ = policy.get_distribution(observations, memory, starts)
            log_prob = distribution.log_prob(distribution.mode()).sum()
        return parameters_behind(policy, values) - parameters_behind(policy, log_prob)

    def reset(self, parts: Collection[str], seed: int) -> None:
        """Initialise parts anew; a new network does not begin with what another remembered."""
        super().reset(parts, seed)
        actor, critic = self._memory()
        for part, memory in (("actor", actor), ("critics", critic)):
            for tensor in memory if part in parts else ():
                tensor.zero_()

    def state_dict(self) -> dict[str, Any]:
        """Also what actor and critics remember: hidden and cell states, ``(layers, N, units)``."""
        actor, critic = self._memory()
        return super().state_dict() | {"memory": {"actor": list(actor), "critics": list(critic)}}

    def load_state_dict(self, state: Mapping[str, Any], observations: np.ndarray) -> None:
        """Continue where `state_dict` was called, after `begin`."""
        super().load_state_dict(state, observations)
        device = self.model.device
        actor, critic = (tuple(t.to(device) for t in state["memory"][part]) for part in ("actor", "critics"))
        self.model._last_lstm_states = RNNStates(actor, critic)

    def _memory(self) -> RNNStates:
        states = self.model._last_lstm_states
        assert states is not None
        return states
