"""SimHash counts (Tang, Houthooft, Foote, Stooke, Chen, Duan, Schulman, De Turck and Abbeel 2017, arXiv 1611.04717).

States that look alike share a hash code, and how often each code was visited is counted (their algorithm 1):

    code   phi(s) = sgn(A g(s)) in {-1, 1}^k,  A a fixed k x D matrix of independent N(0, 1) numbers
    bonus  beta / sqrt(n(phi(s)))

g averages images down to a few pixels and leaves vectors as they are. How this differs from the paper is in the README.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import torch
from gymnasium import spaces as gym_spaces
from torch import Tensor
from torch.nn import functional as F

from harness.errors import UserError
from harness.rewards import Guarantees, IntrinsicReward, Spaces, Transitions
from harness_simhash.config import SimHashConfig


class SimHash(IntrinsicReward[SimHashConfig]):
    """The inverse root of how often a state's hash code was visited; see the module for formulas.

    Raises:
        UserError: When observations are not a box of numbers.
    """

    projection: Tensor

    def __init__(
        self,
        config: SimHashConfig,
        spaces: Spaces,
        n_envs: int,
        device: torch.device | str,
        seed: int,
    ) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        if not isinstance(spaces.observation, gym_spaces.Box):
            raise UserError(f"observations must be a Box of numbers, not {spaces.observation}")
        self._newest = spaces.frame_channels
        size = self._newest * config.image_side**2 if self._newest else prod(spaces.observation.shape)
        self.register_buffer("projection", torch.randn(size, config.bits, generator=self.generator))
        self.counts: Counter[bytes] = Counter()
        self.to(self.device)

    def view(self, observations: np.ndarray) -> np.ndarray:
        """The newest frame ``(B, frame_channels, H, W)`` of stacked images, or everything."""
        return observations[:, -self._newest :] if self._newest else observations

    def observe(self, transitions: Transitions) -> None:
        """Count the states that this step led to."""
        self.counts.update(self.codes(transitions.next_obs))

    def bonus(self, transitions: Transitions) -> Tensor:
        """``beta / sqrt(n)`` of the next states, float32 ``(B,)``; beta for a state that was never counted."""
        visits = [max(self.counts[code], 1) for code in self.codes(transitions.next_obs)]
        return self.config.beta / torch.tensor(visits, dtype=torch.float32, device=self.device).sqrt()

    def update(self, transitions: Transitions) -> dict[str, float]:
        """Nothing to learn beyond the counts.

        Returns:
            ``codes``, how many there are so far; ``visits_mean``, how often those of this rollout were visited.
        """
        visits = [self.counts[code] for code in self.codes(transitions.next_obs)]
        return {"codes": float(len(self.counts)), "visits_mean": float(np.mean(visits))}

    @torch.no_grad()
    def codes(self, states: Tensor) -> list[bytes]:
        """The hash code of each state, its k bits packed into bytes."""
        signs = self.features(states) @ self.projection > 0
        return [row.tobytes() for row in np.packbits(signs.cpu().numpy(), axis=1)]

    def features(self, states: Tensor) -> Tensor:
        """g: states as one row of float32 numbers each, images at a low resolution and scaled to [0, 1]."""
        if self._newest:
            states = F.adaptive_avg_pool2d(states.to(torch.float32) / 255, self.config.image_side)
        return states.flatten(1).to(torch.float32)

    def get_extra_state(self) -> dict[str, Any]:
        """The base's, and the counts: codes as uint8 ``(n, k / 8)`` and how often each was visited, int64 ``(n,)``."""
        codes = np.frombuffer(b"".join(self.counts), dtype=np.uint8)
        return super().get_extra_state() | {
            "codes": torch.from_numpy(codes.reshape(len(self.counts), (self.config.bits + 7) // 8).copy()),
            "visits": torch.tensor(list(self.counts.values()), dtype=torch.int64),
        }

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `get_extra_state` gave."""
        super().set_extra_state(state)
        codes = [row.tobytes() for row in state["codes"].cpu().numpy()]
        self.counts = Counter(dict(zip(codes, state["visits"].tolist(), strict=True)))

    def guarantees(self) -> Guarantees:
        """A bonus depends on everything that was counted before; the matrix never changes, nor does an update learn."""
        return Guarantees(depends_on="past")
