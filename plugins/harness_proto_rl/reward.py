"""Proto-RL (Yarats, Fergus, Lazaric and Pinto 2021, arXiv 2102.11271).

Encoded states are projected and normalised to unit vectors z, among which prototypes c_1 .. c_K learn to lie evenly. With
them, for each sampled batch (the authors' ``proto.py``):

    update       L = -mean_b sum_k q_bk log softmax_k(c_k . u_b / T) of s_b, where u is the normalised prediction from its
                 projection, and q the Sinkhorn assignments of s'_b, projected by moving averages of encoder and projector;
                 then the averages move
    candidates   every prototype draws one z(s'_b) with probabilities softmax_b(c_k . z_b); they join a queue
    bonus        distance from z(s'_b) to its k-th nearest row of the queue, candidates from its own batch included

The bonus is of the representation after the update, if there was one. Prototypes are normalised before each use, outside of
the gradient, which keeps its radial part. Differences from the authors' code are in this package's README.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.nn.augmentations import random_shift
from harness.nn.averages import MovingAverage
from harness.nn.diagnostics import effective_rank, evenly_spaced_indices
from harness.nn.layers import mlp, orthogonal
from harness.nn.memo import Memo
from harness.nn.neighbours import VectorQueue, kth_distance
from harness.nn.sinkhorn import sinkhorn
from harness.rewards import Guarantees, IntrinsicReward, Spaces, Transitions
from harness_proto_rl.candidates import candidate_probabilities, sample_indices
from harness_proto_rl.config import ProtoRLConfig
from harness_proto_rl.encoders import Projection, build_encoder


class ProtoRL(IntrinsicReward[ProtoRLConfig]):
    """The distance to states that prototypes have picked; see the module for formulas and `ProtoRLConfig` for every choice.

    Raises:
        UserError: When observations are not a box of numbers, or the encoder does not fit them.
    """

    def __init__(self, config: ProtoRLConfig, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        self.projection = Projection(build_encoder(config, spaces, self.generator), config.projection_dim)
        self.predictor = mlp([config.projection_dim, config.predictor_hidden, config.projection_dim])
        self.prototypes = nn.Linear(config.projection_dim, config.prototypes, bias=False)
        for layers in (self.projection.projector, self.predictor, self.prototypes):
            orthogonal(layers, 1.0, self.generator)
        self.target = MovingAverage(self.projection, 1 - config.target_rate)
        self.queue = VectorQueue(config.queue_size, config.projection_dim)
        self.to(self.device)
        trained = [*self.projection.parameters(), *self.predictor.parameters(), *self.prototypes.parameters()]
        self.optimizers["representation"] = torch.optim.Adam(trained, lr=config.learning_rate, eps=config.adam_epsilon)
        self._updates = 0
        self._cached_projections: Memo | None = None

    def augment(self, observations: Tensor) -> Tensor:
        """Images ``(B, C, H, W)`` moved at random, each on its own; vectors as they are."""
        if self.spaces.frame_channels is None or not self.config.shift:
            return observations
        return random_shift(observations, self.config.shift, self.generator)

    def representation(self) -> nn.Module:
        """The encoder, without the projector."""
        return self.projection.encoder

    def update(self, transitions: Transitions) -> dict[str, float]:
        """Learn from the first of every ``update_every`` batches; nothing is returned for the others.

        Returns:
            ``prototype_loss``; ``prototypes_used``, the exponential of the entropy of the batch's mean prediction: between 1
            and K.
        """
        due = self._updates % self.config.update_every == 0
        self._updates += 1
        return self._learn(transitions) if due else {}

    @torch.no_grad()
    def observe_batch(self, transitions: Transitions) -> None:
        """Every prototype picks one next state of the batch for the queue."""
        self._normalise_prototypes()
        projections = self._projections(transitions.next_obs)
        self._cached_projections = Memo.of(projections, transitions.next_obs, self.projection)
        uniforms = torch.rand(self.config.prototypes, generator=self.generator).to(self.device)
        self.queue.push(projections[sample_indices(candidate_probabilities(projections, self.prototypes.weight), uniforms)])

    @torch.no_grad()
    def bonus(self, transitions: Transitions) -> Tensor:
        """Distance of each next state to its k-th nearest candidate, float32 ``(B,)``."""
        projections = self._projections(transitions.next_obs)
        return kth_distance(projections, self.queue.rows, self.config.neighbours).to(torch.float32)

    @torch.no_grad()
    def diagnose(self, transitions: Transitions) -> dict[str, float]:
        """``projection_rank``: the `effective_rank` of next states' projections, which falls to 1 where they collapse."""
        states = transitions.next_obs[evenly_spaced_indices(len(transitions), self.device)]
        return {"projection_rank": effective_rank(self._projections(states))}

    def loss(self, transitions: Transitions) -> Tensor:
        """Cross-entropy between target and predicted assignments; normalises the prototypes first."""
        self._normalise_prototypes()
        return _cross_entropy(self.target_assignments(transitions.next_obs), self.log_predictions(transitions.obs))

    def log_predictions(self, states: Tensor) -> Tensor:
        """``log softmax_k(c_k . u / T)``, ``(B, K)``."""
        predicted = F.normalize(self.predictor(self.projection(states)), dim=1)
        return (self.prototypes(predicted) / self.config.temperature).log_softmax(1)

    @torch.no_grad()
    def target_assignments(self, states: Tensor) -> Tensor:
        """Sinkhorn assignments q of a batch, ``(B, K)``, without gradient."""
        scores = self.prototypes(F.normalize(self.target(states), dim=1))
        return sinkhorn(scores, self.config.temperature, self.config.sinkhorn_iterations)

    def guarantees(self) -> Guarantees:
        """The moving averages get no gradient."""
        return Guarantees(stops_gradient={"loss": ["target"]})

    def get_extra_state(self) -> dict[str, Any]:
        """The base's, and how many updates there were."""
        return super().get_extra_state() | {"updates": self._updates}

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `get_extra_state` gave."""
        super().set_extra_state(state)
        self._updates = int(state["updates"])

    def _learn(self, transitions: Transitions) -> dict[str, float]:
        self._normalise_prototypes()
        log_predictions = self.log_predictions(transitions.obs)
        loss = _cross_entropy(self.target_assignments(transitions.next_obs), log_predictions)
        self.optimizers["representation"].zero_grad()
        loss.backward()
        self.optimizers["representation"].step()
        self.target.update(self.projection)
        entropy = torch.special.entr(log_predictions.detach().exp().mean(0)).sum()
        return {"prototype_loss": float(loss.detach()), "prototypes_used": float(entropy.exp())}

    def _projections(self, states: Tensor) -> Tensor:
        """z, of the encoder as it is: once for a batch that is first shown and then rewarded."""
        if self._cached_projections is not None and self._cached_projections.is_valid_for(states, self.projection):
            return self._cached_projections.output
        return F.normalize(self.projection(states), dim=1)

    @torch.no_grad()
    def _normalise_prototypes(self) -> None:
        weight = self.prototypes.weight
        weight.copy_(F.normalize(weight, dim=1))


def _cross_entropy(assignments: Tensor, log_predictions: Tensor) -> Tensor:
    return -(assignments * log_predictions).sum(1).mean()
