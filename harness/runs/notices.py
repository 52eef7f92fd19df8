"""What must be known before trusting the numbers of run folders, in sentences that ``run`` and ``status`` print alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from harness.errors import plural
from harness.runs.collection import Collection
from harness.runs.reading import CollectedRun, TaskConstants

_MAX_NAMED = 5


def describe(found: Collection) -> list[str]:
    """A sentence for each thing that makes scores other than they seem."""
    return [*_constants(found), *_settings(found), *_superseded(found), *_evaluations(found), *_abandoned(found)]


def join(names: Iterable[str]) -> str:
    """Names separated by commas; of many, the first and how many more."""
    names = list(dict.fromkeys(names))
    left = len(names) - _MAX_NAMED
    return ", ".join(names[:_MAX_NAMED]) + (f" and {left} more" if left > 0 else "")


def describe_constants(constants: TaskConstants) -> str:
    """The constants that are used, such as ``low 0, high 4``."""
    return f"low {constants.used.low:g}, high {constants.used.high:g}" if constants.used else "none"


def _constants(found: Collection) -> Iterator[str]:
    for (_, task), constants in found.tasks.items():
        if len(constants.variants) > 1:
            yield (
                f"runs of task {task} carry different normalisation constants; those of the newest run are used for all"
                f" ({describe_constants(constants)})"
            )


def _settings(found: Collection) -> Iterator[str]:
    """Runs of one method and task that are not the same but for their seed."""
    digests: dict[tuple[str, str, str], set[str]] = {}
    for run in _scored(found):
        digests.setdefault(run.key[:3], set()).add(run.record.digest)
    mixed = [f"{task}/{label} ({', '.join(sorted(found))})" for (_, task, label), found in digests.items() if len(found) > 1]
    if mixed:
        yield (
            f"seeds of {join(mixed)} were trained under different environment settings, as their digests tell:"
            " their scores are not like for like"
        )


def _superseded(found: Collection) -> Iterator[str]:
    folders = [run.name for run in found.runs if run.superseded]
    if folders:
        yield (
            f"{plural(len(folders), 'folder')} left out of every count and score, for another holds the same task, method and"
            f" seed, and the newest finished one counts: {join(folders)}"
        )


def _evaluations(found: Collection) -> Iterator[str]:
    finished = [run for run in _scored(found) if run.state == "finished"]
    if without := [run.spec.label for run in finished if run.score is None]:
        yield f"finished without a score that can be used in evaluations.csv: {join(without)}"
    if early := [run.spec.label for run in finished if run.score is not None and _is_incomplete(run)]:
        yield f"scores from an incomplete or early last evaluation: {join(early)}"


def _abandoned(found: Collection) -> Iterator[str]:
    names = [run.name for run in found.abandoned]
    if names:
        yield (
            f"{plural(len(names), 'run')} of abandoned settings, unfinished and counted nowhere: {join(names)};"
            " 'harness prune' shows them all and removes them"
        )


def _is_incomplete(run: CollectedRun) -> bool:
    last = run.last_evaluation
    return last is not None and (last.episodes < run.spec.evaluation.episodes or last.step < run.spec.steps)


def _scored(found: Collection) -> Sequence[CollectedRun]:
    return [run for run in found.current if not run.spec.pretraining]
