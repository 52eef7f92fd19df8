"""One study: opens it, checks its definition, hands out and ends its trials."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import optuna
from optuna.exceptions import DuplicatedStudyError, UpdateFinishedTrialError
from optuna.samplers import BaseSampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from harness.errors import StudyError
from harness.planning.plan import Plan
from harness.runs.lock import AlreadyClaimed
from harness.spec import SAVES_STATE, RunSpec
from harness.suites.model import Suite
from harness.suites.tune_block import TuneBlock
from harness.tuning import optuna_internals as internals
from harness.tuning.outages import OUTAGE_SECONDS, Outages
from harness.tuning.parameters import Parameter, SearchSpace, Value, Values
from harness.tuning.pruners import make_pruner, reports_runs
from harness.tuning.samplers import make_sampler
from harness.tuning.scores import EvaluationOrder, own_steps
from harness.tuning.space import check_search_spaces, search_space
from harness.tuning.storage import StorageHandle, without_experimental_warnings
from harness.tuning.trial_claims import DEFINITION_ATTRIBUTE
from harness.tuning.trials import trial_seeds, trial_specs

STUDY_FORMAT = 1

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
DIRECTIONS = {"score": StudyDirection.MAXIMIZE, "seconds": StudyDirection.MINIMIZE}
"""The direction in which each objective is optimised."""


@dataclass(frozen=True)
class StudyDefinition:
    """What a study searches: a method of a suite, and the space of its settings.

    Attributes:
        plan: The plan of the suite, with its ``tune`` block.
        method: Name of the method in the suite.
        space: The settings that are searched, with their ranges.
        study: Name of the study.
    """

    plan: Plan
    method: str
    space: SearchSpace
    study: str

    @classmethod
    def from_plan(cls, plan: Plan, method: str, study: str) -> StudyDefinition:
        """The study definition of a method of a suite.

        Raises:
            UserError: The method has nothing to search, a task has no constants to normalise its scores with, a snapshot
                cannot be used, or the sampler cannot be had.
        """
        check_search_spaces(plan, [method])
        constants = {spec.task: spec.normalise for spec in plan.runs}
        for name in plan.suite.tasks:
            if constants.get(name) is None:
                message = (
                    f"task {name!r} has no constants to normalise its score with: add 'normalise', or leave it out with --task"
                )
                raise plan.tree.find(("tasks", name))[0].location.error(message)
        definition = cls(plan, method, search_space(plan, method), study)
        definition.sampler()  # report a sampler that cannot be used before touching the storage
        return definition

    @property
    def suite(self) -> Suite:
        """The suite of the method."""
        return self.plan.suite

    @property
    def options(self) -> TuneBlock:
        """The suite's ``tune`` block."""
        return self.suite.tune

    def sampler(self) -> BaseSampler:
        """The sampler that proposes settings."""
        return make_sampler(self.options.sampler, self.space, self.options.seed, self.options.grid_points)

    def specs(self, values: Values, seeds: Sequence[int] | None = None) -> list[RunSpec]:
        """The runs of a trial with these values; of the suite's own settings if there are none."""
        seeds = trial_seeds(self.options.seeds) if seeds is None else seeds
        return trial_specs(self.plan, self.method, values, study=self.study, seeds=seeds)

    def as_json(self) -> dict[str, Any]:
        """Everything on which the scores of trials depend, beside the values searched; as JSON."""
        runs = self.specs({})
        first = {task: next(run for run in runs if run.task == task and not run.pretraining) for task in self.suite.tasks}
        spec = next(iter(first.values()))
        searched = {parameter.name for parameter in self.space.parameters}
        settings = {"algorithm": spec.algorithm.config}
        if spec.reward is not None:
            settings |= {"config": spec.reward.config, "combine": spec.reward.combine.model_dump(mode="json")}
        return {
            "format": STUDY_FORMAT,
            "suite": self.suite.suite,
            "method": self.method,
            "algorithm": spec.algorithm.name,
            "reward": spec.reward.name if spec.reward else None,
            "settings": _without_searched(settings, searched, ""),
            "tasks": {
                task: {
                    "environment": spec.environment.model_dump(mode="json"),
                    "steps": spec.steps,
                    "normalise": spec.normalise.model_dump(mode="json", exclude={"source"}) if spec.normalise else None,
                    **spec.model_dump(mode="json", include={"training_version", "replay_steps"}),
                }
                for task, spec in first.items()
            },
            "evaluation": spec.evaluation.model_dump(mode="json"),
            **spec.model_dump(mode="json", include={"precision"}),
            "phases": [phase.model_dump(mode="json") for phase in spec.phases],
            "pretraining": sorted({run.task for run in runs if run.pretraining}),
            # it ended episodes, and so changed scores, before runs were of version 2
            **({"checkpoint_every": spec.checkpoint_every} if spec.training_version == SAVES_STATE else {}),
            "objectives": list(self.options.objectives),
            "metric": self.options.metric,
            "seeds": self.options.seeds,
            "reports": "runs" if reports_runs(self.options.pruner) else "aggregates",
            "space": self.space.as_json(),
        }


