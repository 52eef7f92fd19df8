"""The layers of SB3's actor-critic policy for vectors, whose gradients are computed step by step."""

from __future__ import annotations

from stable_baselines3.common.distributions import CategoricalDistribution
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import FlattenExtractor, MlpExtractor
from torch import Tensor

from harness.algorithms.layer_chain import LayerChain


class ActorCriticChains:
    """Layers from vectors ``(B, n)`` to the logits of discrete actions, and others to one value.

    Args:
        policy: Gives logits, ``(B, actions)``.
        value: Gives values, ``(B, 1)``.
        parameters: All parameters of the policy, in its order.

    Raises:
        KeyError: Some of the parameters belong to neither chain.
    """

    def __init__(self, policy: LayerChain, value: LayerChain, parameters: list[Tensor]) -> None:
        self.policy, self.value = policy, value
        places = {id(parameter): place for place, parameter in enumerate((*policy.parameters, *value.parameters))}
        self._order = [places[id(parameter)] for parameter in parameters]

    @classmethod
    def of(cls, policy: ActorCriticPolicy) -> ActorCriticChains | None:
        """The chains of a policy whose layers are complete; ``None`` where it is made of anything else."""
        latents = policy.mlp_extractor
        usual = policy.share_features_extractor and type(policy.features_extractor) is FlattenExtractor
        if not usual or type(latents) is not MlpExtractor or not isinstance(policy.action_dist, CategoricalDistribution):
            return None
        logits, value = (
            LayerChain.of(latents.policy_net, policy.action_net),
            LayerChain.of(latents.value_net, policy.value_net),
        )
        try:
            return None if logits is None or value is None else cls(logits, value, list(policy.parameters()))
        except KeyError:
            return None

    def gradients(
        self, outputs: tuple[list[Tensor], list[Tensor]], logit_gradient: Tensor, value_gradient: Tensor
    ) -> list[Tensor]:
        """Gradients of all parameters of the policy, in its order; to be called where gradients are off.

        Args:
            outputs: What the chains gave, policy first; see `LayerChain.outputs`.
            logit_gradient: Gradient of the logits, float32 ``(B, actions)``.
            value_gradient: Gradient of the values, float32 ``(B, 1)``.
        """
        found = self.policy.gradients(outputs[0], logit_gradient) + self.value.gradients(outputs[1], value_gradient)
        return [found[place] for place in self._order]
