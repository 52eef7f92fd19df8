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
from itertools import product
from operator import is_
from pathlib import Path

from harness.errors import ResultsError
from harness.runs.folder import RECORD_FILE, STUDIES, RunFolder, RunRecord
from harness.runs.guarded import Unreadable
from harness.runs.naming import label_runs
from harness.runs.reading import CollectedRun, RunKey, RunReader, TaskConstants
from harness.runs.walk import find_files

_EVALUATIONS_FILE = "evaluations.csv"

TaskKey = tuple[str, str]
"""A suite and a task of it."""


@dataclass(frozen=True)
class MissingRun:
    """A run that there should be, since its method, its task and its seed each occur in some folder of the suite.

    Attributes:
        key: What tells it from other runs.
        like: A run of the same method, on another task or with another seed.
    """

    key: RunKey
    like: CollectedRun


@dataclass(frozen=True)
class Collection:
    """What was found in run folders.

    Attributes:
        runs: Every run folder that can be read, pre-training and superseded ones included, by name.
        missing: The runs that there should be.
        tasks: The constants of each task.
        unreadable: One line for each thing that could not be read.
    """

    runs: Sequence[CollectedRun]
    missing: Sequence[MissingRun]
    tasks: Mapping[TaskKey, TaskConstants]
    unreadable: Sequence[str]

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
        self._folders: dict[Path, RunFolder] = {}
        self._last: tuple[Sequence[CollectedRun], Sequence[str], Collection] | None = None

    @without_garbage_collection()
    def below(self, roots: Iterable[Path]) -> Collection:
        """Every run at or below some folders; see `collect_below`.

        Raises:
            ResultsError: A root does not exist.
        """
        found: dict[str, RunFolder] = {}
        problems: list[str] = []
        for root in sorted(set(roots)):
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
        return self.collect(found.values(), problems)

    def collect(self, folders: Iterable[RunFolder], problems: Iterable[str] = ()) -> Collection:
        """The runs in some folders; see the function of this name."""
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
        return self.arrange(runs, unreadable)

    def arrange(self, runs: Iterable[CollectedRun], unreadable: Iterable[str] = ()) -> Collection:
        """What runs are together, the same object as at the last look if they are; see the function of this name."""
        runs, unreadable = list(runs), list(unreadable)
        if self._last is not None:
            before, problems, found = self._last
            if len(before) == len(runs) and all(map(is_, before, runs)) and problems == unreadable:
                return found
        self._last = runs, unreadable, arrange(runs, unreadable)
        return self._last[-1]


def collect_below(roots: Iterable[Path]) -> Collection:
    """Every run at or below some folders; one reached twice counts once, under the first name in alphabetical order.

    Raises:
        ResultsError: A root does not exist.
    """
    return CollectionReader().below(roots)


def collect(folders: Iterable[RunFolder], problems: Iterable[str] = ()) -> Collection:
    """The runs in some folders.

    Args:
        folders: Folders of runs; those that cannot be read are named.
        problems: What could not be read before.
    """
    return CollectionReader().collect(folders, problems)


def arrange(runs: Iterable[CollectedRun], unreadable: Iterable[str] = ()) -> Collection:
    """What runs are together: their labels, which of several folders of a run counts, and their tasks' constants."""
    runs = sorted(runs, key=lambda run: run.name)
    labels = label_runs({run.name: run.record for run in runs if not run.spec.pretraining})
    labelled = [replace(run, label=labels.get(run.name, run.spec.method)) for run in runs]
    tasks = _task_constants(labelled)
    counting = _counting(labelled)
    arranged = [
        replace(
            run,
            constants=tasks.get((run.spec.suite, run.spec.task), run.constants),
            superseded=not run.spec.pretraining and counting[run.key] != run.name,
        )
        for run in labelled
    ]
    return Collection(arranged, _missing(arranged), tasks, sorted(set(unreadable)))


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


def _task_constants(runs: Iterable[CollectedRun]) -> dict[TaskKey, TaskConstants]:
    """The run that was changed last decides a task's constants: they may be corrected after the first runs."""
    found: dict[TaskKey, TaskConstants] = {}
    for run in sorted(runs, key=lambda run: (run.record.status.updated, run.name)):
        if run.spec.pretraining:
            continue
        constants, key = run.spec.normalise, (run.spec.suite, run.spec.task)
        pair = (constants.low, constants.high) if constants else None
        others = [one for one in found[key].variants if one != pair] if key in found else []
        found[key] = TaskConstants(constants, (*others, pair))
    return dict(sorted(found.items()))


def _missing(runs: Sequence[CollectedRun]) -> list[MissingRun]:
    """The missing runs: every method of a suite, on every task of it, with every seed of it."""
    present = {run.key for run in runs if not run.spec.pretraining}
    missing: list[MissingRun] = []
    for suite in sorted({key[0] for key in present}):
        ours = [run for run in runs if run.spec.suite == suite and not run.spec.pretraining]
        methods = {run.label: run for run in reversed(ours)}
        tasks, seeds = sorted({run.spec.task for run in ours}), sorted({run.spec.seed for run in ours})
        for task, label, seed in product(tasks, sorted(methods), seeds):
            if (suite, task, label, seed) not in present:
                missing.append(MissingRun((suite, task, label, seed), methods[label]))
    return missing


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
