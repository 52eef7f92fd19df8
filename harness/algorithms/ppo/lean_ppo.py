"""SB3's PPO with the same numbers in less time, where its policy is made of small plain layers and actions are discrete.

Half of the time of such an update is autograd's bookkeeping. `LeanPPO` computes the same gradients step by step. Whether they
are the same to the bit is tried on the first rollout of every process: SB3's update and this one begin from the same weights,
and only if weights, moments and metrics are equal after both does this one take over.
"""

# SB3 keeps what an update needs in protected attributes, and offers no other way to it:
# pyright: reportPrivateUsage=false

from __future__ import annotations

import copy
from typing import Any, cast

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.type_aliases import RolloutBufferSamples
from stable_baselines3.common.utils import explained_variance
from torch import Tensor

from harness.algorithms.actor_critic_chains import ActorCriticChains
from harness.algorithms.lean_adam import LeanAdam
from harness.algorithms.lean_calls import known_chains, network_input
from harness.algorithms.ppo.clipped_objective import Coefficients, Objective, clipped_objective

_torch: Any = torch  # which has its functions of many tensors under protected names


class LeanPPO(PPO):
    """SB3's PPO; see the module."""

    policy: ActorCriticPolicy
    _proven: bool | None = None
    """Whether both updates gave the same bits; ``None`` as long as it was not tried."""

    @property
    def steps_by_itself(self) -> bool:
        """Whether updates are computed step by step, since the first has shown that they give SB3's numbers."""
        return bool(self._proven)

    def train(self) -> None:
        """Update policy and values with the collected rollout."""
        chains = self._usable_chains() if self._proven is not False else None
        if chains is None:
            super().train()
        elif self._proven:
            self._train(chains)
        else:
            self._proven = self._try_both(chains)

    def _usable_chains(self) -> ActorCriticChains | None:
        discrete = isinstance(self.action_space, spaces.Discrete) and self.target_kl is None
        return known_chains(self.policy) if discrete and isinstance(self.policy.optimizer, LeanAdam) else None

    def _try_both(self, chains: ActorCriticChains) -> bool:
        """Update by both ways, which leaves what SB3's has given; returns whether they agree."""
        before, drawn = self._state(), np.random.get_state()
        self._train(chains)
        ours = self._state()
        self._load(before)
        np.random.set_state(drawn)
        super().train()
        return _equal(ours, self._state())

    def _state(self) -> dict[str, Any]:
        """What an update changes."""
        policy, logger = self.policy, self.logger
        state = {
            "policy": policy.state_dict(),
            "optimizer": policy.optimizer.state_dict(),
            "n_updates": self._n_updates,
            "metrics": dict(logger.name_to_value),
        }
        return copy.deepcopy(state)

    def _load(self, state: dict[str, Any]) -> None:
        self.policy.load_state_dict(state["policy"])
        self.policy.optimizer.load_state_dict(state["optimizer"])
        self._n_updates = state["n_updates"]

    def _train(self, chains: ActorCriticChains) -> None:
        """SB3's update, step by step."""
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        coefficients = self._coefficients()
        found: list[Objective] = []
        with torch.no_grad():
            for _ in range(self.n_epochs):
                for samples in self.rollout_buffer.get(self.batch_size):
                    found.append(self._learn(chains, samples, coefficients))
                self._n_updates += 1
        self._log(found, coefficients)

    def _coefficients(self) -> Coefficients:
        remaining = self._current_progress_remaining
        clip_range, clip_range_vf = cast(Any, self.clip_range), cast(Any, self.clip_range_vf)
        return Coefficients(
            clip_range=clip_range(remaining),
            clip_range_vf=None if clip_range_vf is None else clip_range_vf(remaining),
            entropy=self.ent_coef,
            value=self.vf_coef,
        )

    def _learn(self, chains: ActorCriticChains, samples: RolloutBufferSamples, coefficients: Coefficients) -> Objective:
        """One step on a minibatch."""
        inputs = network_input(self.policy, samples.observations).flatten(1)
        outputs = chains.policy.outputs(inputs), chains.value.outputs(inputs)
        objective = clipped_objective(outputs[0][-1], outputs[1][-1], samples, self._advantages(samples), coefficients)
        gradients = chains.gradients(outputs, objective.logit_gradient, objective.value_gradient)
        cast(LeanAdam, self.policy.optimizer).step_with(_clipped(gradients, self.max_grad_norm))
        return objective

    def _advantages(self, samples: RolloutBufferSamples) -> Tensor:
        advantages = samples.advantages
        if self.normalize_advantage and len(advantages) > 1:
            return (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        return advantages

    def _log(self, found: list[Objective], coefficients: Coefficients) -> None:
        """Record what SB3 records."""
        buffer, record = self.rollout_buffer, self.logger.record
        explained = explained_variance(buffer.values.flatten(), buffer.returns.flatten())
        of_epoch = len(found) // self.n_epochs
        record("train/entropy_loss", _mean([one.entropy_loss for one in found]))
        record("train/policy_gradient_loss", _mean([one.policy_loss for one in found]))
        record("train/value_loss", _mean([one.value_loss for one in found]))
        record("train/approx_kl", np.mean([one.approx_kl.numpy() for one in found[-of_epoch:]]))
        record("train/clip_fraction", _mean([one.clip_fraction for one in found]))
        record("train/loss", found[-1].loss.item())
        record("train/explained_variance", explained)
        record("train/n_updates", self._n_updates, exclude="tensorboard")
        record("train/clip_range", coefficients.clip_range)
        if coefficients.clip_range_vf is not None:
            record("train/clip_range_vf", coefficients.clip_range_vf)


def _mean(losses: list[Tensor]) -> float:
    return float(np.mean([loss.item() for loss in losses]))


def _clipped(gradients: list[Tensor], largest_norm: float) -> Tensor:
    """All gradients in one piece, ``(P,)``, scaled down to a norm as torch's `clip_grad_norm_` does it."""
    norms: list[Tensor] = _torch._foreach_norm(gradients)
    norm: Tensor = _torch.linalg.vector_norm(torch.stack(norms))
    scale = (largest_norm / (norm + 1e-6)).clamp(max=1.0)
    return torch.cat([gradient.view(-1) for gradient in gradients]).mul_(scale)


def _equal(ours: Any, theirs: Any) -> bool:
    """Whether two trees have the same keys and the same values, to the bit."""
    if isinstance(theirs, dict):
        tree = cast(dict[Any, Any], theirs)
        return ours.keys() == tree.keys() and all(_equal(ours[key], tree[key]) for key in tree)
    if isinstance(theirs, list | tuple):
        parts = cast(list[Any], theirs)
        return len(ours) == len(parts) and all(map(_equal, ours, parts))
    return torch.equal(ours, theirs) if isinstance(theirs, Tensor) else bool(ours == theirs)
