"""The settings of a maze. Imported for validation: neither torch nor MuJoCo is loaded here."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from harness.config import EnvironmentConfig, require
from harness_mazes.maps import MAZES, Maze


class MazeConfig(EnvironmentConfig):
    """A ball or an ant that must find the goal of a maze (Fu et al. 2020, arXiv 2004.07219; gymnasium-robotics).

    Being within 0.45 m of the goal earns 1 and ends the episode; nothing else earns anything. Actions are forces from -1 to 1.
    """

    task_field: ClassVar[str] = "task"

    task: Literal["point_umaze", "point_medium", "point_large", "ant_umaze", "ant_medium", "ant_large"]
    """``<body>_<maze>``; filled by the task's name if not set. A ball starts anywhere and its goal is anywhere, both drawn for
    every episode. An ant starts in one corner and its goal lies at the end of the longest way from there."""

    episode_steps: int | None = Field(default=None, ge=1, le=1_000_000)
    """Steps after which an episode is cut; gymnasium-robotics' number for the task if not set."""

    contact_forces: bool = False
    """Whether an ant feels 78 contact forces beside its 27 joint angles and velocities. For ants only."""

    @model_validator(mode="after")
    def _check_contact_forces(self) -> Self:
        if self.contact_forces and self.body == "point":
            raise ValueError("contact_forces: a ball has none; leave it out")
        return self

    @model_validator(mode="after")
    def _check_installed(self) -> Self:
        require("envpool" if self.body == "point" else "gymnasium_robotics", "mazes")
        return self

    @property
    def body(self) -> str:
        """``point`` or ``ant``."""
        return self.task.partition("_")[0]

    @property
    def maze(self) -> Maze:
        """The maze's map."""
        return MAZES[self.task.partition("_")[2]]

    @property
    def episode_limit(self) -> int:
        """Steps after which an episode is cut."""
        return self.episode_steps or (self.maze.point_steps if self.body == "point" else self.maze.ant_steps)

    @property
    def actions(self) -> Literal["continuous"]:
        """Forces."""
        return "continuous"

    @property
    def observations(self) -> Literal["vectors"]:
        """Positions, velocities and the goal."""
        return "vectors"
