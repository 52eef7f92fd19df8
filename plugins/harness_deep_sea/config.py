"""Configuration of DeepSea. Imported for validation: no torch here."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.config import EnvironmentConfig


class DeepSeaConfig(EnvironmentConfig):
    """DeepSea (Osband et al. 2020, arXiv 1908.03568); the defaults are the ``deep_sea`` experiment of bsuite 0.3.6.

    Every episode ends by itself after `size` steps, so `time_limit` changes nothing here.
    """

    size: int = Field(default=10, ge=2, le=100)
    """N, rows and columns of the grid and steps of an episode. Dithering needs about 2^N episodes to reach the goal."""

    deterministic: bool = True
    """Whether 'right' always succeeds and rewards are exact. If false, it fails with probability 1/N, and the reward of
    an episode's last step is blurred by N(0, 1) where that step is taken in the first or the last column."""

    unscaled_move_cost: float = Field(default=0.01, ge=0)
    """Cost of an episode of 'right' moves only; each one costs a share of 1/N."""

    randomize_actions: bool = True
    """Whether it is drawn for each cell which of the two actions means 'right'. If false, it is action 1 everywhere."""

    mapping_seed: int = Field(default=42, ge=0, lt=2**32)
    """Seed of that draw, 42 in bsuite's experiments. It belongs to the task and not to the run: all seeds of a run, and
    training and evaluation, face the same mapping. Another value is another task of the same difficulty."""

    @property
    def episode_limit(self) -> int:
        """Rows, one for each step."""
        return self.size

    @property
    def saves_state(self) -> bool:
        """Where each agent is, and its noise, are all there is."""
        return True

    @property
    def actions(self) -> Literal["discrete"]:
        """Left and right."""
        return "discrete"

    @property
    def observations(self) -> Literal["vectors"]:
        """The grid, flat."""
        return "vectors"
