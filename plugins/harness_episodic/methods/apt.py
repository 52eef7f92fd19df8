"""APT (Liu and Abbeel 2021, arXiv 2103.04551) as URLB has it, in the space of observations or of inverse and forward dynamics.

With d_1 .. d_k the distances of an embedded state to the nearest of its batch, itself at 0 as the first:

    bonus   log(1 + mean_i max(d_i / m - clip, 0)),  m = 1, or the running mean of all d_i, this batch included

    icm_apt   phi = tanh(layer norm(linear layer)),  L = mean |f(phi(s), a) - phi(s')| + mean |g(phi(s), phi(s')) - a|

with Euclidean norms; discrete actions have their cross-entropy in place of the last.
"""

from __future__ import annotations

from abc import abstractmethod
from math import prod
from typing import TypeVar

import torch
from torch import Tensor, nn

from harness.nn.actions import ActionCodec
from harness.nn.memo import Memo
from harness.rewards import Guarantees, Spaces, Transitions
from harness_episodic.configs.particles import APTConfig, ICMAPTConfig
from harness_episodic.dynamics import Dynamics
from harness_episodic.encoders import build_encoder
from harness_episodic.methods.base import EpisodicReward, LearnedReward, embedding_diagnostics
from harness_episodic.particles import Bank, DistanceScale, batch_distances, particle_bonus

ParticleT = TypeVar("ParticleT", bound=APTConfig | ICMAPTConfig)


class _Particles(nn.Module):
    """Distances within a batch, or to a bank, and the bonus that they make.

    Args:
        config: Settings of the method.
        dim: Numbers of an embedded state.
    """

    sampled: Tensor
    """Whether batches are sampled from a replay buffer, bool; until the first is, the states of a step are a batch."""

    def __init__(self, config: APTConfig | ICMAPTConfig, dim: int) -> None:
        super().__init__()
        self.config = config
        self.scale = DistanceScale(config.distance_scale)
        self.bank = Bank(config.bank_size, dim) if config.bank_size else None
        self.register_buffer("sampled", torch.zeros((), dtype=torch.bool))
        self._distances: Memo | None = None

    def see_step(self, embedded: Tensor, states: Tensor) -> None:
        """See the states of one step: a batch as long as no batches are sampled."""
        if not self.sampled:
            self.see(embedded, states)

    def see_sampled(self, embedded: Tensor, states: Tensor) -> None:
        """See a sampled batch; with the first of them, what was seen of single steps is forgotten."""
        if not self.sampled:
            self.sampled.fill_(True)
            fresh = DistanceScale(self.config.distance_scale).to(embedded.device)
            self.scale.load_state_dict(fresh.state_dict())
            if self.bank is not None:
                self.bank.forget()
        self.see(embedded, states)

    @torch.no_grad()
    def see(self, embedded: Tensor, states: Tensor) -> None:
        """Let a batch join the bank, and its distances count for the scale."""
        if self.bank is not None:
            self.bank.push(embedded)
        distances = self._nearest(embedded)
        self.scale.see(distances if self.config.average != "kth" else distances[:, -1:])
        self._distances = Memo.of(distances, states)

    @torch.no_grad()
    def bonus(self, embedded: Tensor, states: Tensor) -> Tensor:
        """The bonus of a batch, float32 ``(B,)``."""
        known = self._distances is not None and self._distances.is_valid_for(states)
        distances = self._distances.output if known and self._distances is not None else self._nearest(embedded)
        if not distances.shape[1]:
            return torch.zeros(len(embedded), device=embedded.device)
        config = self.config
        bonus = particle_bonus(distances, self.scale.value, clip=config.distance_clip, average=config.average, log=config.log)
        return bonus.float()

    def _nearest(self, embedded: Tensor) -> Tensor:
        if self.bank is not None:
            return self.bank.distances(embedded, self.config.neighbours)
        return batch_distances(embedded, embedded, self.config.neighbours)


class _ParticleReward(EpisodicReward[ParticleT]):
    """Distances to near neighbours of embedded states; a subclass embeds them.

    Attributes:
        particles: Distances and the bonus that they make.
    """

    particles: _Particles

    @abstractmethod
    def embed(self, states: Tensor) -> Tensor:
        """Embedded states, ``(B, D)``, of states as they are stored."""

    @torch.no_grad()
    def observe(self, transitions: Transitions) -> None:
        """On-policy: let the states of this step join the bank, and their distances count for the scale."""
        states = transitions.states(self.config.bonus_on)
        self.particles.see_step(self.embed(states), states)

    @torch.no_grad()
    def observe_batch(self, transitions: Transitions) -> None:
        """Off-policy: let a sampled batch join the bank, and its distances count for the scale."""
        states = transitions.states(self.config.bonus_on)
        self.particles.see_sampled(self.embed(states), states)

    @torch.no_grad()
    def bonus(self, transitions: Transitions) -> Tensor:
        """The bonus of each state among those of the batch, float32 ``(B,)``."""
        states = transitions.states(self.config.bonus_on)
        return self.particles.bonus(self.embed(states), states)


