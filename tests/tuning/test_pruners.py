"""What ends a trial early: scores of the same tasks and seeds at the same step, and never those of the first task alone."""

from __future__ import annotations

import optuna
import pytest
from optuna.trial import TrialState

from harness.tuning.pruners import STARTUP_TRIALS, make_pruner
from harness.tuning.scores import aggregate

TASKS = ("easy", "middle", "hard")
SEEDS = 2


def pruned_after(kind, scores_of_finished, scores):
    """The number of runs after which a trial ends, whose runs have these scores by task; ``None`` if it never does."""
    study = optuna.create_study(direction="maximize", pruner=make_pruner(kind, [1] * len(TASKS) * SEEDS, len(TASKS)))
    for one in scores_of_finished:
        trial = study.ask()
        for place, value in enumerate(reported(kind, one)):
            trial.report(value, place)
            if kind == "hyperband":
                trial.should_prune()  # notes what it had at each rung
        study.tell(trial, reported("median", one)[-1])
    assert all(trial.state == TrialState.COMPLETE for trial in study.trials)
    trial = study.ask()
    for place, value in enumerate(reported(kind, scores)[:-1]):
        trial.report(value, place)
        if trial.should_prune():
            return place + 1
    return None


def reported(kind, scores):
    runs = [(task, scores[task]) for _ in range(SEEDS) for task in TASKS]
    if kind == "wilcoxon":
        return [score for _, score in runs]
    return [aggregate(runs[: place + 1], "mean") for place in range(len(runs))]


MIDDLING = [{"easy": 0.9, "middle": 0.6 + 0.01 * n, "hard": 0.1} for n in range(STARTUP_TRIALS)]


def test_fault_pruner_a_trial_that_solves_only_the_easiest_task_is_pruned():
    """Its best score so far is the 1.0 of the first task for ever; what it has over all tasks is below the median."""
    assert pruned_after("median", MIDDLING, {"easy": 1.0, "middle": 0.0, "hard": 0.0}) == len(TASKS)


@pytest.mark.parametrize("kind", ["median", "hyperband", "wilcoxon"])
def test_fault_pruner_a_trial_that_fails_only_the_easiest_task_is_spared(kind):
    """After its first run it is the worst of all, after the first seed of every task the best."""
    assert pruned_after(kind, MIDDLING, {"easy": 0.0, "middle": 1.0, "hard": 1.0}) is None


def test_median_compares_at_the_same_place_and_later_ones_too():
    """A trial that is above the median after one seed and below it after the second ends then."""
    study = optuna.create_study(direction="maximize", pruner=make_pruner("median", [2, 2, 2, 2], 2))
    for _ in range(STARTUP_TRIALS):
        trial = study.ask()
        for place in range(8):
            trial.report(0.1 * place, place)
        study.tell(trial, 0.7)
    trial = study.ask()
    decisions = []
    for place, value in enumerate((0.9, 0.9, 0.9, 0.35, 0.5, 0.4)):
        trial.report(value, place)
        decisions.append(trial.should_prune())
    assert decisions == [False] * 5 + [True]


def test_median_waits_for_trials_that_finished_and_needs_one_that_was_there():
    assert pruned_after("median", MIDDLING[1:], {"easy": 0.0, "middle": 0.0, "hard": 0.0}) is None
    study = optuna.create_study(direction="maximize", pruner=make_pruner("median", [1, 1], 1))
    for _ in range(STARTUP_TRIALS):
        trial = study.ask()
        trial.report(1.0, 1)  # with rollouts so long that an evaluation is left out
        study.tell(trial, 1.0)
    trial = study.ask()
    trial.report(0.0, 0)
    assert not trial.should_prune()
    trial.report(0.0, 1)
    assert trial.should_prune()
