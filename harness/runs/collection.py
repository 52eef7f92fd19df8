"""The one reading of run folders: which runs there are, which of several count, what each is called, and what it scored.

The table at the end of ``run``, ``status`` and the report are views of it, so that they cannot disagree.

The score of a run is the mean return over the episodes of its last evaluation, and only a finished run has one. What cannot
be read is passed over and named; what is missing stays visible.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from operator import is_
from pathlib import Path

from harness.errors import ResultsError
from harness.runs.dropped import find_dropped, suite_folder
from harness.runs.folder import RECORD_FILE, STUDIES, RunFolder, RunRecord
from harness.runs.guarded import Unreadable
from harness.runs.naming import label_runs
from harness.runs.planned import PlannedRun, find_abandoned, find_missing, find_superfluous
from harness.runs.plans import PlanReader, RecordedPlan
from harness.runs.reading import CollectedRun, RunKey, RunReader, TaskConstants
from harness.runs.walk import find_files

_EVALUATIONS_FILE = "evaluations.csv"

TaskKey = tuple[str, str]
"""A suite and a task of it."""


@dataclass(frozen=True)
class MissingRun:
    """A run that some plan asked for, and that never began.

    Attributes:
        key: What tells it from other runs.
        planned: Its specification, and its folder.
    """

    key: RunKey
    planned: PlannedRun


@dataclass(frozen=True)
class Collection:
    """What was found in run folders.

    Attributes:
        runs: Every run folder that can be read, pre-training and superseded ones included, by name.
        missing: The runs that plans asked for and that never began, pre-training aside.
        tasks: The constants of each task.
        unreadable: One line for each thing that could not be read.
        abandoned: Dead runs of abandoned settings, which are not among ``runs``; see `harness.runs.planned`.
        superfluous: The names of all dead runs whose settings were abandoned, those among ``runs`` as well.
        planned_suites: The suites of which some plan is recorded.
        dropped: The names of the runs among ``runs`` that no plan asks for any more; see `harness.runs.dropped`.
    """

    runs: Sequence[CollectedRun]
    missing: Sequence[MissingRun]
    tasks: Mapping[TaskKey, TaskConstants]
    unreadable: Sequence[str]
    abandoned: Sequence[CollectedRun] = ()
    superfluous: frozenset[str] = frozenset()
    planned_suites: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()

    @property
    def fingerprint(self) -> str:
        """What a report on these runs depends on, as a digest: the same wherever the results lie."""
        facts = [
            [run.key, run.record.digest, run.state, run.superseded, _facts_of(run.record), run.constants.normalise(run.score)]
            + [[one.step, one.episodes, sorted(one.means.items())] for one in run.evaluations]
            for run in self.runs
        ]
        constants = [[key, one.used and one.used.model_dump(mode="json")] for key, one in self.tasks.items()]
        return hashlib.sha256(json.dumps([sorted(map(repr, facts)), constants]).encode()).hexdigest()

    @property
    def current(self) -> list[CollectedRun]:
        """The runs that count, pre-training included."""
        return [run for run in self.runs if not run.superseded]


@contextmanager
def without_garbage_collection() -> Generator[None]:
    """Nothing that reading makes is garbage, and looking through all of it again and again takes a fifth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class CollectionReader:
    """Reads what run folders are together, and at every look after the first only what has changed since.

    Attributes:
        runs: The reader of single folders.
    """

    def __init__(self) -> None:
        self.runs = RunReader()
        self._plans = PlanReader()
        self._folders: dict[Path, RunFolder] = {}
        self._last: tuple[tuple[object, ...], tuple[object, ...], Collection] | None = None

    @without_garbage_collection()
    def below(self, roots: Iterable[Path], unstarted: Iterable[Path] = ()) -> Collection:
        """Every run at or below some folders; see `collect_below`.

        Args:
            roots: The folders to look in.
            unstarted: Folders of runs that do not exist, and are missing if some plan asked for them.

        Raises:
            ResultsError: A root does not exist.
        """
        found: dict[str, RunFolder] = {}
        problems: list[str] = []
        roots = sorted(set(roots))
        for root in roots:
            files, unreadable = find_files(root, {RECORD_FILE, _EVALUATIONS_FILE}, passed_over={STUDIES})
            problems += unreadable
            folders = {file.parent for file in files if file.name == RECORD_FILE}
            orphans = [file for file in files if file.name != RECORD_FILE and file.parent not in folders]
            problems += [str(Unreadable(file, f"belongs to no run (there is no {RECORD_FILE} beside it)")) for file in orphans]
            for folder in sorted(folders):
                known = self._folders.get(folder)
                if known is None:
                    known = self._folders[folder] = RunFolder(folder)
                found.setdefault(os.path.realpath(folder), known)
        runs, unreadable = self._read(found.values(), problems)
        suites = {os.path.realpath(place): place for place in sorted(set(map(suite_folder, runs)), reverse=True)}
        plans, lines = self._plans.read(suites[name] for name in sorted(suites))
        return self.arrange(runs, [*unreadable, *lines], plans, [*roots, *unstarted], all_plans=not lines)

    def _read(self, folders: Iterable[RunFolder], problems: Iterable[str] = ()) -> tuple[list[CollectedRun], list[str]]:
        """The runs in some folders, and one line for each thing that cannot be read, ``problems`` first."""
        runs: list[CollectedRun] = []
        unreadable = list(problems)
        for folder in folders:
            try:
                run, lines = self.runs.read(folder)
            except Unreadable as error:
                unreadable.append(str(error))
            else:
                runs.append(run)
                unreadable += lines
        return runs, unreadable

    def arrange(
        self,
        runs: Iterable[CollectedRun],
        unreadable: Iterable[str] = (),
        plans: Sequence[RecordedPlan] = (),
        scope: Sequence[Path] = (),
        *,
        all_plans: bool = True,
    ) -> Collection:
        """What runs are together, the same object as at the last look if they are; see the function of this name."""
        runs = tuple(runs)
        objects, texts = (*runs, *plans), (len(runs), tuple(unreadable), tuple(scope), all_plans)
        if self._last is not None:
            before, others, found = self._last
            if others == texts and len(before) == len(objects) and all(map(is_, before, objects)):
                return found
        self._last = objects, texts, arrange(runs, texts[1], plans, scope, all_plans=all_plans)
        return self._last[-1]


