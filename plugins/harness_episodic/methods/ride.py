"""RIDE (Raileanu and Rocktaeschel 2020, arXiv 2002.12292).

With phi an embedding that inverse and forward dynamics train, and N(s) the visits of s in the present episode, its first state
and the present visit included:

    bonus       |phi(s') - phi(s)| / sqrt(N(s'))
    embedding   L = 10 mean |f(phi(s), a) - phi(s')| + 0.1 mean cross-entropy of a, guessed from phi(s) and phi(s')
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from harness.nn.episodes import EpisodeRings
from harness.rewards import Guarantees, Spaces, Transitions
from harness_episodic.configs.dynamics import RideConfig
from harness_episodic.kernel import Kernel, NeighbourMemory, UsualDistance
from harness_episodic.methods.dynamics import DynamicsReward
from harness_episodic.visits import StateCoder, VisitMemory


def impact(embedded: Tensor, next_embedded: Tensor, visits: Tensor) -> Tensor:
    """``|phi(s') - phi(s)| / sqrt(N(s'))``, ``(B,)``.

    Args:
        embedded: States where transitions started, ``(B, D)``.
        next_embedded: States where they led to, ``(B, D)``.
        visits: Visits of the latter in their episodes, the present ones included, ``(B,)``.
    """
    move = cast(Tensor, torch.linalg.vector_norm(next_embedded - embedded, dim=1))
    return move / visits.to(move.dtype).sqrt()


class Ride(DynamicsReward[RideConfig]):
    """How far an action moves the embedding; see the module for formulas and `RideConfig` for every choice.

    Raises:
        UserError: When observations are not a box of numbers, actions neither discrete nor a box, or the architecture does not
            fit.
    """

    name = "ride"

    def __init__(self, config: RideConfig, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        capacity = self.memory_capacity(config.memory)
        self.coder = StateCoder(self.shape, images=self.images, code="bytes")
        self.usual: UsualDistance | None = None
        if config.episodic == "visits":
            self.episodes: VisitMemory | NeighbourMemory = VisitMemory(n_envs, capacity)
        else:
            self.episodes = NeighbourMemory(n_envs, capacity, config.feature_dim, config.neighbours, least=1)
            self.usual = UsualDistance("rollouts")
        self.start_learning(self.dynamics.parameters())

    def forward_hidden(self, config: RideConfig) -> int:
        """The forward model trains the embedding too."""
        return config.forward_hidden

    def rings(self) -> EpisodeRings:
        """The visits of episodes."""
        return self.episodes.rings

    def track(self, transitions: Transitions) -> None:
        """Compare this step's states with their episodes, then let them join."""
        if self.usual is None:
            self.episodes.advance(transitions, self.coder)
        else:
            self.episodes.advance(transitions, self.embed, "obs")

    def observe(self, transitions: Transitions) -> None:
        """Take in how far neighbours are."""
        if self.usual is not None:
            self.usual.see(self.episodes.answer(transitions, self.embed, "obs"))

    @torch.no_grad()
    def bonus(self, transitions: Transitions) -> Tensor:
        """The move, over the root of the visits, float32 ``(B,)``."""
        embedded, next_embedded = self.embed(torch.cat([transitions.obs, transitions.next_obs])).chunk(2)
        if self.usual is None:
            return impact(embedded, next_embedded, self.episodes.answer(transitions, self.coder)).float()
        distances = self.episodes.answer(transitions, self.embed, "obs")
        return ((next_embedded - embedded).square().mean(1) * Kernel().bonus(distances, self.usual.mean)).float()

    def update(self, transitions: Transitions) -> dict[str, float]:
        """One rollout; see `LearnedReward.update`."""
        if self.usual is not None:
            self.usual.end_rollout()
        return super().update(transitions)

    def losses(self, batch: Transitions) -> dict[str, Tensor]:
        """The weighted sum of both models' losses, then each without its weight."""
        embedded, next_embedded = self.embed(batch.obs), self.embed(batch.next_obs)
        forward = self.dynamics.forward_errors(embedded, batch.action, next_embedded, self.config.forward_loss).mean()
        inverse = self.dynamics.actions.error(self.dynamics.guess(embedded, next_embedded), batch.action).mean()
        total = self.config.forward_weight * forward + self.config.inverse_weight * inverse
        return {"loss": self.config.loss_scale * total, "forward_loss": forward, "inverse_loss": inverse}

    def guarantees(self) -> Guarantees:
        """Between updates a bonus depends on its episode; of the kernel, on all distances before."""
        return Guarantees(depends_on="episode" if self.usual is None else "past")
