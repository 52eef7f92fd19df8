"""One study: opened, checked, asked for trials and told about them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.exceptions import DuplicatedStudyError, UpdateFinishedTrialError
from optuna.samplers import BaseSampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from harness.errors import StudyError, SuiteError
from harness.places import Node
from harness.problems import Refused, combined, located
from harness.registry import Registry
from harness.spec import RunSpec
from harness.suite_model import Suite
from harness.tuning.block import TuneBlock
from harness.tuning.owners import DEFINITION
from harness.tuning.parameters import Parameter, Space, Value, Values
from harness.tuning.pruners import make_pruner, reports_runs
from harness.tuning.samplers import make_sampler
from harness.tuning.scores import Positions, steps_of
from harness.tuning.space import suite_space
from harness.tuning.storage import Opened, quiet
from harness.tuning.trials import trial_seeds, trial_specs

FORMAT = 1

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
DIRECTIONS = {"score": StudyDirection.MAXIMIZE, "seconds": StudyDirection.MINIMIZE}
"""Of each objective."""


@dataclass(frozen=True)
class Problem:
    """What a study is to solve.

    Attributes:
        suite: As loaded, with its ``tune`` block.
        method: Name of the method in it.
        space: What is searched.
        study: Name of the study.
        registry: What is installed.
    """

    suite: Suite
    method: str
    space: Space
    study: str
    registry: Registry

    @classmethod
    def of(cls, suite: Suite, method: str, study: str, registry: Registry) -> Problem:
        """The problem that a suite states.

        Raises:
            UserError: The method has nothing to search, a task has no constants to normalise its scores with, or the sampler
                cannot be had.
        """
        for name, task in suite.tasks.items():
            if task.normalise is None:
                message = (
                    f"task {name!r} has no constants to normalise its score with: add 'normalise', or leave it out with --task"
                )
                raise SuiteError(message, key=f"tasks.{name}")
        try:
            problem = cls(suite, method, suite_space(suite, method, registry), study, registry)
        except Refused as refused:
            raise combined(located(refused.problems, Node.of(suite.model_dump(mode="json", exclude_unset=True)))) from None
        problem.sampler()  # what cannot be sampled is said before anything is opened
        return problem

    @property
    def options(self) -> TuneBlock:
        """The suite's ``tune`` block."""
        return self.suite.tune

    def sampler(self) -> BaseSampler:
        """Who proposes settings."""
        return make_sampler(self.options.sampler, self.space, self.options.seed, self.options.grid_points)

    def specs(self, values: Values, seeds: Sequence[int] | None = None) -> list[RunSpec]:
        """The runs of a trial with these values; of the suite's own settings if there are none."""
        seeds = trial_seeds(self.options.seeds) if seeds is None else seeds
        return trial_specs(self.suite, self.method, values, study=self.study, seeds=seeds, registry=self.registry)

    def definition(self) -> dict[str, Any]:
        """Everything on which the scores of trials depend, beside the values searched; as JSON."""
        runs = self.specs({})
        first = {task: next(run for run in runs if run.task == task and not run.pretraining) for task in self.suite.tasks}
        spec = next(iter(first.values()))
        searched = {parameter.name for parameter in self.space.parameters}
        settings = {"algorithm": spec.algorithm.config}
        if spec.reward is not None:
            settings |= {"config": spec.reward.config, "combine": spec.reward.combine.model_dump(mode="json")}
        return {
            "format": FORMAT,
            "suite": self.suite.suite,
            "method": self.method,
            "algorithm": spec.algorithm.name,
            "reward": spec.reward.name if spec.reward else None,
            "settings": _without(settings, searched, ""),
            "tasks": {
                task: {
                    "environment": spec.environment.model_dump(mode="json"),
                    "steps": spec.steps,
                    "normalise": spec.normalise.model_dump(mode="json", exclude={"source"}) if spec.normalise else None,
                }
                for task, spec in first.items()
            },
            "evaluation": spec.evaluation.model_dump(mode="json"),
            "phases": [phase.model_dump(mode="json") for phase in spec.phases],
            "pretraining": sorted({run.task for run in runs if run.pretraining}),
            "checkpoint_every": spec.checkpoint_every,
            "objectives": list(self.options.objectives),
            "metric": self.options.metric,
            "seeds": self.options.seeds,
            "reports": "runs" if reports_runs(self.options.pruner) else "aggregates",
            "space": self.space.as_json(),
        }


def _without(settings: Mapping[str, Any], names: set[str], prefix: str) -> dict[str, Any]:
    return {
        key: _without(value, names, f"{prefix}{key}.") if isinstance(value, Mapping) else value
        for key, value in settings.items()
        if f"{prefix}{key}" not in names
    }


