"""Never Give Up (Badia et al. 2020, arXiv 2002.06038), and its episodic part alone.

With d_1 .. d_k the distances of the embedded state to the nearest of its episode's earlier ones, m the running mean of
d_k^2 over all queries, this one included, and e the error of random network distillation:

    K_i = eps / (max(d_i^2 / m - xi, 0) + eps),   s = sqrt(sum_i K_i) + c
    pseudo-counts   1 / s, but 0 where s > s_max, and while fewer than k states are remembered
    ngu             pseudo-counts * clip(1 + (e - mean of e) / deviation of e, 1, L)

The embedding learns by the inverse model alone, and states join the memory after they were scored.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor

from harness.nn.distillation import DistillationPair
from harness.nn.episodes import EpisodeRings
from harness.nn.memo import Memo
from harness.nn.minibatches import mean_losses, minibatches
from harness.nn.moments import RunningMoments
from harness.nn.observations import ObservationNormaliser
from harness.rewards import Guarantees, Spaces, Transitions
from harness_episodic.configs.dynamics import NGUConfig, PseudoCountsConfig
from harness_episodic.encoders import build_encoder
from harness_episodic.kernel import Kernel, NeighbourMemory, UsualDistance
from harness_episodic.methods.dynamics import DynamicsReward

PseudoCountsT = TypeVar("PseudoCountsT", bound=PseudoCountsConfig)


def lifelong_factor(novelty: Tensor, mean: Tensor | float, std: Tensor | float, largest: float) -> Tensor:
    """``clip(1 + (e - mean) / std, 1, L)``, ``(B,)``; 1 while there is no deviation.

    Args:
        novelty: The predictor's errors e, ``(B,)``.
        mean: What is subtracted from them: their running mean, or 0 (RLLTE).
        std: Their running deviation.
        largest: Largest factor, the paper's L.
    """
    standardised = (novelty - mean) / std
    return (1 + standardised.nan_to_num(0.0, 0.0, 0.0)).clamp(1, largest).to(novelty.dtype)


class _Counting(DynamicsReward[PseudoCountsT]):
    """What both methods do: remember embedded states, and count those that are near."""

    def __init__(self, config: PseudoCountsT, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        self.kernel = Kernel(config.kernel_epsilon, config.cluster_distance, config.count_constant, config.max_similarity)
        self.usual = UsualDistance(config.distance_mean)
        least = config.neighbours if config.fewer_neighbours == "zero" else 1
        capacity = self.memory_capacity(config.memory)
        self.episodes = NeighbourMemory(n_envs, capacity, config.feature_dim, config.neighbours, least)

    def rings(self) -> EpisodeRings:
        """The embedded states of episodes."""
        return self.episodes.rings

    def track(self, transitions: Transitions) -> None:
        """Compare this step's states with their episodes, then let them join."""
        self.episodes.advance(transitions, self.embed, self.config.bonus_on)

    def observe(self, transitions: Transitions) -> None:
        """Take in how far neighbours are."""
        self.usual.see(self._distances(transitions))

    @torch.no_grad()
    def bonus(self, transitions: Transitions) -> Tensor:
        """The inverse root of pseudo-counts, float32 ``(B,)``."""
        return self.kernel.bonus(self._distances(transitions), self.usual.mean).float()

    def update(self, transitions: Transitions) -> dict[str, float]:
        """One rollout; see `LearnedReward.update`."""
        self.usual.end_rollout()
        return super().update(transitions)

    def diagnose(self, transitions: Transitions) -> dict[str, float]:
        """What `DynamicsReward.diagnose` returns.

        Returns:
            Its metrics, and ``usual_distance``, the squared distance that counts as 1.
        """
        return super().diagnose(transitions) | {"usual_distance": float(self.usual.mean)}

    def guarantees(self) -> Guarantees:
        """The usual distance is of everything before."""
        return Guarantees(depends_on="past")

    def _distances(self, transitions: Transitions) -> Tensor:
        return self.episodes.answer(transitions, self.embed, self.config.bonus_on)


