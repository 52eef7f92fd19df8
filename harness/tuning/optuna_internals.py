"""Everything of Optuna that has no public name and that tuning needs all the same; no other module reaches into its privates.

Optuna's public interface hands trials out one process at a time and keeps ids to itself. Claims that outlive a process,
trials that are taken over, and a CMA-ES that is never unpickled need what is below it. `constraints.txt` pins the version
that this file was written for.
"""

# This is the file in which Optuna's private members are gathered:
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import optuna
from optuna._transform import _SearchSpaceTransform
from optuna.distributions import BaseDistribution
from optuna.samplers import CmaEsSampler
from optuna.storages.journal._file import BaseJournalFileLock
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

__all__ = [
    "BaseJournalFileLock",
    "ReplayingCmaEsSampler",
    "all_trials",
    "create_trial",
    "pop_waiting_trial",
    "reported_values",
    "study_id",
    "trial_id",
    "trial_number",
    "trial_state",
]


def study_id(study: Study) -> int:
    """The id of a study in its storage."""
    return study._study_id


def trial_id(trial: optuna.Trial | FrozenTrial) -> int:
    """The id of a trial in its storage, which is not its number in the study."""
    return trial._trial_id


def trial_number(trial: optuna.Trial) -> int:
    """The number of a trial in its study, without a question to the storage."""
    return trial._cached_frozen_trial.number


def all_trials(study: Study) -> list[FrozenTrial]:
    """All trials of a study, not copied and not to be changed."""
    return study._storage.get_all_trials(study._study_id, deepcopy=False)


def trial_state(study: Study, trial_id: int) -> TrialState:
    """The state of a trial as the storage has it now."""
    return study._storage.get_trial(trial_id).state


def create_trial(study: Study) -> int:
    """Begin a new trial and return its id."""
    return study._storage.create_new_trial(study._study_id)


def pop_waiting_trial(study: Study) -> int | None:
    """Begin an enqueued trial and return its id; ``None`` if there is none."""
    return study._pop_waiting_trial_id()


def reported_values(trial: optuna.Trial) -> Mapping[int, float]:
    """The values that a trial has reported to the pruner, by position."""
    return trial._cached_frozen_trial.intermediate_values


class ReplayingCmaEsSampler(CmaEsSampler):
    """Optuna's CMA-ES, whose state is told anew from the finished trials instead of being unpickled from the storage."""

    def sample_relative(self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> dict[str, Any]:
        """See `optuna.samplers.BaseSampler`."""
        if not search_space:
            return {}
        finished = self._get_trials(study)
        transform = _SearchSpaceTransform(search_space, transform_step=True, transform_0_1=True)
        optimizer = self._init_optimizer(transform, study.direction)
        sign = 1 if study.direction == StudyDirection.MINIMIZE else -1
        while len(told := self._get_solution_trials(finished, optimizer.generation)) >= optimizer.population_size:
            told = told[: optimizer.population_size]
            optimizer.tell([(transform.transform(t.params), sign * t.values[0]) for t in told])
        optimizer._rng.seed(self._cma_rng.rng.randint(1, 2**31))
        study._storage.set_trial_system_attr(trial._trial_id, self._attr_key_generation, optimizer.generation)
        return transform.untransform(np.asarray(optimizer.ask()))
