"""The settings of a manipulation task. Imported for validation: neither torch nor EnvPool is loaded here."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from harness.config import EnvironmentConfig, require
from harness.errors import nearest
from harness_manipulation.tasks import TASKS, Task


class ManipulationConfig(EnvironmentConfig):
    """An arm or a hand that must bring something about: Fetch, Adroit or MetaWorld.

    A step at which the task's own test of success holds earns 1, any other step nothing, whatever the environment's own
    rewards are. Actions are from -1 to 1 in every dimension.
    """

    task_field: ClassVar[str] = "task"

    task: str
    """``fetch_<task>``, ``adroit_<task>`` or ``metaworld_<task>``, such as ``fetch_pick_and_place``; filled by the task's name
    if not set."""

    ends_at_success: bool = True
    """Whether the first success ends the episode, so that its return is 1 or 0. If not, every step with success earns 1."""

    episode_steps: int | None = Field(default=None, ge=1, le=1_000_000)
    """Steps after which an episode is cut; 50 for Fetch, 200 for Adroit and 500 for MetaWorld if not set."""

    goals: Literal["shown", "hidden"] | None = Field(default=None, exclude_if=lambda value: value is None)
    """Whether an episode's goal is in MetaWorld's observations: ``shown``, as in the single-task benchmark (MT1) and the
    default there, or ``hidden``, three zeros in its place, as in the meta-learning ones (ML1). Fetch always shows its goals,
    and Adroit's are part of the state; leave it out there."""

    @model_validator(mode="before")
    @classmethod
    def _resolve_goals(cls, content: Any) -> Any:
        if not isinstance(content, dict) or content.get("goals") is not None:
            return content
        task = TASKS.get(content["task"]) if isinstance(content.get("task"), str) else None
        return {**content, "goals": "shown"} if task is not None and task.hides_goal else content

    @model_validator(mode="after")
    def _check_goals(self) -> Self:
        if self.goals is not None and not self.task_info.hides_goal:
            raise ValueError(f"goals is for the tasks of MetaWorld; those of {self.task!r} cannot be hidden")
        return self

    @field_validator("task")
    @classmethod
    def _check_task(cls, task: str) -> str:
        if task in TASKS:
            return task
        meant = nearest(task, TASKS)
        raise ValueError(
            f"unknown task {task!r}: did you mean {meant!r}? ({len(TASKS)} tasks: fetch_*, adroit_*, metaworld_*)"
        )

    @model_validator(mode="after")
    def _check_installed(self) -> Self:
        require("envpool", "manipulation")
        return self

    @property
    def task_info(self) -> Task:
        """What is known of the task."""
        return TASKS[self.task]

    @property
    def episode_limit(self) -> int:
        """Steps after which an episode is cut."""
        return self.episode_steps or self.task_info.limit

    @property
    def actions(self) -> Literal["continuous"]:
        """Movements of a gripper, or angles of joints."""
        return "continuous"

    @property
    def observations(self) -> Literal["vectors"]:
        """Positions and velocities, and the goal."""
        return "vectors"
