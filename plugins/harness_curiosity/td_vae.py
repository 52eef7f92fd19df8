"""The surprise of a temporal difference variational auto-encoder (Gregor et al. 2019, arXiv 1806.03107).

A belief b_t = LSTM(pre(x_t)) follows the episode. p_B(z | b), q(z_1 | z_2, b_1, b_2) and p_T(z_2 | z_1) are diagonal normal
distributions, each by a gated block; p_D(x | z) is the decoder. For consecutive states

    L = KL(q(z_1 | z_2, b_1, b_2) || p_B(z_1 | b_1)) + log p_B(z_2 | b_2) - log p_T(z_2 | z_1) - log p_D(x_2 | z_2)

with z_2 ~ p_B(. | b_2) and z_1 ~ q. The loss is the mean over pieces of episodes of the sum of L over their steps; the bonus
of a transition is ``eta`` L, both z being means, less what no decoder can cost less if ``subtract_floor``. A density has no
largest value: the bonus may be negative.
"""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn

from harness.nn.diagnostics import target_diagnostics
from harness.nn.layers import mlp, orthogonal
from harness.nn.minibatches import mean_losses
from harness.rewards import Guarantees, Spaces, Transitions
from harness_curiosity.gaussians import Gaussian
from harness_curiosity.generative_configs import TDVAEConfig
from harness_curiosity.likelihoods import StateLikelihood
from harness_curiosity.recurrent import RecurrentReward
from harness_curiosity.sequences import RecurrentState, lstm_step, segment_batches, segments


class GatedBlock(nn.Module):
    """tanh(W_1 u) * logistic(W_2 u), from which linear layers give mean and logarithm of the deviation.

    Args:
        inputs: Numbers of u.
        hidden: Units of the block.
        outputs: Numbers of the distribution.
    """

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.value = nn.Linear(inputs, hidden)
        self.gate = nn.Linear(inputs, hidden)
        self.mean = nn.Linear(hidden, outputs)
        self.log_scale = nn.Linear(hidden, outputs)

    def forward(self, *inputs: Tensor) -> Gaussian:
        """The distributions given the inputs, joined, ``(B, inputs)`` in all."""
        joined = torch.cat(inputs, -1)
        gated = self.value(joined).tanh() * self.gate(joined).sigmoid()
        return Gaussian.of(self.mean(gated), self.log_scale(gated), "log_deviation")


