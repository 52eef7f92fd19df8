"""The settings of a MiniGrid task. Imported for validation: neither torch nor EnvPool is loaded here."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from harness.config import EnvironmentConfig, require
from harness.errors import nearest
from harness_minigrid.tasks import TASKS, mission_required


class MiniGridConfig(EnvironmentConfig):
    """A task of MiniGrid (Chevalier-Boisvert et al. 2023, arXiv 2306.13831).

    An agent sees the 7 x 7 cells in front of it, and nothing behind walls and closed doors. Reaching the goal in step t of at
    most T earns 1 - 0.9 t / T; nothing else earns anything, but in Dynamic-Obstacles a collision costs 1.
    """

    task_field: ClassVar[str] = "task"

    task: str
    """MiniGrid's name without ``MiniGrid-`` and version, such as ``DoorKey-8x8``; filled by the task's name if not set."""

    observation: Literal["onehot", "flat", "image"] = "onehot"
    """What is seen of each cell. ``onehot``: an image of 20 channels, 11 for the kind of object, 6 for its colour and 3 for
    open, closed and locked; exactly one channel of each group is 255. ``flat``: the same as a vector of 980 zeros and ones.
    ``image``: MiniGrid's own three numbers as three channels. Images need a network for 7 x 7 cells: ``minigrid``."""

    direction: bool = False
    """Whether the agent also sees its compass direction: four more channels, one of them 255 everywhere, four more numbers in
    a vector, or one more channel, 0 to 3, in ``image``. What it sees turns with it, so few have given this to an agent."""

    mission: Literal["drop", "words"] = "drop"
    """``words``: the mission's words, in their order, follow the vector of ``flat`` as ones among zeros. ``drop``: the mission
    is not seen, as is usual where it is always the same; refused where only the mission says what to do."""

    episode_steps: int | None = Field(default=None, ge=1, le=1_000_000)
    """T, steps after which an episode is cut; the task's own number if not set. Rewards depend on it."""

    @field_validator("task")
    @classmethod
    def _check_task(cls, task: str) -> str:
        if task in TASKS:
            return task
        if task.lower().startswith("babyai"):
            raise ValueError(f"{task!r} cannot be used: BabyAI tells what to do in sentences, which no network here reads")
        meant = nearest(task, TASKS, "^minigrid")
        raise ValueError(f"unknown task {task!r}: did you mean {meant!r}? (known: {', '.join(TASKS)})")

    @model_validator(mode="after")
    def _check_mission_observed(self) -> Self:
        if self.mission == "words" and self.observation != "flat":
            raise ValueError(f"mission: words are numbers behind a vector, and {self.observation!r} is an image; use 'flat'")
        if self.mission == "drop" and mission_required(self.task):
            raise ValueError(
                f"mission: in {self.task} only the mission says what to do; set 'mission: words' and 'observation: flat'"
            )
        return self

    @model_validator(mode="after")
    def _check_installed(self) -> Self:
        require("envpool", "minigrid")
        return self

    @property
    def envpool_id(self) -> str:
        """EnvPool's name of the task, with its newest version."""
        return f"MiniGrid-{self.task}-{TASKS[self.task]}"

    @property
    def actions(self) -> Literal["discrete"]:
        """Turn, walk, pick up, drop, toggle, done."""
        return "discrete"

    @property
    def observations(self) -> Literal["images", "vectors"]:
        """An image of cells, or a vector."""
        return "vectors" if self.observation == "flat" else "images"
