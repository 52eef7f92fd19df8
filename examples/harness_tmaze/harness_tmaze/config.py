"""Every setting, with its bounds and its meaning. No NumPy and no torch here: this is imported to check a suite."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from harness.config import EnvironmentConfig


class TMazeConfig(EnvironmentConfig):
    """A corridor that ends in two arms, and a cue at its beginning that says which of them pays."""

    length: int = Field(default=10, ge=1, le=1000)
    """Steps from the start to the junction, over which the cue must be remembered."""

    cue: Literal["start", "always"] = "start"
    """Where the cue is seen: at the start of the corridor alone, or everywhere, so that nothing need be remembered."""

    episode_steps: int = Field(default=60, ge=2, le=1_000_000)
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
        """Left, right, ahead and back."""
        return "discrete"

    @property
    def observations(self) -> Literal["vectors"]:
        """Two numbers for the cue, and one for each kind of place."""
        return "vectors"

    @model_validator(mode="after")
    def _check_limit(self) -> Self:
        if self.episode_steps <= self.length:
            limit, least = self.episode_steps, self.length + 1
            raise ValueError(f"episode_steps {limit} ends before an arm is reached; {least} is the least")
        return self
