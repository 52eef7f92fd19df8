"""The density of states by a variational auto-encoder (Kingma and Welling 2014; as a bonus Lee et al. 2019, arXiv 1906.05274).

With q(z | x) the encoder and d the decoder, of the next state x:

    bonus   reconstruction  eta |d(mean z) - x|        what is rare is reconstructed badly
            elbo            eta (|d(mean z) - x| + beta KL(q(z | x) || N(0, 1)))
            kl              eta KL(q(z | x) || N(0, 1))
    loss    |d(z) - x| + beta KL(q(z | x) || N(0, 1)), z ~ q(z | x)

|.| sums or averages squared errors, halves of them, or cross-entropies; published codes differ in that by orders of magnitude.
"""

from __future__ import annotations

import torch
from torch import Tensor

from harness.nn.diagnostics import evenly_spaced_indices
from harness.rewards import Guarantees, Spaces, Transitions
from harness_curiosity.density import DensityReward
from harness_curiosity.generative_configs import VAEConfig
from harness_curiosity.vae_networks import costs


class VAEReward(DensityReward[VAEConfig]):
    """How badly the next state is reconstructed; see the module for formulas and `VAEConfig` for every choice."""

    def __init__(self, config: VAEConfig, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        self.start_learning(self.model.parameters())

    @torch.no_grad()
    def bonus(self, transitions: Transitions) -> Tensor:
        """``eta`` times what `surprise` gives for each next state, float32 ``(B,)``."""
        return (self.config.eta * self.surprise(transitions.next_obs)).to(torch.float32)

    def surprise(self, states: Tensor) -> Tensor:
        """The error, the divergence or both of raw states, at the posterior's mean, ``(B,)``."""
        targets = self.model.targets(self.network_input(states))
        posterior = self.model.posterior(targets)
        if self.config.bonus == "kl":
            return posterior.kl_to_standard()
        decoded = self.model.decode(posterior.mean)
        error = costs(decoded, targets, self.config.likelihood, self.config.bonus_reduction)
        return error if self.config.bonus == "reconstruction" else error + self.config.beta * posterior.kl_to_standard()

    def losses(self, batch: Transitions, random: torch.Generator) -> dict[str, Tensor]:
        """What `DensityReward.vae_losses` gives of the next states."""
        return self.vae_losses(batch.next_obs, self.draw_noise(len(batch), random))

    def diagnose(self, transitions: Transitions) -> dict[str, float]:
        """What `DensityReward.latent_diagnostics` gives of at most 128 next states."""
        return self.latent_diagnostics(transitions.next_obs[evenly_spaced_indices(len(transitions), self.device)])

    def guarantees(self) -> Guarantees:
        """A bonus is its transition's alone."""
        return Guarantees(depends_on="transition")
