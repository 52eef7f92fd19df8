"""The settings of a labyrinth. Imported for validation: neither torch nor EnvPool is loaded here."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from harness.config import EnvironmentConfig, require

START_SPOTS = {"my_way_home": range(10, 27), "my_way_home_sparse": range(10, 11), "my_way_home_very_sparse": range(15, 16)}
"""Where an episode of each task may begin: numbers of map spots in ViZDoom's ``my_way_home.wad``."""

FIXED_TURNS = {"my_way_home_sparse": (0.0, 0.01), "my_way_home_very_sparse": (0.49, 0.51)}
"""Directions of the fixed starts in the authors' maps, in full turns: pathak22/noreward-rl@3e220c2 ``doomFiles/wads``."""

RANDOM_TURNS = (0.0, 1.0)
"""Any direction, as in ViZDoom's map."""


class VizDoomConfig(EnvironmentConfig):
    """ViZDoom's scenario MyWayHome: rooms around a corridor, and a vest in one of them (Kempka et al. 2016).

    Finding the vest earns 1 and ends the episode; each of Doom's tics, 35 a second, costs a little. The start is in one of 17
    places, or in one far from the vest and turned nearly one way (Pathak et al. 2017).
    """

    task_field: ClassVar[str] = "task"

    task: Literal["my_way_home", "my_way_home_sparse", "my_way_home_very_sparse"]
    """Where episodes begin: in one of 17 places at random (dense), in a room far from the vest, or in the farthest; filled by
    the task's name if not set."""

    start_direction: Literal["fixed", "random"] | None = Field(default=None, exclude_if=lambda value: value is None)
    """How the walker stands at the sparse and very sparse starts: ``fixed``, within a few degrees of one direction, as in
    the maps of Pathak et al. and the default there, or ``random``. At a dense start it is always random; leave it out."""

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

    @model_validator(mode="before")
    @classmethod
    def _resolve_direction(cls, content: Any) -> Any:
        if not isinstance(content, dict) or content.get("start_direction") is not None:
            return content
        return content if content.get("task") not in FIXED_TURNS else {**content, "start_direction": "fixed"}

    @model_validator(mode="after")
    def _check_direction(self) -> Self:
        if self.start_direction is not None and self.task not in FIXED_TURNS:
            raise ValueError(f"start_direction is for {' and '.join(FIXED_TURNS)}; {self.task} begins in random directions")
        return self

    @model_validator(mode="after")
    def _check_installed(self) -> Self:
        require("envpool", "vizdoom")
        return self

    @property
    def frames_per_step(self) -> int:
        return self.frame_skip

    @property
    def start_turns(self) -> tuple[float, float]:
        """Least and largest part of a full turn, from east to the left, by which the walker is turned at the start."""
        return FIXED_TURNS[self.task] if self.start_direction == "fixed" else RANDOM_TURNS

    @property
    def episode_limit(self) -> int:
        """Steps after which an episode is cut."""
        return self.episode_steps

    @property
    def actions(self) -> Literal["discrete"]:
        """Stand, walk forward, turn right, turn left."""
        return "discrete"

    @property
    def observations(self) -> Literal["images"]:
        """What a walker in the labyrinth sees."""
        return "images"