@dataclass(frozen=True)
class Asked:
    """A trial that this process has taken.

    Attributes:
        trial: Optuna's.
        values: Of the parameters that have an effect.
        resumed: Whether somebody had begun it before.
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
    """A study in a storage, opened for the problem that it must be about.

    Args:
        problem: What it is to solve.
        opened: Where it is kept; it is created there if need be.

    Raises:
        StudyError: The study of this name is about something else, or the sampler cannot be had.
    """

    def __init__(self, problem: Problem, opened: Opened) -> None:
        self.problem, self.opened = problem, opened
        options, self.specs = problem.options, problem.specs({})
        self.positions = Positions(self.specs)
        sampler = problem.sampler()
        pruner = make_pruner(options.pruner, [length for length in self.positions.lengths if length])
        directions = [DIRECTIONS[objective] for objective in options.objectives]
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with quiet():
            self.optuna = _open(problem.study, opened, directions, sampler, pruner)
        self._check_definition()
        self.owners = opened.owners(self.optuna._study_id)

    @property
    def name(self) -> str:
        """The study's name."""
        return self.problem.study

    @property
    def multi_objective(self) -> bool:
        """Whether there is more than one objective."""
        return len(self.problem.options.objectives) > 1

    def trials(self) -> list[FrozenTrial]:
        """All trials; not to be changed."""
        return self.optuna._storage.get_all_trials(self.optuna._study_id, deepcopy=False)

    def best(self) -> FrozenTrial | None:
        """The finished trial with the highest score; ``None`` before there is one."""
        return max(self.complete(), key=lambda trial: (trial.values[0], -trial.number), default=None)

    def complete(self) -> list[FrozenTrial]:
        """Trials that ran to their end."""
        return [trial for trial in self.trials() if trial.state == TrialState.COMPLETE]

    def ask(self, limit: Limit) -> Asked | None:
        """Take a trial: one that was abandoned, one that waits, or a new one within the limit; ``None`` if there is none."""
        with self.owners.exclusive():
            trial_id, resumed = self._next(limit)
            if trial_id is None:
                return None
            self.owners.take(trial_id)
        try:
            with quiet():
                trial = optuna.Trial(self.optuna, trial_id)
                values: dict[str, Value] = {}
                for parameter in self.problem.space.parameters:
                    if parameter.active(values):
                        values[parameter.name] = _suggest(trial, parameter)
        except BaseException:  # also on Ctrl-C: nobody would take the trial over while this process lives
            self.owners.release(trial_id)
            raise
        return Asked(trial, values, resumed)

    def tell(self, trial: optuna.Trial, values: Sequence[float] | None, state: TrialState, facts: Mapping[str, Any]) -> bool:
        """End a trial.

        Args:
            trial: As asked for.
            values: Of each objective; ``None`` unless it is complete.
            state: How it ended.
            facts: To be kept with it.

        Returns:
            False if somebody else ended it, having taken us for dead.
        """
        try:
            for name, fact in facts.items():
                trial.set_user_attr(name, fact)
            with quiet():
                self.optuna.tell(trial, list(values) if values is not None else None, state)
        except (UpdateFinishedTrialError, ValueError):
            if self.optuna._storage.get_trial(trial._trial_id).state not in FINISHED:
                raise
            return False
        finally:
            self.owners.release(trial._trial_id)
        return True

    def _next(self, limit: Limit) -> tuple[int | None, bool]:
        trials = self.trials()
        running = [trial._trial_id for trial in trials if trial.state == TrialState.RUNNING]
        for trial_id in self.owners.abandoned(running):
            # its owner may have ended it and gone since the list was read, which is no reason to begin it again
            if self.optuna._storage.get_trial(trial_id).state == TrialState.RUNNING:
                return trial_id, True
        if not trials and (default := self._default()) is not None:
            self.optuna.enqueue_trial(default, user_attrs={"default": True})
        waiting = self.optuna._pop_waiting_trial_id()
        if waiting is not None:
            return waiting, False
        if limit.trials is not None and len(trials) >= limit.trials:
            return None, False
        if limit.steps is not None and self.steps(trials) >= limit.steps:
            return None, False
        return self.optuna._storage.create_new_trial(self.optuna._study_id), False

    def steps(self, trials: Sequence[FrozenTrial]) -> int:
        """Environment steps of all trials; those under way count in full."""
        whole = sum(map(steps_of, self.specs))
        return sum(trial.user_attrs.get("steps", whole) for trial in trials)

    def _default(self) -> dict[str, Value] | None:
        """The suite's own settings, with which a study begins; a grid has its own order."""
        return None if self.problem.options.sampler == "grid" else self.problem.space.default()

    def _check_definition(self) -> None:
        wanted = json.loads(json.dumps(self.problem.definition()))
        kept = self.optuna.user_attrs.get(DEFINITION)
        if kept is None:
            if self.trials():
                raise StudyError(
                    f"study {self.name!r} in {self.opened.shown} was not made by harness tune: give another --study"
                )
            self.optuna.set_user_attr(DEFINITION, wanted)
        elif difference := first_difference(kept, wanted):
            key, old, new = difference
            raise StudyError(
                f"study {self.name!r} in {self.opened.shown} is about something else ({key} is {_short(old)} there and"
                f" {_short(new)} here): give another name with --study"
            )


def first_difference(old: Any, new: Any, path: str = "") -> tuple[str, Any, Any] | None:
    """Where two pieces of JSON first differ, and what they hold there."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            if found := first_difference(old.get(key), new.get(key), f"{path}.{key}" if path else key):
                return found
        return None
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            name = one.get("name", index) if isinstance(one, dict) else index
            if found := first_difference(one, other, f"{path}.{name}"):
                return found
        return None
    return None if old == new and type(old) is type(new) else (path, old, new)


def _short(value: Any, most: int = 60) -> str:
    text = json.dumps(value)
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _open(name: str, opened: Opened, directions: Sequence[StudyDirection], sampler: Any, pruner: Any) -> Study:
    try:
        return optuna.create_study(
            storage=opened.storage, sampler=sampler, pruner=pruner, study_name=name, directions=directions
        )
    except DuplicatedStudyError:
        return optuna.load_study(study_name=name, storage=opened.storage, sampler=sampler, pruner=pruner)


def _suggest(trial: optuna.Trial, parameter: Parameter) -> Value:
    if parameter.low is None or parameter.high is None:
        return trial.suggest_categorical(parameter.name, parameter.choices)
    if parameter.whole:
        return trial.suggest_int(parameter.name, int(parameter.low), int(parameter.high), log=parameter.log)
    return trial.suggest_float(parameter.name, parameter.low, parameter.high, log=parameter.log)
