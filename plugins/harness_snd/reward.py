"""Self-supervised network distillation (Pechac, Chovanec and Farkas 2024, arXiv 2302.11563).

A predictor distils a target; the target learns by a self-supervised objective; the bonus is the distillation error:

    bonus      clip(eta * 1/D sum_d (z_d(s) - f_d(s))^2),  z the target's features, f the predictor's
    predictor  L_f = sum_nd m_nd (sg(z_nd) - f_nd)^2 / sum_nd m_nd  with a random mask m, sg stopping the gradient
    target     L_z = sum of the objective's terms

One Adam minimises L_f + L_z, whose parameters are disjoint. Order within a rollout (``experiment/ppo_nenv_experiment.py``): at
every step the statistics, if any, then the bonus with the present weights; after the last step one pass over the rollout.
Differences from the reference code are in this package's README.
"""

from __future__ import annotations

from typing import ClassVar, TypeVar, cast

import numpy as np
import torch
from torch import Tensor

from harness.nn.clipping import BonusClipper
from harness.nn.diagnostics import evenly_spaced_indices, target_diagnostics
from harness.nn.distillation import DistillationPair, masked_mean
from harness.nn.frames import FrameSelector
from harness.nn.layers import Encoder
from harness.nn.minibatches import mean_losses, minibatches
from harness.nn.moments import ReturnNormaliser
from harness.nn.observations import ObservationNormaliser
from harness.rewards import Guarantees, IntrinsicReward, Spaces, Transitions
from harness_snd.config import SNDConfig
from harness_snd.encoders import build_predictor, build_target
from harness_snd.objective import Minibatch, Objective, ObjectiveContext

ConfigT = TypeVar("ConfigT", bound=SNDConfig)


