"""Optuna's samplers, seeded by study and trial.

What is proposed for a trial follows from the study's seed, the trial's number and the trials before it, and from nothing
else: a study that was killed and resumed goes on as if it had not been, no two workers and no two restarts ever repeat each
other's start-up points, and there is no worker to be numbered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from harness.errors import StudyError
from harness.suites.tune_block import Sampler
from harness.tuning.optuna_internals import ReplayingCmaEsSampler
from harness.tuning.parameters import Parameter, SearchSpace, Value
from harness.tuning.storage import without_experimental_warnings

MAX_GRID_POINTS = 100_000


def make_sampler(kind: Sampler, space: SearchSpace, seed: int, grid_points: int) -> BaseSampler:
    """A sampler by its name in a suite.

    Raises:
        StudyError: It needs a package that is not installed, or a grid is too large.
    """
    if kind == "grid":
        return GridByNumberSampler(grid(space, grid_points), seed)
    if kind == "cmaes":
        _check_cmaes()
    conditional = any(parameter.when for parameter in space.parameters)
    makers: dict[str, Callable[[int], BaseSampler]] = {
        "tpe": lambda s: TPESampler(seed=s, multivariate=True, group=conditional, constant_liar=True),
        "gp": lambda s: GPSampler(seed=s, warn_independent_sampling=False),
        "cmaes": lambda s: ReplayingCmaEsSampler(seed=s, warn_independent_sampling=False),
        "random": lambda s: RandomSampler(seed=s),
    }
    return PerTrialSeedSampler(makers[kind], seed)


def distribution(parameter: Parameter) -> BaseDistribution:
    """A parameter as Optuna knows it."""
    if parameter.low is None or parameter.high is None:
        return CategoricalDistribution(parameter.choices)
    if parameter.whole:
        return IntDistribution(int(parameter.low), int(parameter.high), log=parameter.log)
    return FloatDistribution(parameter.low, parameter.high, log=parameter.log)


class PerTrialSeedSampler(BaseSampler):
    """A new sampler for each trial, whose seed follows from the study's and the trial's number.

    Args:
        make: Makes the sampler of a seed. What it knows, it must read from the study.
        seed: Seed of the study.
    """

    def __init__(self, make: Callable[[int], BaseSampler], seed: int) -> None:
        self._make, self._seed = make, seed
        self._latest: tuple[int, BaseSampler] | None = None

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """See `BaseSampler`."""
        return self._sampler_for(trial).infer_relative_search_space(study, trial)

    def sample_relative(self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> dict[str, Any]:
        """See `BaseSampler`."""
        return self._sampler_for(trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """See `BaseSampler`."""
        return self._sampler_for(trial).sample_independent(study, trial, param_name, param_distribution)

    def _sampler_for(self, trial: FrozenTrial) -> BaseSampler:
        if self._latest is None or self._latest[0] != trial.number:
            seed = np.random.SeedSequence([self._seed, trial.number]).generate_state(1, dtype=np.uint32)[0]
            with without_experimental_warnings():
                self._latest = trial.number, self._make(int(seed))
        return self._latest[1]


class GridByNumberSampler(BaseSampler):
    """Every point of a grid once, chosen by the trial's number, so that no two workers evaluate the same one.

    Args:
        points: Points of the grid, from `grid`.
        seed: Seed of the order in which they come.
    """

    def __init__(self, points: Sequence[Mapping[str, tuple[BaseDistribution, Value]]], seed: int) -> None:
        self._points = points
        self._order = np.random.default_rng(seed).permutation(len(points))

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """See `BaseSampler`."""
        return {name: found for name, (found, _) in self._point(trial).items()}

    def sample_relative(self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> dict[str, Any]:
        """See `BaseSampler`."""
        return {name: value for name, (_, value) in self._point(trial).items()}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Never called: a grid point names every parameter that is active in it."""
        raise AssertionError(f"{param_name} is missing from grid point {self._point(trial)}")

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """See `BaseSampler`."""

    def _point(self, trial: FrozenTrial) -> Mapping[str, tuple[BaseDistribution, Value]]:
        position = int(self._order[trial.number % len(self._points)])
        return self._points[position]


def grid(space: SearchSpace, points_per_range: int) -> list[dict[str, tuple[BaseDistribution, Value]]]:
    """Every combination of choices and of ``points_per_range`` values of each range, each that differs in its effect once.

    Raises:
        StudyError: There are more than `MAX_GRID_POINTS`.
    """
    points: list[dict[str, tuple[BaseDistribution, Value]]] = [{}]
    for parameter in space.parameters:
        values = _grid_values(parameter, points_per_range)
        grown: list[dict[str, tuple[BaseDistribution, Value]]] = []
        for point in points:
            active = parameter.is_active({name: value for name, (_, value) in point.items()})
            grown += [point | {parameter.name: (distribution(parameter), value)} for value in values] if active else [point]
        points = grown
        if len(points) > MAX_GRID_POINTS:
            raise StudyError(
                f"the grid has more than {MAX_GRID_POINTS:,} points: search fewer settings (tune.parameters)"
                " or use another sampler"
            )
    return points


def _grid_values(parameter: Parameter, points_per_range: int) -> list[Value]:
    if parameter.low is None or parameter.high is None:
        return list(parameter.choices)
    if parameter.log:
        values = np.geomspace(parameter.low, parameter.high, points_per_range)
    else:
        values = np.linspace(parameter.low, parameter.high, points_per_range)
    values = np.clip(values, parameter.low, parameter.high)
    return list(dict.fromkeys(round(value) if parameter.whole else value for value in values.tolist()))


def _check_cmaes() -> None:
    if find_spec("cmaes") is None:
        raise StudyError("sampler 'cmaes' needs the package cmaes: pip install 'exploration-harness[cmaes]'")
