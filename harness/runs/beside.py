"""What lies beside the runs of a plan, in the folders of its tasks: constants of before, and runs under other settings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ResultsError, plural
from harness.runs.folder import RunFolder
from harness.runs.lock import AlreadyClaimed
from harness.runs.notices import describe_constants, join
from harness.runs.reading import TaskConstants
from harness.spec import Normalisation, RunSpec


@dataclass(frozen=True)
class Beside:
    """The folders of a plan's tasks.

    Attributes:
        specs: The runs of the plan.
        results: The results directory.
    """

    specs: Sequence[RunSpec]
    results: Path

    @property
    def _constants(self) -> Mapping[tuple[str, str], Normalisation | None]:
        """What the plan says that scores of each task are normalised with."""
        return {(spec.suite, spec.task): spec.normalise for spec in self.specs if not spec.pretraining}

    def outdated(self) -> list[str]:
        """A sentence for each task of which some runs carry other constants than the plan."""
        sentences: list[str] = []
        for (suite, task), wanted in self._constants.items():
            if folders := [folder for folder in self._folders(suite, task) if _carries_others(folder, wanted)]:
                sentences.append(
                    f"the suite now says {describe_constants(TaskConstants(wanted, ()))} for task {task}, other constants than"
                    f" {plural(len(folders), 'run')} of it: 'harness run' brings them up to date"
                )
        return sentences

    def update_constants(self) -> list[str]:
        """Give every run of the plan's tasks the constants that the plan says: no number that it trained depends on them.

        Returns:
            A sentence for each task of which runs were changed, or could not be.
        """
        sentences: list[str] = []
        for (suite, task), wanted in self._constants.items():
            changes = [_update(folder, wanted) for folder in self._folders(suite, task) if _carries_others(folder, wanted)]
            now = f"constants of task {task} are now {describe_constants(TaskConstants(wanted, ()))}"
            if done := changes.count(True):
                sentences.append(f"{now}: {plural(done, 'earlier run')} brought up to date")
            if left := changes.count(False):
                sentences.append(
                    f"{now}: {plural(left, 'earlier run')} could not be brought up to date, in use or not writable"
                )
        return sentences

    def other_settings(self) -> list[str]:
        """A sentence about runs of the plan's methods, tasks and seeds under other settings."""
        known = {(spec.suite, spec.task, f"{spec.method}-{spec.digest}") for spec in self.specs}
        methods = {(spec.suite, spec.task, spec.method) for spec in self.specs}
        others: list[str] = []
        for suite, task in dict.fromkeys((suite, task) for suite, task, _ in known):
            for folder in self._method_folders(suite, task):
                name, _, _ = folder.name.rpartition("-")
                if (suite, task, name) in methods and (suite, task, folder.name) not in known:
                    others.append(f"{task}/{folder.name}")
        if not others:
            return []
        return [f"runs of the same methods under other settings lie beside these and are not counted here: {join(others)}"]

    def _method_folders(self, suite: str, task: str) -> list[Path]:
        with suppress(OSError):  # what may not be looked at was named when the runs were read
            return sorted(one for one in (self.results / suite / task).iterdir() if _DIGEST.search(one.name))
        return []

    def _folders(self, suite: str, task: str) -> Iterator[RunFolder]:
        for method in self._method_folders(suite, task):
            with suppress(OSError):
                yield from (RunFolder(one) for one in _seed_folders(method))


_DIGEST = re.compile(r"-[0-9a-f]{8}$")


def _seed_folders(method: Path) -> Iterable[Path]:
    return sorted(one for one in method.iterdir() if one.name.startswith("seed-"))


def _carries_others(folder: RunFolder, wanted: Normalisation | None) -> bool:
    try:
        spec = folder.read().spec
    except ResultsError:  # named when it is read to be counted
        return False
    return not spec.pretraining and _pair(spec.normalise) != _pair(wanted)


def _pair(constants: Normalisation | None) -> tuple[float, float] | None:
    return (constants.low, constants.high) if constants else None


def _update(folder: RunFolder, wanted: Normalisation | None) -> bool:
    """Write the constants into a run's record; false if it is in use or may not be written."""
    try:
        with folder.claim():
            record = folder.read()
            folder.write(record.model_copy(update={"spec": record.spec.model_copy(update={"normalise": wanted})}))
    except (OSError, ResultsError, AlreadyClaimed):
        return False
    return True