def collect_below(roots: Iterable[Path], unstarted: Iterable[Path] = ()) -> Collection:
    """Every run at or below some folders; one reached twice counts once, under the first name in alphabetical order.

    Args:
        roots: The folders to look in.
        unstarted: Folders of runs that do not exist, and are missing if some plan asked for them.

    Raises:
        ResultsError: A root does not exist.
    """
    return CollectionReader().below(roots, unstarted)


def arrange(
    runs: Iterable[CollectedRun],
    unreadable: Iterable[str] = (),
    plans: Sequence[RecordedPlan] = (),
    scope: Sequence[Path] = (),
    *,
    all_plans: bool = True,
) -> Collection:
    """What runs are together: their labels, which of several folders of a run counts, and their tasks' constants.

    Args:
        runs: Every run that was found.
        unreadable: One line for each thing that could not be read.
        plans: The recorded plans of their suites, the oldest first.
        scope: The places that were looked at.
        all_plans: Whether every recorded plan could be read; no run is dropped where one could not.
    """
    found = sorted(runs, key=lambda run: run.name)
    superfluous = find_superfluous(found, plans)
    left_out = find_abandoned(found, superfluous)
    counted = [run for run in found if run.name not in left_out]
    missing = [one for one in find_missing(found, superfluous, plans, scope) if not one.spec.pretraining]
    labels = _labels(counted, missing)
    labelled = [replace(run, label=labels.get(run.name, run.spec.method)) for run in counted]
    tasks = _task_constants(labelled, missing)
    counting = _counting(labelled)
    arranged = [
        replace(
            run,
            constants=tasks.get((run.spec.suite, run.spec.task), run.constants),
            superseded=not run.spec.pretraining and counting[run.key] != run.name,
        )
        for run in labelled
    ]
    return Collection(
        arranged,
        _missing(arranged, missing, labels),
        tasks,
        sorted(set(unreadable)),
        [replace(run, label=run.spec.method) for run in found if run.name in left_out],
        frozenset(superfluous),
        frozenset(asked.spec.suite for plan in plans for asked in plan.runs),
        frozenset(find_dropped(found, plans) - superfluous if all_plans else ()),
    )