class SND(IntrinsicReward[ConfigT]):
    """The error in predicting a target that learns; see the module for formulas and `SNDConfig` for every choice.

    Raises:
        UserError: When observations are not a box of numbers, or the architecture or the objective does not fit them.
    """

    objective_class: ClassVar[type[Objective]]
    """What the target learns by; the one thing that a method adds."""

    def __init__(self, config: ConfigT, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        images = spaces.frame_channels is not None
        self._select_frames = FrameSelector(spaces.observation, spaces.frame_channels, config.frames)
        shape = self._select_frames.shape
        target = build_target(config, shape, images=images, generator=self.generator)
        predictor = build_predictor(config, shape, images=images, generator=self.generator)
        self.pair = DistillationPair(target, predictor, frozen=False)
        self.objective = self.objective_class(config, ObjectiveContext(target, shape, images, spaces.action, self.generator))
        self.observations = ObservationNormaliser(
            shape, config.observation_normalisation, clip=config.observation_clip, statistics="cumulative"
        )
        if config.bonus_normalisation == "return_std":
            self.normaliser = ReturnNormaliser(n_envs, config.bonus_gamma)
        self.to(self.device)
        trained = [*self.pair.parameters(), *(p for p in self.objective.parameters() if p.requires_grad)]
        self.optimizers["networks"] = torch.optim.Adam(trained, lr=config.learning_rate, eps=config.adam_epsilon)
        self._clip = BonusClipper(config.bonus_clip, self.device)

    @property
    def target(self) -> Encoder:
        """The network that is distilled."""
        return cast(Encoder, self.pair.target)

    def view(self, observations: np.ndarray) -> np.ndarray:
        """The newest frame ``(B, frame_channels, H, W)`` of stacked images, or everything."""
        return self._select_frames(observations)

    def observe(self, transitions: Transitions) -> None:
        """Show the statistics of observations, if there are any, the states of one step."""
        self.observations.update(transitions.states(self.config.bonus_on))

    @torch.no_grad()
    def bonus(self, transitions: Transitions) -> Tensor:
        """``clip(eta * error)`` of the scored states, float32 ``(B,)``."""
        return self._clip(self.config.eta * self.error(transitions.states(self.config.bonus_on)))

    def update(self, transitions: Transitions) -> dict[str, float]:
        """One rollout: `SNDConfig.epochs` passes over its minibatches.

        Returns:
            ``predictor_loss``, ``target_loss`` and its terms as ``target_loss_<term>``, means over minibatches.

        Raises:
            ValueError: When there are less than two transitions, too few for any objective.
        """
        if len(transitions) < 2:
            raise ValueError(f"an update needs two transitions or more, not {len(transitions)}")
        random = self.update_generator()
        parts = minibatches(
            transitions.env_index,
            self.config.minibatches,
            self.config.minibatch_order,
            epochs=self.config.epochs,
            min_size=2,
            random=random,
        )
        return mean_losses([self._learn(self.batch(transitions, index, random)) for index in parts])

    @torch.no_grad()
    def diagnose(self, transitions: Transitions) -> dict[str, float]:
        """How the target does, and what clipping costs.

        Returns:
            ``target_std`` and ``target_rank``, see `target_diagnostics`; ``clipped_share``, how much of eta * error was cut
            off.
        """
        states = transitions.states(self.config.bonus_on)[evenly_spaced_indices(len(transitions), self.device)]
        diagnostics = target_diagnostics(self.target(self.network_input(states)))
        return diagnostics | {"clipped_share": self._clip.pop_share()}

    def network_input(self, states: Tensor) -> Tensor:
        """What the networks see of states, in their own precision, of the same shape."""
        return self.observations(states, self.target.linear.weight.dtype)

    @torch.no_grad()
    def error(self, states: Tensor) -> Tensor:
        """The predictor's mean squared error over features on a batch of states, ``(B,)``."""
        return self.pair.squared_error(self.network_input(states)).mean(1)

    def batch(self, transitions: Transitions, index: Tensor, random: torch.Generator) -> Minibatch:
        """Those transitions of a rollout, as the objective and the predictor see them."""
        return Minibatch(self.target, transitions, index, self.network_input, random)

    def predictor_loss(self, batch: Minibatch, keep: Tensor | None = None) -> Tensor:
        """The predictor's loss, a scalar; no gradient reaches the target.

        Args:
            batch: What to learn from.
            keep: Bool ``(B, D)``: entries that count; ``None`` for all.
        """
        scored = batch.states if self.config.bonus_on == "obs" else batch.next_states
        squared = self.pair.squared_error(scored, batch.detached_features(self.config.bonus_on))
        if self.config.distillation == "mean":
            return masked_mean(squared, keep)
        return squared.sum() if keep is None else (squared * keep).sum()

    def distillation_loss(self, transitions: Transitions) -> Tensor:
        """The predictor's loss on all of these transitions, without a mask; it trains the predictor alone."""
        return self.predictor_loss(self._full_minibatch(transitions))

    def target_loss(self, transitions: Transitions) -> Tensor:
        """The objective's loss on all of these transitions, as one minibatch; it trains all but the predictor."""
        return _sum_terms(self.objective.terms(self._full_minibatch(transitions)))

    def guarantees(self) -> Guarantees:
        """Which loss stops where, and what neither order nor past decide."""
        one_minibatch = self.config.minibatches == 1 and self.config.keep == 1
        return Guarantees(
            stops_gradient={"distillation_loss": ["pair.target", "objective"], "target_loss": ["pair.predictor"]},
            depends_on="transition" if self.observations.moments is None else "past",
            any_order=one_minibatch and not self.objective.is_random,
        )

    def _full_minibatch(self, transitions: Transitions) -> Minibatch:
        index = torch.arange(len(transitions), device=self.device)
        return self.batch(transitions, index, torch.Generator(self.device))

    def _learn(self, batch: Minibatch) -> dict[str, Tensor]:
        terms = self.objective.terms(batch)
        target_loss = _sum_terms(terms)
        predictor_loss = self.predictor_loss(batch, self._draw_mask(batch))
        self.optimizers["networks"].zero_grad()
        (predictor_loss + target_loss).backward()
        self.optimizers["networks"].step()
        self.objective.after_step(self.target)
        losses = {"predictor_loss": predictor_loss, "target_loss": target_loss}
        losses |= {f"target_loss_{name}": term for name, term in terms.items()}
        return {name: loss.detach() for name, loss in losses.items()}

    def _draw_mask(self, batch: Minibatch) -> Tensor | None:
        if self.config.keep == 1:
            return None
        shape = (len(batch), self.config.feature_dim)
        return torch.rand(shape, generator=batch.random, device=self.device) < self.config.keep


def _sum_terms(terms: dict[str, Tensor]) -> Tensor:
    return torch.stack(list(terms.values())).sum()
