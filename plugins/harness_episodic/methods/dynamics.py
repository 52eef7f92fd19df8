"""What methods share whose embedding learns to tell which action led from one state to another."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor

from harness.nn.actions import ActionCodec
from harness.nn.episodes import EpisodeRings
from harness.rewards import Spaces, Transitions
from harness_episodic.configs.dynamics import DynamicsConfig
from harness_episodic.dynamics import Dynamics
from harness_episodic.encoders import build_encoder
from harness_episodic.methods.base import LearnedReward, embedding_diagnostics, fill_of

DynamicsT = TypeVar("DynamicsT", bound=DynamicsConfig)


class DynamicsReward(LearnedReward[DynamicsT]):
    """A method with an embedding that inverse dynamics train.

    Raises:
        UserError: When observations are not a box of numbers, actions neither discrete nor a box, or the architecture does not
            fit.
    """

    def __init__(self, config: DynamicsT, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        self.dynamics = Dynamics(
            build_encoder(config, self.shape, images=self.images, generator=self.generator),
            config.feature_dim,
            ActionCodec(spaces.action, self.name),
            inverse_hidden=config.inverse_hidden,
            forward_hidden=self.forward_hidden(config),
            gain=config.init_gain,
            generator=self.generator,
        )

    name: str = ""
    """How messages call the method."""

    def forward_hidden(self, config: DynamicsT) -> int | None:
        """Units of the forward model's hidden layer; ``None`` for no such model."""
        return None

    def rings(self) -> EpisodeRings | None:
        """What is remembered of episodes, for the log; ``None`` where that is no ring."""
        return None

    def embed(self, states: Tensor) -> Tensor:
        """Embedded states, ``(B, feature_dim)``, of states as they are stored."""
        return self.dynamics(self.network_input(states))

    def losses(self, batch: Transitions) -> dict[str, Tensor]:
        """The inverse model's loss, which trains the embedding through both states."""
        guesses = self.dynamics.guess(self.embed(batch.obs), self.embed(batch.next_obs))
        return {"inverse_loss": self.dynamics.actions.error(guesses, batch.action).mean()}

    def loss(self, batch: Transitions) -> Tensor:
        """What is minimised of a minibatch."""
        return next(iter(self.losses(batch).values()))

    @torch.no_grad()
    def diagnose(self, transitions: Transitions) -> dict[str, float]:
        """Whether the embedding lives and knows what actions do.

        Returns:
            ``inverse_accuracy``, see `ActionCodec.score`; what `embedding_diagnostics` says of states, and `fill_of` of the
            memory.
        """
        embedded, next_embedded = self.embed(self.sample(transitions.obs)), self.embed(self.sample(transitions.next_obs))
        score = self.dynamics.actions.score(self.dynamics.guess(embedded, next_embedded), self.sample(transitions.action))
        rings = self.rings()
        return {"inverse_accuracy": score} | embedding_diagnostics(next_embedded) | (fill_of(rings) if rings else {})
