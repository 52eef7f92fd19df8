"""Embed to control (Watter, Springenberg, Boedecker and Riedmiller 2015, arXiv 1506.07365).

A state x has a code z ~ q(z | x) = N(mu, diag sigma^2). From z a network gives v, r, B and o; with A = 1 + v r^T and the
action u

    z^     = A z + B u + o                  the predicted next code
    Q      = N(A mu + B u + o, A diag(sigma^2) A^T)
    loss   = mean [-log p(x | z) - log p(x' | z^) + KL(q(z | x) || N(0, 1)) + lambda KL(Q || q(z' | x'))]
    bonus  = eta KL(Q || q(z' | x')), or eta times -log p(x' | z^); z is the posterior's mean then

log det A = log(1 + v.r): where v.r <= -1 the original gives NaN. Here r is shortened there, so that 1 + v.r is 0.001; wherever
the original is sound the numbers are its own. Discrete actions are one of u's numbers being 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from harness.nn.actions import ActionCodec
from harness.nn.diagnostics import evenly_spaced_indices, target_diagnostics
from harness.nn.layers import mlp, orthogonal
from harness.rewards import Guarantees, Spaces, Transitions
from harness_curiosity.gaussians import Gaussian
from harness_curiosity.generative_configs import E2CConfig
from harness_curiosity.likelihoods import StateLikelihood
from harness_curiosity.reward import CuriosityReward

_LEAST_DETERMINANT = 1e-3


@dataclass(frozen=True)
class LocalModel:
    """The locally linear model at some codes.

    Attributes:
        v: One half of what A differs from the identity by, ``(B, Z)``.
        r: The other half, ``(B, Z)``.
        control: B, ``(B, Z, U)``.
        offset: o, ``(B, Z)``.
    """

    v: Tensor
    r: Tensor
    control: Tensor
    offset: Tensor

    def step(self, code: Tensor, action: Tensor) -> Tensor:
        """A z + B u + o, ``(B, Z)``."""
        turned = self.v * (self.r * code).sum(1, keepdim=True)
        return code + turned + (self.control @ action.unsqueeze(2)).squeeze(2) + self.offset

    def divergence(self, before: Gaussian, action: Tensor, after: Gaussian) -> Tensor:
        """KL(N(A mu + B u + o, A diag(sigma^2) A^T) || after), ``(B,)``."""
        variance, inverse = before.scale.square(), after.scale.square().reciprocal()
        trace = (variance * (1 + 2 * self.v * self.r) * inverse).sum(1)
        trace = trace + (self.v.square() * inverse).sum(1) * (self.r.square() * variance).sum(1)
        distance = ((self.step(before.mean, action) - after.mean).square() * inverse).sum(1)
        determinant = (after.log_scale - before.log_scale).sum(1) - self.determinant.log()
        return (trace + distance - before.mean.shape[1]) / 2 + determinant

    @property
    def determinant(self) -> Tensor:
        """1 + v.r, the determinant of A, ``(B,)``."""
        return 1 + (self.v * self.r).sum(1)


class E2CNetworks(nn.Module):
    """Encoder, transition and decoder.

    Args:
        config: Settings of the method.
        state_dim: Numbers of a flattened state.
        action_dim: Numbers of an encoded action.
        likelihood: What the decoder's output is the parameter of.
    """

    def __init__(self, config: E2CConfig, state_dim: int, action_dim: int, likelihood: StateLikelihood) -> None:
        super().__init__()
        z, self.latent_dim, self.action_dim = config.latent_dim, config.latent_dim, action_dim
        self.encoder = mlp([state_dim, *config.encoder_hidden, 2 * z])
        self.posterior_layer = nn.Linear(2 * z, 2 * z)
        self.decoder = mlp([z, *config.decoder_hidden, state_dim])
        self.output_layer = nn.Linear(state_dim, state_dim) if state_dim <= _WIDEST_OUTPUT else nn.Identity()
        trunk = [z, *config.transition_hidden]
        self.transition = nn.Sequential(mlp(trunk), nn.ReLU()) if config.transition_hidden else nn.Identity()
        self.matrix = nn.Linear(trunk[-1], 2 * z)
        self.control = nn.Linear(trunk[-1], z * action_dim)
        self.offset = nn.Linear(trunk[-1], z)
        self.likelihood = likelihood

    def posterior(self, states: Tensor) -> Gaussian:
        """q(z | x) of flattened states."""
        mean, log_scale = self.posterior_layer(self.encoder(states)).chunk(2, 1)
        return Gaussian.of(mean, log_scale, "log_deviation")

    def local_model(self, code: Tensor) -> LocalModel:
        """The model at codes ``(B, Z)``."""
        hidden = self.transition(code)
        v, r = self.matrix(hidden).chunk(2, 1)
        product = (v * r).sum(1, keepdim=True)
        bound = 1 - _LEAST_DETERMINANT
        r = torch.where(product < -bound, r * bound / product.abs().clamp(min=bound), r)
        control = self.control(hidden).unflatten(1, (self.latent_dim, self.action_dim))
        return LocalModel(v, r, control, self.offset(hidden))

    def cost(self, code: Tensor, states: Tensor) -> Tensor:
        """-log p(x | z) of flattened states, ``(B,)``."""
        return self.likelihood(self.output_layer(self.decoder(code)), states)


_WIDEST_OUTPUT = 2048
"""States up to which the decoder ends in a second layer from states to states, as in ericjang/e2c: 84 x 84 pixels would take
50 million weights."""


class E2C(CuriosityReward[E2CConfig]):
    """The surprise of a locally linear model; see the module for formulas and `E2CConfig` for every choice.

    Raises:
        UserError: When observations or actions are not of a kind that the method takes.
    """

    def __init__(self, config: E2CConfig, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        self.actions = ActionCodec(spaces.action, "e2c")
        likelihood = StateLikelihood.choose(config.likelihood, bounded=self.bounded, epsilon=1e-9)
        self.networks = E2CNetworks(config, prod(self.shape), self.actions.width, likelihood)
        orthogonal(self.networks, config.init_gain, self.generator)
        self.start_learning(self.networks.parameters())

    @property
    def adam_betas(self) -> tuple[float, float]:
        """Decays of Adam's running moments."""
        return self.config.adam_beta1, self.config.adam_beta2

    @torch.no_grad()
    def bonus(self, transitions: Transitions) -> Tensor:
        """``eta`` times the surprise of each transition, at the posterior's mean, float32 ``(B,)``."""
        terms = self.terms(transitions, torch.zeros((len(transitions), self.config.latent_dim), device=self.device))
        return (self.config.eta * terms["transition" if self.config.bonus == "divergence" else "prediction"]).to(torch.float32)

    def terms(self, batch: Transitions, noise: Tensor) -> dict[str, Tensor]:
        """The four terms of the loss for each transition, ``(B,)``, without their weights.

        Args:
            batch: Transitions to look at.
            noise: Standard normal numbers that draw the codes of the states, ``(B, Z)``.

        Returns:
            ``reconstruction``, ``prediction``, ``prior`` and ``transition``.
        """
        states, following = (self.network_input(part).flatten(1) for part in (batch.obs, batch.next_obs))
        action = self.actions.encode(batch.action, states.dtype)
        before, after = self.networks.posterior(states), self.networks.posterior(following)
        code = before.sample(noise.to(states.dtype))
        model = self.networks.local_model(code)
        return {
            "reconstruction": self.networks.cost(code, states),
            "prediction": self.networks.cost(model.step(code, action), following),
            "prior": before.kl_to_standard(),
            "transition": model.divergence(before, action, after),
        }

    def losses(self, batch: Transitions, random: torch.Generator) -> dict[str, Tensor]:
        """The loss, then its terms.

        Returns:
            ``loss``, and ``loss_<term>`` as `terms` names them.
        """
        noise = torch.randn((len(batch), self.config.latent_dim), generator=random, device=self.device)
        terms = {name: term.mean() for name, term in self.terms(batch, noise).items()}
        weights = {"transition": self.config.transition_weight}
        loss = torch.stack([weights.get(name, 1.0) * term for name, term in terms.items()]).sum()
        return {"loss": loss} | {f"loss_{name}": term for name, term in terms.items()}

    @torch.no_grad()
    def diagnose(self, transitions: Transitions) -> dict[str, float]:
        """How codes and the local model do, on at most 128 states.

        Returns:
            ``target_std`` and ``target_rank`` of the codes, which fall where they collapse; ``least_determinant``, the
            smallest 1 + v.r, 0.001 where the model had to be bounded.
        """
        sample = transitions[evenly_spaced_indices(len(transitions), self.device)]
        code = self.networks.posterior(self.network_input(sample.obs).flatten(1)).mean
        least = self.networks.local_model(code).determinant.min()
        return target_diagnostics(code) | {"least_determinant": float(least)}

    def guarantees(self) -> Guarantees:
        """A bonus is its transition's alone."""
        return Guarantees(depends_on="transition")
