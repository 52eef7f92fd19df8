"""What a study will take, estimated before anything is started."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import SuiteError
from harness.execution.capacity import default_workers
from harness.execution.forecast import forecast
from harness.runs.status import summarise_plan
from harness.spec import RunSpec
from harness.tuning.parameters import Parameter, SearchSpace, Value
from harness.tuning.request import TuneRequest
from harness.tuning.scores import own_steps
from harness.tuning.study import StudyDefinition

if TYPE_CHECKING:
    from harness.training.estimate import ResourceEstimate  # imports torch

DRAWN_TRIALS = 4
"""Trials that are drawn from the space and measured, as many as leave a dry run a matter of seconds."""

_MAX_DRAWS = 100


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
        default_trial_seconds: Duration of a trial with the suite's own settings, its runs one after another.
        drawn_trial_seconds: Durations of trials drawn at random from the space, in the order in which they were drawn; their
            mean is what the study's duration counts for each trial.
    """

    space: SearchSpace
    trials: int | None
    runs_per_trial: int
    steps_per_trial: int
    confirmation_runs: int
    workers: int
    seconds: float | None
    default_trial_seconds: float
    drawn_trial_seconds: tuple[float, ...]


def forecast_study(request: TuneRequest, estimate: Callable[[RunSpec], ResourceEstimate]) -> TuningForecast:
    """Estimate what a study will take, from a few trials of its space.

    Args:
        request: What is asked for.
        estimate: Measures what a run takes.
    """
    definition = StudyDefinition.from_plan(request.plan, request.method, request.study)
    specs, options, trials = definition.specs({}), definition.options, request.budget.limit.trials
    default = _trial_seconds(specs, request, estimate)
    drawn = [_trial_seconds(one, request, estimate) for one in islice(_drawn_specs(definition), DRAWN_TRIALS)]
    workers = request.workers or default_workers(specs)
    again = len(specs) // options.seeds * options.confirm_seeds if options.confirm else 0  # of each candidate
    trial = sum(drawn) / len(drawn) if drawn else default
    confirmation = (trial * options.confirm + default) / len(specs) * again
    return TuningForecast(
        space=definition.space,
        trials=trials,
        runs_per_trial=len(specs),
        steps_per_trial=sum(map(own_steps, specs)),
        confirmation_runs=again * (options.confirm + 1),
        workers=workers,
        seconds=None if trials is None else (trial * trials + confirmation) / workers,
        default_trial_seconds=default,
        drawn_trial_seconds=tuple(drawn),
    )


def _trial_seconds(specs: Sequence[RunSpec], request: TuneRequest, estimate: Callable[[RunSpec], ResourceEstimate]) -> float:
    cost = forecast(summarise_plan(specs, request.results), estimate, 1)
    return sum(group.seconds_from_scratch for group in cost.groups)


def _drawn_specs(definition: StudyDefinition) -> Iterator[list[RunSpec]]:
    """The runs of trials whose settings are drawn evenly from the space, the same ones every time."""
    rng = np.random.default_rng([definition.options.seed, DRAWN_TRIALS])
    for _ in range(_MAX_DRAWS):
        values: dict[str, Value] = {}
        for parameter in definition.space.parameters:
            if parameter.is_active(values):
                values[parameter.name] = _draw(parameter, rng)
        try:
            yield definition.specs(values)
        except SuiteError:  # values that are each allowed and do not go together: that trial would cost nothing
            continue


def _draw(parameter: Parameter, rng: np.random.Generator) -> Value:
    if parameter.low is None or parameter.high is None:
        return parameter.choices[int(rng.integers(len(parameter.choices)))]
    low, high = parameter.low, parameter.high
    if parameter.whole and not parameter.log:
        return int(rng.integers(int(low), int(high) + 1))
    number = math.exp(rng.uniform(math.log(low), math.log(high))) if parameter.log else rng.uniform(low, high)
    return min(max(round(number), int(low)), int(high)) if parameter.whole else min(max(number, low), high)
