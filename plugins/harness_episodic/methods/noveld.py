"""NovelD, first called BeBold (Zhang, Xu, Wang, Wu, Keutzer, Gonzalez and Tian 2021, arXiv 2012.08621).

With e(s) = |g(s) - f(s)| the Euclidean norm of the error of a predictor g of a frozen random network f:

    bonus       max(e(s') - alpha e(s), 0) where s' is visited for the first time in its episode, else 0
    predictor   L = mean e(s')
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from harness.nn.diagnostics import target_diagnostics
from harness.nn.distillation import DistillationPair
from harness.nn.layers import mlp, orthogonal
from harness.rewards import Guarantees, Spaces, Transitions
from harness_episodic.configs.counting import NovelDConfig
from harness_episodic.encoders import build_encoder
from harness_episodic.methods.base import LearnedReward, fill_of
from harness_episodic.visits import StateCoder, VisitMemory


def novelty_difference(errors: Tensor, next_errors: Tensor, visits: Tensor, alpha: float) -> Tensor:
    """``max(e' - alpha e, 0)`` on first visits, else 0, ``(B,)``.

    Args:
        errors: The predictor's errors where transitions started, ``(B,)``.
        next_errors: Those where they led to, ``(B,)``.
        visits: Visits of the latter in their episodes, the present ones included, int64 ``(B,)``.
        alpha: Share of the first errors that is subtracted.
    """
    gain = (next_errors - alpha * errors).clamp(min=0)
    return torch.where(visits == 1, gain, torch.zeros_like(gain))


class NovelD(LearnedReward[NovelDConfig]):
    """What novelty grows by, on first visits; see the module for formulas and `NovelDConfig` for every choice.

    Raises:
        UserError: When observations are not a box of numbers, or the architecture does not fit them.
    """

    def __init__(self, config: NovelDConfig, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        target, encoder = (build_encoder(config, self.shape, images=self.images, generator=self.generator) for _ in range(2))
        predictor = nn.Sequential(encoder)
        if config.predictor_layers:
            more = mlp([config.feature_dim] * (config.predictor_layers + 1))
            predictor.extend([nn.ReLU(), orthogonal(more, config.init_gain, self.generator)])
        self.pair = DistillationPair(target, predictor)
        self.coder = StateCoder(
            self.shape,
            images=self.images,
            code=config.code,
            bin_width=config.bin_width,
            bits=config.bits,
            image_side=config.image_side,
            generator=self.generator,
        )
        self.episodes = VisitMemory(n_envs, self.memory_capacity(config.memory))
        self.start_learning(self.pair.predictor.parameters())

    def track(self, transitions: Transitions) -> None:
        """Count the states that this step led to in their episodes."""
        self.episodes.advance(transitions, self.coder)

    @torch.no_grad()
    def bonus(self, transitions: Transitions) -> Tensor:
        """What novelty grows by, float32 ``(B,)``; 0 where the state was in the episode before."""
        visits = self.episodes.answer(transitions, self.coder)
        ends = torch.cat([transitions.obs, transitions.next_obs])
        errors, next_errors = self.errors(ends).chunk(2)
        return novelty_difference(errors, next_errors, visits, self.config.alpha).float()

    def losses(self, batch: Transitions) -> dict[str, Tensor]:
        """The predictor's loss on the states that transitions led to."""
        if self.config.loss == "norm":
            loss = self.errors(batch.next_obs).mean()
        else:
            loss = self.pair.squared_error(self.network_input(batch.next_obs)).mean()
        return {"predictor_loss": self.config.loss_scale * loss}

    @torch.no_grad()
    def diagnose(self, transitions: Transitions) -> dict[str, float]:
        """Whether the target tells states apart, how new they are, and how often they recur.

        Returns:
            ``target_std`` and ``target_rank``, see `target_diagnostics`; ``novelty``, the mean error; and what `fill_of` says
            of the memory.
        """
        states = self.sample(transitions.next_obs)
        found = target_diagnostics(self.pair.target(self.network_input(states)))
        return found | {"novelty": float(self.errors(states).mean())} | fill_of(self.episodes.rings)

    def guarantees(self) -> Guarantees:
        """The target is frozen; between updates a bonus depends on its episode."""
        return Guarantees(
            frozen=("pair.target",), stops_gradient={"loss": ["pair.target"]}, depends_on="episode", any_order=False
        )

    def loss(self, batch: Transitions) -> Tensor:
        """The predictor's loss."""
        return self.losses(batch)["predictor_loss"]

    def errors(self, states: Tensor) -> Tensor:
        """Norm of the predictor's error, ``(B,)``."""
        inputs = self.network_input(states)
        with torch.no_grad():
            target = self.pair.target(inputs)
        return cast(Tensor, torch.linalg.vector_norm(self.pair.predictor(inputs) - target, dim=1))
