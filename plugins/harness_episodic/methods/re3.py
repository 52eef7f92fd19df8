"""RE3 (Seo, Chen, Shin, Lee, Abbeel and Lee 2021, arXiv 2102.09430).

A frozen random network f embeds states, the newest of which are kept. With d_i the distance from f(s') to the i-th nearest of
those that are kept, itself at 0 as the first:

    bonus   d_k / deviation(d_k)     (RE3 on RAD)         log(1 + mean_i d_i / deviation)     (RE3 on A2C)

On-policy the states of a step are kept before they are scored; later states of the rollout never are.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.nn.diagnostics import effective_rank
from harness.nn.memo import Memo
from harness.nn.observations import ObservationNormaliser
from harness.rewards import Guarantees, Spaces, Transitions
from harness_episodic.configs.particles import RE3Config
from harness_episodic.encoders import build_encoder
from harness_episodic.methods.base import EpisodicReward
from harness_episodic.particles import Bank, DistanceScale, particle_bonus


class RE3(EpisodicReward[RE3Config]):
    """The distance to near neighbours in a frozen random space; see the module and `RE3Config` for every choice.

    Raises:
        UserError: When observations are not a box of numbers, or the architecture does not fit them.
    """

    def __init__(self, config: RE3Config, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        self.encoder = nn.Sequential(build_encoder(config, self.shape, images=self.images, generator=self.generator))
        if config.layer_norm:
            self.encoder.extend([nn.LayerNorm(config.feature_dim, elementwise_affine=False), nn.Tanh()])
        self.observations = ObservationNormaliser(self.shape, config.observation_normalisation)
        self.scale = DistanceScale(config.distance_scale)
        self.bank = Bank(config.bank_size, config.feature_dim)
        self._distances: Memo | None = None
        self.requires_grad_(False)
        self.to(self.device)

    @torch.no_grad()
    def observe(self, transitions: Transitions) -> None:
        """Keep the features of this step's states, and let their distances count for the deviation."""
        states = transitions.states(self.config.bonus_on)
        self.bank.push(self.features(states))
        distances = self.distances(states)
        self.scale.see(self._counted(distances))
        self._distances = Memo.of(distances, states)

    @torch.no_grad()
    def bonus(self, transitions: Transitions) -> Tensor:
        """The bonus of these distances, float32 ``(B,)``; 0 while fewer than k states are kept."""
        states = transitions.states(self.config.bonus_on)
        known = self._distances is not None and self._distances.is_valid_for(states)
        distances = self._distances.output if known and self._distances is not None else self.distances(states)
        if distances.shape[1] < self.config.neighbours:
            return torch.zeros(len(transitions), device=self.device)
        bonus = particle_bonus(distances, self.scale.value, average=self.config.average, log=self.config.log)
        return bonus.float()

    def update(self, transitions: Transitions) -> dict[str, float]:
        """Nothing to learn but the statistics of observations."""
        self.observations.update(transitions.states(self.config.bonus_on))
        return {}

    @torch.no_grad()
    def diagnose(self, transitions: Transitions) -> dict[str, float]:
        """Whether the space tells states apart.

        Returns:
            ``embedding_rank``, the `effective_rank` of features; ``distance_scale``, what distances are divided by;
            ``bank_fill``, the share of the bank that is in use.
        """
        features = self.features(self.sample(transitions.states(self.config.bonus_on)))
        fill = float(self.bank.filled) / len(self.bank)
        return {
            "embedding_rank": effective_rank(features),
            "distance_scale": float(self.scale.value),
            "bank_fill": fill,
        }

    def guarantees(self) -> Guarantees:
        """The network never changes."""
        return Guarantees(frozen=("encoder",), depends_on="past", any_order=True)

    def features(self, states: Tensor) -> Tensor:
        """Embedded states, ``(B, feature_dim)``."""
        return self.encoder(self.observations(states, next(self.encoder.parameters()).dtype))

    def distances(self, states: Tensor) -> Tensor:
        """Distances to the k nearest that are kept, ascending, ``(B, k)``; fewer while fewer are."""
        return self.bank.distances(self.features(states), self.config.neighbours)

    def _counted(self, distances: Tensor) -> Tensor:
        """Those that the deviation is of: of the k-th neighbours, or of what is averaged."""
        if distances.shape[1] < self.config.neighbours:
            return distances.new_zeros(0)
        return distances[:, -1] if self.config.average == "kth" else distances.mean(1)