class PseudoCounts(_Counting[PseudoCountsConfig]):
    """The episodic part of NGU alone; see the module for formulas and `PseudoCountsConfig` for every choice.

    Raises:
        UserError: When observations are not a box of numbers, actions neither discrete nor a box, or the architecture does not
            fit.
    """

    name = "pseudo_counts"

    def __init__(self, config: PseudoCountsConfig, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        self.start_learning(self.dynamics.parameters())


class NGU(_Counting[NGUConfig]):
    """Pseudo-counts times lifelong novelty; see the module for formulas and `NGUConfig` for every choice.

    Raises:
        UserError: When observations are not a box of numbers, actions neither discrete nor a box, or the architecture does not
            fit.
    """

    name = "ngu"

    def __init__(self, config: NGUConfig, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        target, predictor = (
            build_encoder(
                config,
                self.shape,
                images=self.images,
                generator=self.generator,
                feature_dim=config.rnd_feature_dim,
                hidden=config.rnd_hidden,
            )
            for _ in range(2)
        )
        self.pair = DistillationPair(target, predictor)
        self.observations = ObservationNormaliser(self.shape, config.rnd_observations)
        self.novelty_moments = RunningMoments(epsilon=0.0)
        self._novelty: Memo | None = None
        self.start_learning(self.dynamics.parameters())
        self.optimizers["predictor"] = self.build_optimizer(self.pair.predictor.parameters(), config.rnd_learning_rate)

    @torch.no_grad()
    def observe(self, transitions: Transitions) -> None:
        """Take in how far neighbours are, and how new states are."""
        super().observe(transitions)
        states = transitions.states(self.config.bonus_on)
        novelty = self.novelty(states)
        self.novelty_moments.update(novelty)
        self._novelty = Memo.of(novelty, states, self.pair.predictor)

    @torch.no_grad()
    def bonus(self, transitions: Transitions) -> Tensor:
        """Pseudo-counts times the factor of lifelong novelty, float32 ``(B,)``."""
        return super().bonus(transitions) * self.factor(transitions.states(self.config.bonus_on)).float()

    @torch.no_grad()
    def factor(self, states: Tensor) -> Tensor:
        """What lifelong novelty multiplies with, ``(B,)``, between 1 and L."""
        known = self._novelty is not None and self._novelty.is_valid_for(states, self.pair.predictor)
        novelty = self._novelty.output if known and self._novelty is not None else self.novelty(states)
        mean = self.novelty_moments.mean if self.config.lifelong == "standardised" else 0.0
        return lifelong_factor(novelty, mean, self.novelty_moments.std, self.config.max_factor)

    def update(self, transitions: Transitions) -> dict[str, float]:
        """One rollout: statistics of observations, the embedding, then the predictor.

        Returns:
            ``inverse_loss`` and ``predictor_loss``, the means over minibatches.
        """
        states = transitions.states(self.config.bonus_on)
        self.observations.update(states)
        self._novelty = None
        metrics = super().update(transitions)
        parts = minibatches(
            transitions.env_index,
            self.config.minibatches,
            self.config.minibatch_order,
            epochs=self.config.epochs,
            random=self.generator,
        )
        return metrics | mean_losses([self._learn_novelty(states[index]) for index in parts])

    def diagnose(self, transitions: Transitions) -> dict[str, float]:
        """What `PseudoCounts.diagnose` returns.

        Returns:
            Its metrics, and ``lifelong_factor``, the mean over states.
        """
        states = self.sample(transitions.states(self.config.bonus_on))
        return super().diagnose(transitions) | {"lifelong_factor": float(self.factor(states).mean())}

    def guarantees(self) -> Guarantees:
        """The usual distance and the moments of novelty are of everything before; the target is frozen."""
        return Guarantees(frozen=("pair.target",), depends_on="past")

    def novelty(self, states: Tensor) -> Tensor:
        """The predictor's mean squared error, ``(B,)``."""
        inputs = self.observations(states, next(self.pair.predictor.parameters()).dtype)
        return self.pair.squared_error(inputs).mean(1)

    def _learn_novelty(self, states: Tensor) -> dict[str, Tensor]:
        loss = self.novelty(states).mean()
        self.descend(loss, list(self.pair.predictor.parameters()), self.optimizers["predictor"])
        return {"predictor_loss": loss.detach()}
