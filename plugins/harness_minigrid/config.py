"""The settings of a MiniGrid task. Imported for validation: neither torch nor an engine is loaded here."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from harness.config import EnvironmentConfig, ScoreRange, require
from harness.errors import nearest
from harness_minigrid.tasks import TASKS, VERSIONS, Engine, engine_fault, mission_required, right_engine, step_limit


class MiniGridConfig(EnvironmentConfig):
    """A task of MiniGrid (Chevalier-Boisvert et al. 2023, arXiv 2306.13831).

    An agent sees the 7 x 7 cells in front of it, and nothing behind walls and closed doors. Reaching the goal in step t of at
    most T earns 1 - 0.9 t / T; nothing else earns anything, but in Dynamic-Obstacles a collision costs 1.
    """

    task_field: ClassVar[str] = "task"

    task: str
    """MiniGrid's name without ``MiniGrid-`` and version, such as ``DoorKey-8x8``; filled by the task's name if not set. Of
    several versions it is the newest; MultiRoom-N4-S5 has four rooms, and what MiniGrid first gave that name is
    MultiRoom-N6-S5."""

    engine: Literal["auto", "envpool", "minigrid"] = "auto"
    """What steps the task: ``envpool`` in C++ threads, ``minigrid`` with the original package in Python, in as many processes
    as there are threads. ``auto`` takes EnvPool but for MultiRoom, most of whose levels cannot be solved as EnvPool 1.2.5
    draws them. Levels of the same seed differ between the engines."""

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
        if "NoisyTV" in task:
            raise ValueError(f"{task!r} cannot be used: an action means another thing there; without: MultiRoom-N7-S4")
        if task.endswith("MultiRoom-N4-S5-v0"):
            raise ValueError(f"{task!r} has six rooms: it is called MultiRoom-N6-S5 here; MultiRoom-N4-S5 has four")
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
    def _check_engine(self) -> Self:
        engine, right = self.chosen_engine, right_engine(self.task)
        if fault := engine_fault(self.task, engine):
            raise ValueError(f"engine: {engine} cannot step {self.task}: {fault}; use {right!r}, or leave it out")
        require(engine, "minigrid")
        return self

    @property
    def chosen_engine(self) -> Engine:
        """What steps the task."""
        return right_engine(self.task) if self.engine == "auto" else self.engine

    @property
    def registered_id(self) -> str:
        """The name with version by which EnvPool and MiniGrid know the task.

        Raises:
            KeyError: It is a MultiRoom task, which is made from its rooms.
        """
        return f"MiniGrid-{self.task}-{VERSIONS[self.task]}"

    @property
    def episode_limit(self) -> int:
        """T."""
        return self.episode_steps or step_limit(self.task)

    @property
    def score_range(self) -> ScoreRange:
        """From never at the goal to there at once."""
        return ScoreRange(0.0, 1.0, "never there, and there at once: 1 - 0.9 t / T with t = 0 (minigrid 3.0, minigrid_env.py)")

    @property
    def actions(self) -> Literal["discrete"]:
        """Turn, walk, pick up, drop, toggle, done."""
        return "discrete"

    @property
    def observations(self) -> Literal["images", "vectors"]:
        """An image of cells, or a vector."""
        return "vectors" if self.observation == "flat" else "images"
