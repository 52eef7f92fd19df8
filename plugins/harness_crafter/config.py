"""The settings of Crafter. Imported for validation: neither torch nor Crafter is loaded here."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from harness.config import EnvironmentConfig, require


class CrafterConfig(EnvironmentConfig):
    """Crafter (Hafner 2021, arXiv 2109.06780): gather, eat, fight and craft in a world that is another one in every episode.

    The first time that an episode unlocks one of 22 achievements earns 1; several at one step earn 1 together.
    """

    episode_steps: int = Field(default=10_000, ge=1, le=1_000_000)
    """Steps after which an episode is cut; death ends it before."""

    health_reward: bool = True
    """Whether each point of health that is lost or regained costs or earns 0.1 beside, as Crafter has it."""

    size: int = Field(default=64, ge=36, le=512)
    """Height and width of the images: 9 x 7 cells around the player, and what it carries below."""

    @model_validator(mode="after")
    def _check_installed(self) -> Self:
        require("crafter", "crafter")
        return self

    @property
    def episode_limit(self) -> int:
        """Steps after which an episode is cut."""
        return self.episode_steps

    @property
    def actions(self) -> Literal["discrete"]:
        """Walk, do, sleep, place and make: 17 of them."""
        return "discrete"

    @property
    def observations(self) -> Literal["images"]:
        """The world from above, in colours."""
        return "images"