def _labels(runs: Iterable[CollectedRun], missing: Iterable[PlannedRun]) -> dict[str, str]:
    """The labels of runs, those that never began included, by the paths of their folders."""
    records = {run.name: run.record for run in runs if not run.spec.pretraining}
    for one in missing:
        name = one.folder.path.as_posix()
        records[name] = RunRecord.model_construct(spec=one.spec, method_digest=one.spec.method_digest)
    return label_runs(records)


def newest_first(runs: Iterable[CollectedRun]) -> list[CollectedRun]:
    """Runs in the order in which they count: finished ones first, of these the last changed, of equals the first by name."""
    by_name = sorted(runs, key=lambda run: run.name)
    return sorted(by_name, key=lambda run: (run.state == "finished", run.record.status.updated), reverse=True)


def _counting(runs: Iterable[CollectedRun]) -> dict[RunKey, str]:
    """The name of the folder that counts for each run: the newest finished one, or the newest if none is finished."""
    found: dict[RunKey, str] = {}
    for run in newest_first(run for run in runs if not run.spec.pretraining):
        found.setdefault(run.key, run.name)
    return found


def _task_constants(runs: Iterable[CollectedRun], missing: Iterable[PlannedRun]) -> dict[TaskKey, TaskConstants]:
    """The run that was changed last decides a task's constants: they may be corrected after the first runs."""
    found: dict[TaskKey, TaskConstants] = {}
    for run in sorted(runs, key=lambda run: (run.record.status.updated, run.name)):
        if run.spec.pretraining:
            continue
        constants, key = run.spec.normalise, (run.spec.suite, run.spec.task)
        pair = (constants.low, constants.high) if constants else None
        others = [one for one in found[key].variants if one != pair] if key in found else []
        found[key] = TaskConstants(constants, (*others, pair))
    for one in missing:  # of tasks that no run has begun on
        constants = one.spec.normalise
        pair = (constants.low, constants.high) if constants else None
        found.setdefault((one.spec.suite, one.spec.task), TaskConstants(constants, (pair,)))
    return dict(sorted(found.items()))


def _missing(runs: Iterable[CollectedRun], planned: Iterable[PlannedRun], labels: Mapping[str, str]) -> list[MissingRun]:
    """The missing runs: what was asked for and lies nowhere, in whichever folder it might."""
    present = {run.key for run in runs if not run.spec.pretraining}
    missing: dict[RunKey, MissingRun] = {}
    for one in planned:
        spec = one.spec
        key = spec.suite, spec.task, labels[one.folder.path.as_posix()], spec.seed
        if key not in present:
            missing.setdefault(key, MissingRun(key, one))
    return [missing[key] for key in sorted(missing)]


def _facts_of(record: RunRecord) -> list[object]:
    status = record.status
    return [status.step, status.attempts, status.updated, status.seconds, status.error]


def refuse_if_empty(found: Collection, roots: Iterable[Path]) -> None:
    """Refuse results without any run.

    Raises:
        ResultsError: There is none; says what could not be read instead.
    """
    if not found.runs:
        raise ResultsError("; ".join([f"no runs in {', '.join(map(str, roots))}", *found.unreadable]))
