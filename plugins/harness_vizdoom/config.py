"""The settings of a labyrinth. Imported for validation: neither torch nor EnvPool is loaded here."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from harness.config import EnvironmentConfig, require

START_SPOTS = {"my_way_home": range(10, 27), "my_way_home_sparse": range(10, 11), "my_way_home_very_sparse": range(15, 16)}
"""Where an episode of each task may begin: numbers of map spots in ViZDoom's ``my_way_home.wad``."""


class VizDoomConfig(EnvironmentConfig):
    """ViZDoom's scenario MyWayHome: rooms around a corridor, and a vest in one of them (Kempka et al. 2016).

    Finding the vest earns 1 and ends the episode; each of Doom's tics, 35 a second, costs a little. The start is in one of 17
    places, or in one far from the vest (Pathak et al. 2017). Its direction is random.
    """

    task_field: ClassVar[str] = "task"

    task: Literal["my_way_home", "my_way_home_sparse", "my_way_home_very_sparse"]
    """Where episodes begin: in one of 17 places at random (dense), in a room far from the vest, or in the farthest; filled by
    the task's name if not set."""

    frame_skip: int = Field(default=4, ge=1, le=100)
    """Tics for which each action is held."""

    episode_steps: int = Field(default=525, ge=1, le=100_000)
    """Steps of the agent after which an episode is cut: 525 of 4 tics are ViZDoom's 2,100."""

    living_cost: float = Field(default=0.0001, ge=0, le=1)
    """What each tic costs."""

    grayscale: bool = True
    """Whether images have one channel, or red, green and blue."""

    size: int = Field(default=84, ge=36, le=240)
    """Height and width of the images, made from Doom's 240 by 320. Pathak et al. 2017: 42."""

    stack: int = Field(default=4, ge=1, le=16)
    """Images per observation, newest last; an episode begins with its first image only."""

    @model_validator(mode="after")
    def _check_installed(self) -> Self:
        require("envpool", "vizdoom")
        return self

    @property
    def frames_per_step(self) -> int:
        return self.frame_skip

    @property
    def actions(self) -> Literal["discrete"]:
        """Stand, walk forward, turn right, turn left."""
        return "discrete"

    @property
    def observations(self) -> Literal["images"]:
        """What a walker in the labyrinth sees."""
        return "images"
