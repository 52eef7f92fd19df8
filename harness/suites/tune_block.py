"""The ``tune`` block of a suite."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, JsonValue, model_validator

from harness.config import Config
from harness.spec import MAX_COUNT

Sampler = Literal["tpe", "gp", "cmaes", "random", "grid"]
Pruner = Literal["none", "median", "hyperband", "wilcoxon"]
Objective = Literal["score", "seconds"]


class TuneBlock(Config):
    """How the settings of a method are searched, unless the command line says otherwise."""

    trials: int = Field(default=50, gt=0, le=MAX_COUNT)
    """Trials of a study, over all its workers and restarts."""

    seeds: int = Field(default=3, gt=0, le=10_000)
    """Seeds of each task in each trial. They belong to tuning alone: no suite can train or evaluate with them."""

    metric: Literal["iqm", "mean"] = "iqm"
    """What becomes of normalised scores over all tasks and seeds: interquartile mean, or mean."""

    objectives: list[Objective] = Field(default_factory=lambda: list[Objective](["score"]), min_length=1)
    """What is searched for: the highest ``score``, and where it is given too, the fewest ``seconds`` of training per run."""

    sampler: Sampler = "tpe"
    """Who proposes settings: tree-structured Parzen estimator, Gaussian process, CMA-ES, ``random`` or ``grid``."""

    grid_points: int = Field(default=3, gt=1, le=10_000)
    """Values of each range with sampler ``grid``, its ends included."""

    pruner: Pruner = "none"
    """What ends trials early, none before its first seed of every task: ``median`` and ``hyperband`` compare the aggregate so
    far with that of others at the same task, seed and step, ``wilcoxon`` finished tasks and seeds with the best trial's."""

    seed: int = Field(default=0, ge=0, lt=2**31)
    """What the sampler's randomness follows from, together with a trial's number."""

    confirm: int = Field(default=3, ge=0, le=10_000)
    """How many of the best trials are run again, with the suite's own settings beside them; 0 for none. They are judged in the
    order of their tuned scores, so that more of them are no more chances of a false alarm."""

    confirm_seeds: int = Field(default=5, gt=0, le=10_000)
    """Seeds of each task in a confirmation; other seeds than those of trials and of evaluations."""

    parameters: list[str] | None = None
    """Names of the settings that are searched, such as ``config.learning_rate`` or ``algorithm.*``; null for all."""

    space: dict[str, dict[str, JsonValue]] = Field(default_factory=dict)
    """By method, in the form of its block: ranges ``{low: 1e-4, high: 1e-2, log: true}`` and lists of choices, over those that
    the settings come with; null leaves a setting alone."""

    @model_validator(mode="after")
    def _check_consistent(self) -> Self:
        if len(set(self.objectives)) < len(self.objectives):
            raise ValueError("objectives names one of them twice")
        if "score" not in self.objectives:
            raise ValueError("objectives must hold 'score'")
        if len(self.objectives) > 1:
            if self.pruner != "none":
                raise ValueError(f"pruner {self.pruner!r} needs a single objective; write 'pruner: none'")
            if self.sampler == "cmaes":
                raise ValueError("sampler 'cmaes' needs a single objective; take 'tpe', 'gp', 'random' or 'grid'")
        return self
