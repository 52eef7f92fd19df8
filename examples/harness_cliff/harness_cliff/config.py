"""Every setting, with its bounds and its meaning. No NumPy and no torch here: this is imported to check a suite."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.config import EnvironmentConfig


class CliffConfig(EnvironmentConfig):
    """A grid with a cliff along its lower edge, between the start and the goal."""

    width: int = Field(default=12, ge=3, le=200)
    """Columns. The start is below the first of them, the goal below the last, and all between is cliff."""

    height: int = Field(default=4, ge=2, le=200)
    """Rows, the lowest with the cliff included."""

    wind: float = Field(default=0.1, ge=0, le=1)
    """Probability that a step leads down, whatever the agent wanted."""

    episode_steps: int = Field(default=100, ge=1, le=1_000_000)
    """Steps after which an episode is cut."""

    @property
    def episode_limit(self) -> int:
        """Steps after which an episode is cut."""
        return self.episode_steps

    @property
    def saves_state(self) -> bool:
        """Everything that the next step depends on is in ``state_dict``."""
        return True

    @property
    def actions(self) -> Literal["discrete"]:
        """Up, right, down and left."""
        return "discrete"

    @property
    def observations(self) -> Literal["vectors"]:
        """One number for each cell."""
        return "vectors"