class Belief(nn.Module):
    """Two layers with ReLU and an LSTM, whose output is the belief.

    Args:
        state_dim: Numbers of a flattened state.
        processed_dim: Units of both layers.
        units: Units of the LSTM.
    """

    def __init__(self, state_dim: int, processed_dim: int, units: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(mlp([state_dim, processed_dim, processed_dim]), nn.ReLU())
        self.lstm = nn.LSTM(processed_dim, units)

    def forward(self, states: Tensor) -> Tensor:
        """Beliefs along sequences ``(L, B, state_dim)`` that begin with an empty memory, ``(L, B, units)``."""
        return self.lstm(self.layers(states))[0]

    def step(self, states: Tensor, memory: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Output and cell after one more state, ``(B, units)`` both."""
        return lstm_step(self.lstm, self.layers(states), memory)


class TDVAENetworks(nn.Module):
    """The four distributions and the belief.

    Args:
        config: Settings of the method.
        state_dim: Numbers of a flattened state.
        likelihood: What the decoder's output is the parameter of.
    """

    def __init__(self, config: TDVAEConfig, state_dim: int, likelihood: StateLikelihood) -> None:
        super().__init__()
        z, b, hidden = config.latent_dim, config.belief_dim, config.hidden
        self.prior = GatedBlock(b, hidden, z)
        self.transition = GatedBlock(z, hidden, z)
        self.smoothing = GatedBlock(z + 2 * b, hidden, z)
        self.decoder = mlp([z, hidden, hidden, state_dim])
        self.belief = Belief(state_dim, config.processed_dim, b)
        self.likelihood = likelihood

    def terms(self, before: Tensor, after: Tensor, states: Tensor, noise: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """The terms of L for steps between beliefs, ``(B,)``; L is their sum.

        Args:
            before: b_1, ``(B, belief_dim)``.
            after: b_2, of the same shape.
            states: x_2, flattened, ``(B, state_dim)``.
            noise: Standard normal numbers that draw z_2, then z_1, ``(B, Z)`` both.

        Returns:
            ``smoothing`` (the divergence), ``belief`` (log p_B), ``transition`` (-log p_T) and ``reconstruction`` (-log p_D).
        """
        later = self.prior(after)
        z2 = later.sample(noise[0])
        smoothed = self.smoothing(z2, before, after)
        z1 = smoothed.sample(noise[1])
        return {
            "smoothing": smoothed.kl_to(self.prior(before)),
            "belief": later.log_density(z2).sum(1),
            "transition": -self.transition(z1).log_density(z2).sum(1),
            "reconstruction": self.likelihood(self.decoder(z2), states),
        }


class TDVAE(RecurrentReward[TDVAEConfig]):
    """The surprise of a step between beliefs; see the module for formulas and `TDVAEConfig` for every choice.

    Raises:
        UserError: When observations are not of a kind that the method takes.
    """

    def __init__(self, config: TDVAEConfig, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        likelihood = StateLikelihood.choose(config.likelihood, bounded=self.bounded)
        self.networks = TDVAENetworks(config, prod(self.shape), likelihood)
        orthogonal(self.networks, config.init_gain, self.generator)
        self.state = RecurrentState(n_envs, config.belief_dim)
        self.start_learning(self.networks.parameters())

    def update(self, transitions: Transitions) -> dict[str, float]:
        """One rollout: ``epochs`` passes over its pieces of episodes.

        Returns:
            ``loss`` and its terms as ``loss_<term>``, sums over the steps of a piece; means over minibatches.
        """
        self.update_statistics(transitions)
        random = self.update_generator()
        rows, inside = segments(transitions, self.config.segment)
        learned: list[dict[str, Tensor]] = []
        for part in segment_batches(len(rows), self.config.segments_per_batch, self.config.epochs, random):
            losses = self._segment_losses(transitions, rows[part], inside[part], random)
            self.descend(losses["loss"])
            learned.append({name: loss.detach() for name, loss in losses.items()})
        return mean_losses(learned)

    def losses(self, batch: Transitions, random: torch.Generator) -> dict[str, Tensor]:
        """The loss and its terms over a rollout's pieces of episodes."""
        return self._segment_losses(batch, *segments(batch, self.config.segment), random)

    def sequence_losses(self, states: Tensor, inside: Tensor, noise: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """The mean over sequences of the sum of each term over their steps.

        Args:
            states: Flattened states as the networks see them, ``(L + 1, S, state_dim)``.
            inside: Steps that count, bool ``(L, S)``.
            noise: Standard normal numbers that draw z_2, then z_1, of each step, ``(L, S, Z)`` both.

        Returns:
            ``loss``, then ``loss_<term>``.
        """
        beliefs = self.networks.belief(states)
        drawn = (noise[0][inside], noise[1][inside])
        terms = self.networks.terms(beliefs[:-1][inside], beliefs[1:][inside], states[1:][inside], drawn)
        sums = {f"loss_{name}": term.sum() / states.shape[1] for name, term in terms.items()}
        return {"loss": torch.stack(list(sums.values())).sum(), **sums}

    def diagnose(self, transitions: Transitions) -> dict[str, float]:
        """``target_std`` and ``target_rank`` of the environments' present beliefs, which fall where they collapse."""
        return target_diagnostics(self.state.output)

    def guarantees(self) -> Guarantees:
        """A bonus depends on its episode up to it."""
        return Guarantees(depends_on="episode")

    def _segment_losses(
        self, transitions: Transitions, rows: Tensor, inside: Tensor, random: torch.Generator
    ) -> dict[str, Tensor]:
        rows = rows.T
        first = self._flatten(transitions.obs[rows[0]]).unsqueeze(0)
        following = self._flatten(transitions.next_obs[rows.flatten()]).unflatten(0, rows.shape)
        shape = (2, *rows.shape, self.config.latent_dim)
        noise = torch.randn(shape, generator=random, device=self.device, dtype=self.dtype)
        return self.sequence_losses(torch.cat([first, following]), inside.T, (noise[0], noise[1]))

    def step(self, transitions: Transitions) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """What a bonus is made of, for each transition ``(B,)``, and output and cell of the beliefs after it."""
        envs = transitions.env_index
        output, cell = self.state.read(envs)
        begins = self.state.fresh[envs]
        if bool(begins.any()):
            states = self._flatten(transitions.obs[begins])
            output[begins], cell[begins] = self.networks.belief.step(states, (output[begins], cell[begins]))
        following = self._flatten(transitions.next_obs)
        memory = self.networks.belief.step(following, (output, cell))
        still = output.new_zeros((len(transitions), self.config.latent_dim))
        terms = self.networks.terms(output, memory[0], following, (still, still))
        surprise = torch.stack(list(terms.values())).sum(0)
        return surprise - self.networks.likelihood.floor(following) if self.config.subtract_floor else surprise, memory

    def _flatten(self, states: Tensor) -> Tensor:
        return self.network_input(states).flatten(1)