class APT(_ParticleReward[APTConfig]):
    """Distances to near neighbours of the batch; see the module for formulas and `APTConfig` for every choice.

    Raises:
        UserError: When observations are not a box of numbers, or the architecture does not fit them.
    """

    def __init__(self, config: APTConfig, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        random = config.representation == "random"
        self.encoder: nn.Module = nn.Flatten()
        if random:
            self.encoder = build_encoder(config, self.shape, images=self.images, generator=self.generator)
        self.particles = _Particles(config, config.feature_dim if random else prod(self.shape))
        self.requires_grad_(False)
        self.to(self.device)

    def update(self, transitions: Transitions) -> dict[str, float]:
        """Nothing to learn."""
        return {}

    @torch.no_grad()
    def diagnose(self, transitions: Transitions) -> dict[str, float]:
        """What is logged of the space, see `embedding_diagnostics`, and ``distance_scale``, what distances are divided by."""
        embedded = self.embed(self.sample(transitions.states(self.config.bonus_on)))
        return embedding_diagnostics(embedded) | {"distance_scale": float(self.particles.scale.value)}

    def guarantees(self) -> Guarantees:
        """A bonus depends on the batch and on the scale; nothing ever learns."""
        deterministic = self.config.representation == "observations"
        return Guarantees(
            frozen=() if deterministic else ("encoder",),
            any_order=True,
            deterministic=deterministic,
            remembers=self.particles.bank is not None,
        )

    def embed(self, states: Tensor) -> Tensor:
        """Embedded states, ``(B, D)``."""
        return self.encoder(self.network_input(states))


class ICMAPT(_ParticleReward[ICMAPTConfig], LearnedReward[ICMAPTConfig]):
    """APT in a space of inverse and forward dynamics; see the module for formulas and `ICMAPTConfig` for every choice.

    Raises:
        UserError: When observations are not a box of numbers, actions neither discrete nor a box, or the architecture does not
            fit.
    """

    def __init__(self, config: ICMAPTConfig, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        linear = build_encoder(config, self.shape, images=self.images, generator=self.generator)
        self.dynamics = Dynamics(
            nn.Sequential(linear, nn.LayerNorm(config.feature_dim), nn.Tanh()),
            config.feature_dim,
            ActionCodec(spaces.action, "icm_apt"),
            inverse_hidden=config.hidden_dim,
            forward_hidden=config.hidden_dim,
            bounded=True,
            gain=config.init_gain,
            generator=self.generator,
        )
        self.particles = _Particles(config, config.feature_dim)
        self.start_learning(self.dynamics.parameters())

    def losses(self, batch: Transitions) -> dict[str, Tensor]:
        """The sum of both models' losses, the inverse model's weighted, then each without its weight."""
        embedded, next_embedded = self.embed(batch.obs), self.embed(batch.next_obs)
        forward = self.dynamics.forward_errors(embedded, batch.action, next_embedded, "norm").mean()
        guesses = self.dynamics.guess(embedded, next_embedded)
        inverse = self.dynamics.actions.error(guesses, batch.action, norm=True).mean()
        return {
            "loss": forward + self.config.inverse_weight * inverse,
            "forward_loss": forward,
            "inverse_loss": inverse,
        }

    def loss(self, batch: Transitions) -> Tensor:
        """What is minimised of a minibatch."""
        return self.losses(batch)["loss"]

    @torch.no_grad()
    def diagnose(self, transitions: Transitions) -> dict[str, float]:
        """Whether the space lives and knows what actions do.

        Returns:
            ``inverse_accuracy``, see `ActionCodec.score`; what `embedding_diagnostics` says of states; ``distance_scale``,
            what distances are divided by.
        """
        embedded, next_embedded = self.embed(self.sample(transitions.obs)), self.embed(self.sample(transitions.next_obs))
        score = self.dynamics.actions.score(self.dynamics.guess(embedded, next_embedded), self.sample(transitions.action))
        scale = {"distance_scale": float(self.particles.scale.value)}
        return {"inverse_accuracy": score} | embedding_diagnostics(embedded) | scale

    def guarantees(self) -> Guarantees:
        """A bonus depends on the batch and on the scale."""
        return Guarantees(depends_on="past", remembers=self.particles.bank is not None)

    def embed(self, states: Tensor) -> Tensor:
        """Embedded states, ``(B, feature_dim)``, of states as they are stored."""
        return self.dynamics(self.network_input(states))
