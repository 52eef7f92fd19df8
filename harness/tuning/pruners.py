"""Optuna's pruners, fitted to the order in which a trial's scores arrive."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from optuna.pruners import BasePruner, HyperbandPruner, NopPruner, WilcoxonPruner
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from harness.suites.tune_block import Pruner
from harness.tuning.storage import without_experimental_warnings

STARTUP_TRIALS = 5
"""Trials that ``median`` lets finish before it ends any."""

_ROUNDING = 1e-9  # scores that are equal but for the order of a sum

P_VALUE = 0.1
"""The p-value below which ``wilcoxon`` ends a trial that is behind the best."""


def reports_runs(kind: Pruner) -> bool:
    """Whether the pruner compares finished runs, each under its number, instead of the aggregate so far at each evaluation."""
    return kind == "wilcoxon"


def make_pruner(kind: Pruner, evaluations_per_run: Sequence[int], runs_of_first_seed: int) -> BasePruner:
    """A pruner by its name in a suite.

    No trial ends before the first seed of every task is finished: tasks are of different difficulty, and what a trial scores
    on the first of them says little of the others.

    Args:
        kind: Name of the pruner.
        evaluations_per_run: Evaluations of each run of a trial that has a score.
        runs_of_first_seed: Number of these runs, the first ones, that have the first seed: one for each task.
    """
    warm_up = sum(evaluations_per_run[:runs_of_first_seed])
    with without_experimental_warnings():
        match kind:
            case "median":
                return SamePlacePruner(STARTUP_TRIALS, warm_up)
            case "hyperband":
                return HyperbandPruner(min_resource=warm_up, max_resource=max(sum(evaluations_per_run), warm_up + 1))
            case "wilcoxon":
                return WilcoxonPruner(p_threshold=P_VALUE, n_startup_steps=runs_of_first_seed)
            case _:
                return NopPruner()


class SamePlacePruner(BasePruner):
    """Ends a trial whose score so far is below the median of what finished trials had at the very same place.

    A place is a task, a seed and a step (`harness.tuning.scores.EvaluationOrder`): all scores there are aggregates of the same
    tasks and seeds. Optuna's own pruner compares the best that a trial has had at any place before, which for a trial that
    solves only the first task stays at 1.

    Args:
        startup_trials: Number of trials that must have finished.
        warm_up: Number of places, the first ones, at whose last the earliest trial ends.
    """

    def __init__(self, startup_trials: int, warm_up: int) -> None:
        self._startup_trials, self._warm_up = startup_trials, warm_up

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """See `BasePruner`."""
        place = trial.last_step
        if place is None or place < self._warm_up - 1:
            return False
        finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        there = [one.intermediate_values[place] for one in finished if place in one.intermediate_values]
        if len(finished) < self._startup_trials or not there:
            return False
        return trial.intermediate_values[place] < median(there) - _ROUNDING
