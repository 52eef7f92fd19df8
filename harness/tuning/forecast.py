"""What a study will take, estimated before anything is started."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.execution.capacity import default_workers
from harness.execution.forecast import forecast
from harness.runs.status import summarise_plan
from harness.spec import RunSpec
from harness.tuning.parameters import SearchSpace
from harness.tuning.request import TuneRequest
from harness.tuning.scores import own_steps
from harness.tuning.study import StudyDefinition

if TYPE_CHECKING:
    from harness.training.estimate import ResourceEstimate  # imports torch


@dataclass(frozen=True)
class TuningForecast:
    """What a study will take.

    Attributes:
        space: The settings that are searched.
        trials: Number of trials; ``None`` where another budget ends the study.
        runs_per_trial: Number of runs of each trial.
        steps_per_trial: Environment steps of each trial.
        confirmation_runs: Number of runs that confirm the best trials.
        workers: Number of trials at a time.
        seconds: Duration of the whole study with nothing pruned; ``None`` without a number of trials.
    """

    space: SearchSpace
    trials: int | None
    runs_per_trial: int
    steps_per_trial: int
    confirmation_runs: int
    workers: int
    seconds: float | None


def forecast_study(request: TuneRequest, estimate: Callable[[RunSpec], ResourceEstimate]) -> TuningForecast:
    """Estimate what a study will take.

    Args:
        request: What is asked for.
        estimate: Measures what a run takes.
    """
    definition = StudyDefinition.from_plan(request.plan, request.method, request.study)
    specs, options, trials = definition.specs({}), definition.options, request.budget.limit.trials
    cost = forecast(summarise_plan(specs, request.results), estimate, 1)
    workers = request.workers or default_workers(specs)
    again = len(specs) // options.seeds * options.confirm_seeds * (options.confirm + 1) if options.confirm else 0
    trial = sum(group.seconds_from_scratch for group in cost.groups)
    return TuningForecast(
        space=definition.space,
        trials=trials,
        runs_per_trial=len(specs),
        steps_per_trial=sum(map(own_steps, specs)),
        confirmation_runs=again,
        workers=workers,
        seconds=None if trials is None else (trial * trials + trial / len(specs) * again) / workers,
    )