def _without_searched(settings: Mapping[str, Any], names: set[str], prefix: str) -> dict[str, Any]:
    return {
        key: _without_searched(cast(Mapping[str, Any], value), names, f"{prefix}{key}.")
        if isinstance(value, Mapping)
        else value
        for key, value in settings.items()
        if f"{prefix}{key}" not in names
    }


@dataclass(frozen=True)
class ClaimedTrial:
    """A trial that this process has claimed.

    Attributes:
        trial: Optuna's record of it.
        values: Values of the parameters that have an effect.
        resumed: Whether another process had started it before.
    """

    trial: optuna.Trial
    values: dict[str, Value]
    resumed: bool


@dataclass(frozen=True)
class Limit:
    """When no further trial is begun; ``None`` for never."""

    trials: int | None = None
    steps: int | None = None


class TuningStudy:
    """A study in a storage, checked against its definition.

    Args:
        definition: The definition that the stored study must have.
        handle: The storage; the study is created there if it does not exist.
        outage_seconds: Longest time, in seconds, for which an outage of the storage is waited out once the study is open.

    Raises:
        StudyError: The study of this name is about something else, or the sampler cannot be had.
    """

    def __init__(self, definition: StudyDefinition, handle: StorageHandle, outage_seconds: float = OUTAGE_SECONDS) -> None:
        self.definition, self.handle = definition, handle
        self.outages = Outages(handle.label, outage_seconds)
        options, self.specs = definition.options, definition.specs({})
        self.evaluation_order = EvaluationOrder(self.specs)
        sampler = definition.sampler()
        scored = [length for length in self.evaluation_order.evaluations_per_run if length]
        pruner = make_pruner(options.pruner, scored, len(scored) // options.seeds)
        directions = [DIRECTIONS[objective] for objective in options.objectives]
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with without_experimental_warnings():
            self.optuna_study = _open(definition.study, handle, directions, sampler, pruner)
        self._check_definition()
        self.trial_claims = handle.trial_claims(internals.study_id(self.optuna_study))

    @property
    def name(self) -> str:
        """The study's name."""
        return self.definition.study

    @property
    def multi_objective(self) -> bool:
        """Whether there is more than one objective."""
        return len(self.definition.options.objectives) > 1

    def trials(self) -> list[FrozenTrial]:
        """All trials; not to be changed."""
        return self.outages.wait_out(lambda: internals.all_trials(self.optuna_study))

    def best_trial(self) -> FrozenTrial | None:
        """The finished trial with the highest score; ``None`` before there is one."""
        return max(self.complete_trials(), key=lambda trial: (trial.values[0], -trial.number), default=None)

    def best_trials(self) -> list[FrozenTrial]:
        """The trials that no other one beats in all objectives."""
        return self.outages.wait_out(lambda: self.optuna_study.best_trials)

    def unfinished(self) -> int:
        """The number of trials that have not ended, whoever has them."""
        return sum(trial.state not in FINISHED for trial in self.trials())

    def complete_trials(self) -> list[FrozenTrial]:
        """Trials that ran to their end."""
        return [trial for trial in self.trials() if trial.state == TrialState.COMPLETE]

    def ask(self, limit: Limit) -> ClaimedTrial | None:
        """Claim a trial: an abandoned one, a waiting one, or a new one within the limit; ``None`` if there is none.

        Raises:
            StorageLost: The storage was away for too long.
        """
        # Repeated as a whole: what an outage leaves half done is abandoned then, and so the first to be claimed.
        return self.outages.wait_out(lambda: self._ask(limit))

    def _ask(self, limit: Limit) -> ClaimedTrial | None:
        trial_id: int | None = None
        try:
            with self.trial_claims.exclusive():
                trial_id, resumed = self._next_trial_id(limit)
                if trial_id is None:
                    return None
                self.trial_claims.acquire(trial_id)
            with without_experimental_warnings():
                trial = optuna.Trial(self.optuna_study, trial_id)
                values: dict[str, Value] = {}
                for parameter in self.definition.space.parameters:
                    if parameter.is_active(values):
                        values[parameter.name] = _suggest(trial, parameter)
        except AlreadyClaimed:  # on a disk without locks, another tuner was faster
            return None
        except BaseException:  # also on Ctrl-C: no other process takes the trial over while this one lives
            if trial_id is not None:
                self.trial_claims.release(trial_id)
            raise
        return ClaimedTrial(trial, values, resumed)

    def tell(
        self, trial: optuna.Trial, values: Sequence[float] | None, state: TrialState, attributes: Mapping[str, Any]
    ) -> bool:
        """End a trial.

        Args:
            trial: The claimed trial.
            values: The value of each objective; ``None`` unless it is complete.
            state: How it ended.
            attributes: Facts to be kept with it.

        Returns:
            False if another process has taken it over because this one seemed dead.

        Raises:
            StorageLost: The storage was away for too long.
        """
        trial_id = internals.trial_id(trial)
        try:
            return self.outages.wait_out(
                lambda: self._tell(trial, list(values) if values is not None else None, state, attributes)
            )
        finally:
            self.trial_claims.release(trial_id)

    def _tell(self, trial: optuna.Trial, values: list[float] | None, state: TrialState, attributes: Mapping[str, Any]) -> bool:
        trial_id = internals.trial_id(trial)
        with self.trial_claims.exclusive():
            if not self.trial_claims.owned(trial_id):
                return False
            try:
                for name, value in attributes.items():
                    trial.set_user_attr(name, value)
                with without_experimental_warnings():
                    self.optuna_study.tell(trial, values, state)
            except (UpdateFinishedTrialError, ValueError):
                # where it has ended and is ours, an outage swallowed the answer to an earlier attempt
                if internals.trial_state(self.optuna_study, trial_id) != state:
                    raise
            return True

    def _next_trial_id(self, limit: Limit) -> tuple[int | None, bool]:
        trials = self.trials()
        running = [internals.trial_id(trial) for trial in trials if trial.state == TrialState.RUNNING]
        for trial_id in self.trial_claims.abandoned(running):
            # its owner may have ended it and gone since the list was read, which is no reason to begin it again
            if internals.trial_state(self.optuna_study, trial_id) == TrialState.RUNNING:
                return trial_id, True
        if not trials and (default := self._default()) is not None:
            self.optuna_study.enqueue_trial(default, user_attrs={"default": True})
        waiting = internals.pop_waiting_trial(self.optuna_study)
        if waiting is not None:
            return waiting, False
        if limit.trials is not None and len(trials) >= limit.trials:
            return None, False
        if limit.steps is not None and self.steps(trials) >= limit.steps:
            return None, False
        return internals.create_trial(self.optuna_study), False

    def steps(self, trials: Sequence[FrozenTrial]) -> int:
        """Environment steps of all trials; those under way count in full."""
        whole = sum(map(own_steps, self.specs))
        return sum(trial.user_attrs.get("steps", whole) for trial in trials)

    def _default(self) -> dict[str, Value] | None:
        """The suite's own settings, with which a study begins; a grid has its own order."""
        return None if self.definition.options.sampler == "grid" else self.definition.space.default()

    def _check_definition(self) -> None:
        wanted = json.loads(json.dumps(self.definition.as_json()))
        kept = self.optuna_study.user_attrs.get(DEFINITION_ATTRIBUTE)
        if kept is None:
            if self.trials():
                raise StudyError(
                    f"study {self.name!r} in {self.handle.label} was not made by harness tune: give another --study"
                )
            self.optuna_study.set_user_attr(DEFINITION_ATTRIBUTE, wanted)
        elif difference := first_difference(kept, wanted):
            key, old, new = difference
            raise StudyError(
                f"study {self.name!r} in {self.handle.label} is about something else ({key} is {_abbreviate(old)} there and"
                f" {_abbreviate(new)} here): give another name with --study"
            )


def first_difference(old: Any, new: Any, path: str = "") -> tuple[str, Any, Any] | None:
    """Where two pieces of JSON first differ, and what they hold there."""
    if isinstance(old, dict) and isinstance(new, dict):
        return _first_difference_in_dicts(cast(dict[str, Any], old), cast(dict[str, Any], new), path)
    if isinstance(old, list) and isinstance(new, list):
        olds, news = cast(list[Any], old), cast(list[Any], new)
        if len(olds) == len(news):
            return _first_difference_in_lists(olds, news, path)
    one, other = cast(Any, old), cast(Any, new)
    return None if one == other and type(one) is type(other) else (path, one, other)


def _first_difference_in_dicts(old: dict[str, Any], new: dict[str, Any], path: str) -> tuple[str, Any, Any] | None:
    for key in [*old, *(key for key in new if key not in old)]:
        if found := first_difference(old.get(key), new.get(key), f"{path}.{key}" if path else key):
            return found
    return None


def _first_difference_in_lists(old: list[Any], new: list[Any], path: str) -> tuple[str, Any, Any] | None:
    for index, (one, other) in enumerate(zip(old, new, strict=True)):
        name: Any = cast(dict[str, Any], one).get("name", index) if isinstance(one, dict) else index
        if found := first_difference(one, other, f"{path}.{name}"):
            return found
    return None


def _abbreviate(value: Any, max_length: int = 60) -> str:
    text = json.dumps(value)
    return text if len(text) <= max_length else f"{text[: max_length - 3]}..."


def _open(name: str, handle: StorageHandle, directions: Sequence[StudyDirection], sampler: Any, pruner: Any) -> Study:
    try:
        return optuna.create_study(
            storage=handle.storage, sampler=sampler, pruner=pruner, study_name=name, directions=directions
        )
    except DuplicatedStudyError:
        return optuna.load_study(study_name=name, storage=handle.storage, sampler=sampler, pruner=pruner)


def _suggest(trial: optuna.Trial, parameter: Parameter) -> Value:
    if parameter.low is None or parameter.high is None:
        return trial.suggest_categorical(parameter.name, parameter.choices)
    if parameter.whole:
        return trial.suggest_int(parameter.name, int(parameter.low), int(parameter.high), log=parameter.log)
    return trial.suggest_float(parameter.name, parameter.low, parameter.high, log=parameter.log)
