"""The settings of a task of the DeepMind Control Suite. Imported for validation: neither torch nor MuJoCo is loaded here."""

from __future__ import annotations

from math import ceil
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from harness.config import EnvironmentConfig, require
from harness.errors import nearest
from harness_dm_control.opengl import rendering_platform
from harness_dm_control.tasks import TASKS, Task


class DmControlConfig(EnvironmentConfig):
    """A task of the DeepMind Control Suite (Tassa et al. 2018, arXiv 1801.00690).

    Defaults are the suite's own from states. Proto-RL (Yarats et al. 2021, arXiv 2102.11271) sees pixels with an action repeat
    of 2. Actions are from -1 to 1 in every dimension, mapped linearly to the range of the body's motors.
    """

    task_field: ClassVar[str] = "task"

    task: str
    """``<domain>_<task>`` by dm_control's names, such as ``cartpole_swingup_sparse``; filled by the task's name if not set."""

    domain: str = ""
    """The body and its world, such as ``cartpole``: the first part of `task`, which fills it."""

    from_pixels: bool = False
    """Whether observations are images of a camera, or states. Images need OpenGL (EGL or OSMesa), but no display."""

    action_repeat: int = Field(default=1, ge=1, le=100)
    """Environment steps per action; rewards are added up. Proto-RL: 2."""

    episode_steps: int = Field(default=1000, ge=1, le=1_000_000)
    """Environment steps after which an episode is cut, with repeats counted: at 1000 and `action_repeat` 2 it has 500 steps
    of the agent. No task ends otherwise."""

    stack: int = Field(default=3, ge=1, le=16)
    """Images per observation, newest last, one for each step of the agent; an episode begins with its first image only.
    For pixels only."""

    size: int = Field(default=84, ge=16, le=512)
    """Height and width of the images. For pixels only."""

    camera: int | None = Field(default=None, ge=-1, le=15)
    """Which of the model's cameras, -1 for the free one; if not set, 2 for quadruped and 0 for all others (Proto-RL). For
    pixels only."""

    @model_validator(mode="before")
    @classmethod
    def _fill_domain(cls, given: Any) -> Any:
        task = given.get("task") if isinstance(given, dict) else None
        if isinstance(task, str) and task in TASKS and not given.get("domain"):
            return {**given, "domain": TASKS[task].domain}
        return given

    @field_validator("task")
    @classmethod
    def _check_task(cls, task: str) -> str:
        if task in TASKS:
            return task
        if task.startswith("lqr"):
            raise ValueError(f"{task!r} cannot be used: the actions of lqr have no bounds and its episodes no end")
        meant = nearest(task, TASKS)
        raise ValueError(f"unknown task {task!r}: did you mean {meant!r}? ({len(TASKS)} tasks, named <domain>_<task>)")

    @model_validator(mode="after")
    def _check_consistent(self) -> Self:
        if self.domain != self.suite_task.domain:
            raise ValueError(f"domain: {self.task} is of domain {self.suite_task.domain!r}, not {self.domain!r}; leave it out")
        if not self.from_pixels:
            for name in ("stack", "size", "camera"):
                if getattr(self, name) != type(self).model_fields[name].default:
                    raise ValueError(f"{name}: has no effect without 'from_pixels: true'")
        return self

    @model_validator(mode="after")
    def _check_installed(self) -> Self:
        require("dm_control" if self.from_pixels else "envpool", "dm_control")
        if self.from_pixels:
            rendering_platform()
        return self

    @property
    def frames_per_step(self) -> int:
        return self.action_repeat

    @property
    def suite_task(self) -> Task:
        """What the suite knows of the task."""
        return TASKS[self.task]

    @property
    def camera_id(self) -> int:
        """The camera that is used."""
        if self.camera is not None:
            return self.camera
        return 2 if self.domain == "quadruped" else 0

    @property
    def episode_limit(self) -> int:
        """Steps of the agent after which an episode is cut, the last one perhaps with fewer repeats."""
        return ceil(self.episode_steps / self.action_repeat)

    @property
    def actions(self) -> Literal["continuous"]:
        """Torques and forces of motors."""
        return "continuous"

    @property
    def observations(self) -> Literal["images", "vectors"]:
        """A camera's images, or the parts of a state one after the other."""
        return "images" if self.from_pixels else "vectors"
