"""The settings of a classic control task. Imported for validation: neither torch nor EnvPool is loaded here."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from harness.config import EnvironmentConfig, require


class ClassicControlConfig(EnvironmentConfig):
    """A car in a valley, too weak to drive straight up to the goal: it must swing (Moore 1990; Gymnasium's two variants).

    Of Gymnasium's classic control only these need exploration; the others pay for every step or reward a distance.
    """

    task_field: ClassVar[str] = "task"

    task: Literal["mountain_car", "mountain_car_continuous"]
    """``mountain_car`` pushes left, right or not at all, ``mountain_car_continuous`` with a force from -1 to 1; filled by the
    task's name if not set."""

    sparse: bool = True
    """Whether the goal earns 1 and nothing else anything. If false, rewards are Gymnasium's: -1 for every step, or, with a
    continuous force, 100 at the goal and -0.1 times the squared force."""

    scaled: bool = True
    """Whether position and velocity are given as shares of their range, from -1 to 1, or in the environment's units, where
    velocities are about a tenth of positions."""

    episode_steps: int = Field(default=200, ge=1, le=1_000_000)
    """Steps after which an episode is cut; Gymnasium has 200 for the discrete task and 999 for the continuous one."""

    @model_validator(mode="after")
    def _check_installed(self) -> Self:
        require("envpool", "classic_control")
        return self

    @property
    def episode_limit(self) -> int:
        """Steps after which an episode is cut."""
        return self.episode_steps

    @property
    def actions(self) -> Literal["discrete", "continuous"]:
        """Three pushes, or a force."""
        return "discrete" if self.task == "mountain_car" else "continuous"

    @property
    def observations(self) -> Literal["vectors"]:
        """Position and velocity."""
        return "vectors"
