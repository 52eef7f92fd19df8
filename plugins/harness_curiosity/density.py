"""What VAE and world model have in common: an auto-encoder of states that learns from every minibatch."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor

from harness.errors import UserError
from harness.nn.layers import orthogonal
from harness.rewards import Spaces
from harness_curiosity.gaussians import Gaussian
from harness_curiosity.generative_configs import ImageModelConfig
from harness_curiosity.reward import CuriosityReward, takes_convolutions
from harness_curiosity.vae_networks import MLPVAE, VAE, ConvVAE, costs, elbo_loss

ConfigT = TypeVar("ConfigT", bound=ImageModelConfig)


class DensityReward(CuriosityReward[ConfigT]):
    """An auto-encoder of states.

    Attributes:
        model: q(z | x) and the decoder.

    Raises:
        UserError: When observations are not a box of numbers, or not in [0, 1] where a Bernoulli distribution needs that.
    """

    def __init__(self, config: ConfigT, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        if config.likelihood == "bernoulli" and not self.bounded:
            raise UserError(
                "likelihood: bernoulli needs numbers in [0, 1], such as images with observation_normalisation: none; "
                "use squared for these observations"
            )
        logistic = self.bounded and (self.images or config.likelihood == "bernoulli")
        self.model: VAE
        if takes_convolutions(config.architecture, self.shape, self.images):
            self.model = ConvVAE(self.shape[0], config.latent_dim, config.posterior_scale, bounded=logistic)
        else:
            self.model = MLPVAE(self.shape, config.hidden, config.latent_dim, config.posterior_scale, bounded=logistic)
        orthogonal(self.model, config.init_gain, self.generator)

    def posterior(self, states: Tensor) -> Gaussian:
        """q(z | x) of raw states."""
        return self.model.posterior(self.model.targets(self.network_input(states)))

    def vae_terms(self, states: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """What each reconstruction costs, and the divergence of each posterior, ``(B,)`` both.

        Args:
            states: Raw states, ``(B, *shape)``.
            noise: Standard normal numbers that draw the latent vectors, ``(B, latent_dim)``.
        """
        targets = self.model.targets(self.network_input(states))
        posterior = self.model.posterior(targets)
        decoded = self.model.decode(posterior.sample(noise))
        reconstruction = costs(decoded, targets, self.config.likelihood, self.config.pixel_reduction)
        return reconstruction, posterior.kl_to_standard()

    def vae_losses(self, states: Tensor, noise: Tensor) -> dict[str, Tensor]:
        """The auto-encoder's loss, then its terms as means over samples.

        Returns:
            ``vae_loss``, ``reconstruction_loss`` and ``kl_loss``.
        """
        reconstruction, divergence = self.vae_terms(states, noise)
        floor = self.config.kl_floor * self.config.latent_dim
        loss = elbo_loss(reconstruction, divergence, beta=self.config.beta, batch=self.config.batch_reduction, floor=floor)
        return {"vae_loss": loss, "reconstruction_loss": reconstruction.mean(), "kl_loss": divergence.mean()}

    def draw_noise(self, n: int, random: torch.Generator) -> Tensor:
        """Standard normal numbers for ``n`` latent vectors."""
        return torch.randn((n, self.config.latent_dim), generator=random, device=self.device, dtype=self.dtype)

    @torch.no_grad()
    def latent_diagnostics(self, states: Tensor) -> dict[str, float]:
        """How much of the latent space is used.

        Returns:
            ``active_latents``, how many latent means vary by more than 0.01 over the states (Burda et al. 2015), which falls
            to 0 where the posterior collapses; ``posterior_std``, the mean deviation of the posteriors, near 1 there.
        """
        posterior = self.posterior(states)
        active = (posterior.mean.var(0, correction=0) > 0.01).sum()
        return {"active_latents": float(active), "posterior_std": float(posterior.scale.mean())}
