"""Counting visits: codes of states, and how often each was visited in its episode and in all training."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from math import prod
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.nn.episodes import EpisodeMemory, EpisodeRings

_CODE_BYTES = 8
"""Bytes of a code: of ten million states two share one with a probability of 3e-6."""


class StateCoder(nn.Module):
    """Gives states that are to count as one the same code, in every process.

    Args:
        shape: Shape of one state.
        images: Whether states are images ``(C, H, W)``, averaged down to ``image_side`` for all but ``bytes``.
        code: What makes two states one: all ``bytes``, ``bins`` of every number, or a ``simhash``.
        bin_width: Width of the bins.
        bits: Bits of the SimHash.
        image_side: Pixels a side to which images are averaged down, unless they have fewer.
        generator: Draws the projections of the SimHash.
    """

    projection: Tensor

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        images: bool,
        code: Literal["bytes", "bins", "simhash"],
        bin_width: float = 0.1,
        bits: int = 32,
        image_side: int = 52,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.code, self.bin_width = code, bin_width
        self.side = (min(image_side, shape[1]), min(image_side, shape[2])) if images else None
        if code == "simhash":
            numbers = shape[0] * prod(self.side) if self.side else prod(shape)
            self.register_buffer("projection", torch.randn(numbers, bits, generator=generator))

    @torch.no_grad()
    def forward(self, states: Tensor) -> Tensor:
        """The code of each state ``(B, *shape)``, int64 ``(B,)``."""
        rows = np.ascontiguousarray(self._bytes(states))
        digests = [hashlib.blake2b(row.tobytes(), digest_size=_CODE_BYTES).digest() for row in rows]
        codes = np.frombuffer(b"".join(digests), dtype="<i8").astype(np.int64)
        return torch.from_numpy(codes).to(states.device)

    def _bytes(self, states: Tensor) -> np.ndarray:
        if self.code == "bytes":
            return self._without_sign_of_zero(states).flatten(1).cpu().numpy()
        numbers = self._numbers(states)
        if self.code == "bins":
            return self._without_sign_of_zero((numbers / self.bin_width).floor()).cpu().numpy()
        return np.packbits((numbers @ self.projection.to(numbers.dtype) > 0).cpu().numpy(), axis=1)

    def _numbers(self, states: Tensor) -> Tensor:
        if self.side is not None:
            pixels = states.to(torch.float32)
            states = F.adaptive_avg_pool2d(pixels / 255 if states.dtype == torch.uint8 else pixels, self.side)
        return states.flatten(1).to(torch.float32)

    @staticmethod
    def _without_sign_of_zero(numbers: Tensor) -> Tensor:
        """-0 and 0 are equal and have other bytes."""
        return numbers + 0 if numbers.is_floating_point() else numbers


class VisitMemory(EpisodeMemory):
    """How often each environment has visited a state in its present episode.

    Args:
        n_envs: N, the number of environments.
        capacity: Visits that are remembered of each episode.
    """

    def __init__(self, n_envs: int, capacity: int) -> None:
        super().__init__(n_envs)
        self.rings = EpisodeRings(n_envs, capacity, (), torch.int64)

    def compare(self, states: Tensor, envs: Tensor) -> Tensor:
        """Visits of each state so far if it is visited now, the present visit included, int64 ``(B,)``; states are codes."""
        rows, filled = self.rings.read(envs)
        return 1 + ((rows == states[:, None]) & filled).sum(1)

    def insert(self, states: Tensor, envs: Tensor) -> None:
        """Count the visits."""
        self.rings.push(states, envs)


class LifetimeVisits:
    """How often each code was visited in all training, by all environments together."""

    def __init__(self) -> None:
        self._visits: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._visits)

    def add(self, codes: Tensor) -> None:
        """Count a visit of each code, int64 ``(B,)``."""
        self._visits.update(codes.tolist())

    def of(self, codes: Tensor) -> Tensor:
        """Visits of each code, int64 ``(B,)``; 1 for one that was never counted."""
        visits = [max(1, self._visits[code]) for code in codes.tolist()]
        return torch.tensor(visits, dtype=torch.int64, device=codes.device)

    def state_dict(self) -> dict[str, Tensor]:
        """Codes and visits, int64 ``(n,)`` each."""
        return {
            "codes": torch.tensor(list(self._visits.keys()), dtype=torch.int64),
            "visits": torch.tensor(list(self._visits.values()), dtype=torch.int64),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        self._visits = Counter(dict(zip(state["codes"].tolist(), state["visits"].tolist(), strict=True)))
