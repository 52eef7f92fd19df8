"""Every setting: its bounds, its meaning, and the range in which tuning searches it. No torch here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from harness.config import IntrinsicRewardConfig, Search


class SimHashConfig(IntrinsicRewardConfig):
    """Count-based exploration: states are hashed to a few bits, and visits of each code are counted."""

    bits: Annotated[int, Search(choices=(16, 32, 64, 128, 256))] = Field(default=32, gt=0)
    """k, bits of a code. More bits tell more states apart and generalise less."""

    beta: Annotated[float, Search(low=1e-3, high=1.0, log=True)] = Field(default=1.0, gt=0)
    """Bonus of a state that is seen for the first time."""

    image_side: int = Field(default=52, gt=0)
    """Images are averaged down to this many pixels per side before they are hashed; no effect on vectors."""
