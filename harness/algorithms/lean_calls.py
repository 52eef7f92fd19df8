"""SB3's policies with the same numbers and less to do around them.

For every batch SB3 asks anew whether observations are images, divides them into a second copy, and walks through all modules
for a list of parameters that never changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar, cast

import torch
from stable_baselines3.common import preprocessing
from stable_baselines3.common.distributions import CategoricalDistribution
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from torch import Tensor, nn

from harness.algorithms.actor_critic_chains import ActorCriticChains
from harness.algorithms.lean_adam import use_lean_adam
from harness.algorithms.lean_distributions import LeanCategoricalDistribution
from harness.algorithms.prepended import prepended

PolicyT = TypeVar("PolicyT", bound=BasePolicy)

_sb3: Any = preprocessing


def use_lean_calls(policy: PolicyT) -> PolicyT:
    """Let an actor-critic policy, whose layers are complete, answer in less time; names, weights and numbers stay.

    Returns:
        The policy that was given, whatever it is.
    """
    if isinstance(policy, ActorCriticPolicy):
        kind: type[ActorCriticPolicy] = type(policy)
        its: Any = policy  # it stays itself, and with it everything that refers to it
        its.__class__ = prepended(_LeanCalls, kind)
        its._known_parameters = None  # until somebody asks for them
        use_lean_adam(its.optimizer)
        if type(its.action_dist) is CategoricalDistribution:
            its.action_dist.__class__ = LeanCategoricalDistribution
    return policy


def plain_class(policy: BasePolicy) -> type[Any]:
    """The class that a policy had before it was given to `use_lean_calls`, which other programs know."""
    kind = type(policy)
    return kind.__bases__[1] if kind.__bases__[0] is _LeanCalls else kind


def known_chains(policy: ActorCriticPolicy) -> ActorCriticChains | None:
    """The layers of a policy that was given to `use_lean_calls`, if they are plain ones for vectors and discrete actions."""
    own = vars(policy)
    if not isinstance(policy, _LeanCalls):
        return None
    if "_chains" not in own:
        kind = plain_class(policy)
        usual = kind.forward is ActorCriticPolicy.forward and kind.evaluate_actions is ActorCriticPolicy.evaluate_actions
        own["_chains"] = ActorCriticChains.of(policy) if usual else None
    return own["_chains"]


def network_input(policy: ActorCriticPolicy, obs: Any) -> Any:
    """Observations as the layers of a policy that was given to `use_lean_calls` take them."""
    assert isinstance(policy, _LeanCalls)
    return policy.network_input(obs)


class _LeanCalls(ActorCriticPolicy):
    """Comes before the class of a policy."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:  # recurrent policies take more than observations
        chains = None if torch.is_grad_enabled() else known_chains(self)
        return super().forward(*args, **kwargs) if chains is None else self._answer_by(chains, *args, **kwargs)

    def _answer_by(self, chains: ActorCriticChains, obs: Any, deterministic: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        inputs = self.network_input(obs).flatten(1)
        logits, values = chains.policy.outputs(inputs)[-1], chains.value.outputs(inputs)[-1]
        distribution = self.action_dist.proba_distribution(logits)
        actions = distribution.get_actions(deterministic=deterministic)
        log_prob = distribution.log_prob(actions)
        return actions.reshape(-1, *(self.action_space.shape or ())), values, log_prob

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        if not recurse:
            return super().parameters(recurse=False)
        own = vars(self)
        if "_known_parameters" not in own:  # of a policy that is still being made
            return super().parameters()
        if own["_known_parameters"] is None:
            own["_known_parameters"] = list(super().parameters())
        return iter(cast(list[nn.Parameter], own["_known_parameters"]))

    def extract_features(self, obs: Any, features_extractor: Any = None) -> Any:
        if not self.share_features_extractor:
            return super().extract_features(obs, features_extractor)
        extractor = self.features_extractor if features_extractor is None else features_extractor
        return extractor(self.network_input(obs))

    def network_input(self, obs: Any) -> Any:
        divides: bool | None = vars(self).get("_divides_bytes")
        if divides is None:
            divides = vars(self)["_divides_bytes"] = self.normalize_images and _sb3.is_image_space(self.observation_space)
        if divides and isinstance(obs, Tensor) and obs.dtype == torch.uint8:
            return obs.float().div_(255.0)
        return _sb3.preprocess_obs(obs, self.observation_space, normalize_images=self.normalize_images)
