"""The surprise of a world model (Ha and Schmidhuber 2018, arXiv 1803.10122: V and M, without the controller).

V is a variational auto-encoder of states with codes z, M an LSTM over actions and codes whose output gives a mixture of normal
distributions of the next code:

    bonus   -log p(z_{t+1} | a_t, z_t, h_t), codes being posterior means; h_t has followed the episode, and is empty at its
    start V       the loss of an auto-encoder, see `harness_curiosity.vae`
    M       mean -log p(z' | a, z, h), codes drawn from the posterior, over pieces of episodes that begin with an empty memory

A density has no largest value, so that the bonus may be negative: it is divided by its return's deviation and never clipped.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from harness.nn.actions import ActionCodec
from harness.nn.diagnostics import evenly_spaced_indices
from harness.nn.layers import orthogonal
from harness.nn.minibatches import mean_losses
from harness.rewards import Guarantees, Spaces, Transitions
from harness_curiosity.density import DensityReward
from harness_curiosity.generative_configs import WorldModelConfig
from harness_curiosity.mixtures import MixtureRNN
from harness_curiosity.recurrent import RecurrentReward
from harness_curiosity.sequences import RecurrentState, lstm_step, segment_batches, segments


class WorldModel(RecurrentReward[WorldModelConfig], DensityReward[WorldModelConfig]):
    """How improbable the next code was; see the module for formulas and `WorldModelConfig` for every choice.

    Raises:
        UserError: When observations or actions are not of a kind that the method takes.
    """

    def __init__(self, config: WorldModelConfig, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        self.actions = ActionCodec(spaces.action, "world_model")
        self.memory_model = MixtureRNN(
            config.latent_dim,
            self.actions.width,
            config.recurrent,
            config.components,
            config.mixture,
            extras=2 if config.predict_reward or config.predict_done else 0,
        )
        orthogonal(self.memory_model, config.init_gain, self.generator)
        self.state = RecurrentState(n_envs, config.recurrent)
        self.start_learning([*self.model.parameters(), *self.memory_model.parameters()])

    def update(self, transitions: Transitions) -> dict[str, float]:
        """One rollout: the auto-encoder over its minibatches, then the memory model over pieces of episodes.

        Returns:
            What `DensityReward.vae_losses` gives, and what `memory_losses` gives as ``memory_<name>``; means over minibatches.
        """
        self.update_statistics(transitions)
        random = self.update_generator()
        learned = [self._learn_codes(transitions[index], random) for index in self.minibatches(transitions, random)]
        with torch.no_grad():
            before, after = self.posterior(transitions.obs), self.posterior(transitions.next_obs)
        rows, inside = segments(transitions, self.config.segment)
        remembered: list[dict[str, Tensor]] = []
        for part in segment_batches(len(rows), self.config.segments_per_batch, self.config.epochs, random):
            noise = (self.draw_noise(len(transitions), random) for _ in range(2))
            codes, following = before.sample(next(noise)), after.sample(next(noise))
            losses = self.memory_losses(transitions, codes, following, rows[part], inside[part])
            self.descend(losses["loss"])
            remembered.append({name: loss.detach() for name, loss in losses.items()})
        return mean_losses(learned) | {f"memory_{name}": value for name, value in mean_losses(remembered).items()}

    def losses(self, batch: Transitions, random: torch.Generator) -> dict[str, Tensor]:
        """What `DensityReward.vae_losses` gives of the next states."""
        return self.vae_losses(batch.next_obs, self.draw_noise(len(batch), random))

    def memory_losses(
        self, transitions: Transitions, codes: Tensor, following: Tensor, rows: Tensor, inside: Tensor
    ) -> dict[str, Tensor]:
        """The memory model's loss over pieces of episodes.

        Args:
            transitions: A rollout in order of time.
            codes: z of each state, ``(T * N, Z)``.
            following: z of each next state, of the same shape.
            rows: Rows of each piece, ``(S, L)``.
            inside: Rows that belong to it, bool ``(S, L)``.

        Returns:
            ``loss``, then ``surprise`` and, where they are predicted, ``reward_loss`` and ``done_loss``.
        """
        rows, inside = rows.T, inside.T
        actions = self.actions.encode(transitions.action, codes.dtype)[rows]
        outputs = self.memory_model(actions, codes[rows])
        mixture = self.memory_model.mixture(outputs)
        surprise = mixture.surprise(following[rows])[inside].mean()
        terms = {"surprise": surprise}
        predicted_reward, predicted_done = self.memory_model.extras(outputs)
        if self.config.predict_reward:
            rewards = transitions.reward.to(codes.dtype)[rows]
            terms["reward_loss"] = F.mse_loss(predicted_reward[inside], rewards[inside])
        if self.config.predict_done:
            ends = transitions.terminated.to(codes.dtype)[rows]
            terms["done_loss"] = F.binary_cross_entropy_with_logits(predicted_done[inside], ends[inside])
        divisor = self.config.latent_dim + len(terms) - 1 if mixture.shared else 1
        return {"loss": torch.stack(list(terms.values())).sum() / divisor, **terms}

    @torch.no_grad()
    def diagnose(self, transitions: Transitions) -> dict[str, float]:
        """How codes and mixtures do.

        Returns:
            What `latent_diagnostics` gives of at most 128 next states; ``components_used``, the exponential of the entropy of
            the mixtures' mean weights at the present memories, between 1 and K.
        """
        found = self.latent_diagnostics(transitions.next_obs[evenly_spaced_indices(len(transitions), self.device)])
        weights = self.memory_model.mixture(self.memory_model.head(self.state.output)).log_weights.exp()
        entropy = torch.special.entr(weights.flatten(0, -2).mean(0)).sum()
        return found | {"components_used": float(entropy.exp())}

    def guarantees(self) -> Guarantees:
        """A bonus depends on its episode up to it."""
        return Guarantees(depends_on="episode")

    def step(self, transitions: Transitions) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The surprise of each transition, ``(B,)``, and what the memories would be after it."""
        codes, following = self.posterior(transitions.obs).mean, self.posterior(transitions.next_obs).mean
        inputs = torch.cat([self.actions.encode(transitions.action, codes.dtype), codes], 1)
        state = lstm_step(self.memory_model.lstm, inputs, self.state.read(transitions.env_index))
        surprise = self.memory_model.mixture(self.memory_model.head(state[0])).surprise(following)
        return surprise if surprise.ndim == 1 else surprise.sum(1), state

    def _learn_codes(self, batch: Transitions, random: torch.Generator) -> dict[str, Tensor]:
        losses = self.losses(batch, random)
        self.descend(losses["vae_loss"], bounded=False)
        return {name: loss.detach() for name, loss in losses.items()}
