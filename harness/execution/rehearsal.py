"""Every task is built once with every method before anything is started, in workers that train afterwards."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from harness.errors import UserError
from harness.execution.capacity import default_workers
from harness.execution.events import Outcome, RunEnded
from harness.execution.worker_pool import WorkerPool
from harness.planning.compatibility import CHOICES
from harness.spec import RunSpec

REHEARSE = "harness.training.rehearsal:rehearse"
"""Import path of the function that builds a run; named, not imported, because it needs torch."""

LOADING_SECONDS = 600.0
"""How long workers may take until the first of them has loaded the libraries."""

MOST_SECONDS = 60.0
"""How long builds are begun after that; what is being built then has as long again. Whatever is left shows in the runs."""

_MOST_NAMES = 3


def distinct_builds(specs: Sequence[RunSpec]) -> dict[str, RunSpec]:
    """The first of all runs that are built alike, by what they are built from: seeds and lengths make no difference."""
    alike = {(id(spec.environment), id(spec.algorithm), id(spec.reward)): spec for spec in reversed(specs)}
    found: dict[str, RunSpec] = {}
    for spec in reversed(alike.values()):  # the seeds of a plan share these objects, and writing them takes long
        found.setdefault(spec.model_dump_json(include={"environment", "algorithm", "reward"}), spec)
    return found


def require_buildable(specs: Sequence[RunSpec], workers: int | None = None) -> WorkerPool:
    """Build each of these runs in worker processes; nothing is written.

    Args:
        specs: Specifications of the runs.
        workers: Number of processes; ``None`` for as many as runs can be trained at a time.

    Returns:
        The pool, with its workers idle, for `WorkerPool.adopt` or to be closed.

    Raises:
        UserError: Some of them cannot be built; one line for each method and cause, with the tasks.
    """
    with tempfile.TemporaryDirectory(prefix="harness-") as place:
        pool = WorkerPool(Path(place), device="cpu", train=REHEARSE)
        problems: list[str] | None = None
        try:
            problems = _build(pool, list(distinct_builds(specs).values()), workers or default_workers(specs))
        finally:
            if problems != []:
                pool.close()
    if problems:
        raise UserError("\n".join(problems))
    return pool


def build_problems(specs: Sequence[RunSpec]) -> list[str]:
    """What keeps runs from being built, one line for each method and cause; see `require_buildable`."""
    try:
        require_buildable(specs).close()
    except UserError as error:
        return str(error).splitlines()
    return []


def _build(pool: WorkerPool, specs: list[RunSpec], workers: int) -> list[str]:
    """Build runs in the pool, ``workers`` at a time, and return the problems."""
    limit, waiting, busy = _TimeLimit(), _in_order(specs), dict[str, RunSpec]()
    failures: list[Outcome] = []
    while (busy or (waiting and limit.may_begin())) and limit.seconds_left() > 0:
        while waiting and len(busy) < workers and limit.may_begin():
            spec = waiting.pop(0)
            busy[spec.path] = spec
            pool.start(spec)
        for event in pool.wait(limit.seconds_left()):
            limit.loaded()
            if isinstance(event, RunEnded):
                del busy[event.outcome.spec.path]
                failures += [event.outcome] if event.outcome.ending == "failed" else []
    for spec in busy.values():  # a worker that is killed has to load everything once more
        pool.stop(spec)
    in_plan = {spec.path: place for place, spec in enumerate(specs)}
    alike: dict[tuple[str, str], list[Outcome]] = {}
    for failure in sorted(failures, key=lambda failure: in_plan[failure.spec.path]):
        alike.setdefault((failure.spec.method, _kind_of_cause(failure.error)), []).append(failure)
    return [_describe(group) for group in alike.values()]


class _TimeLimit:
    """Bounds the building, by time that begins when the libraries are loaded: on a busy machine that alone takes minutes."""

    def __init__(self) -> None:
        self._begin_until = self._wait_until = time.monotonic() + LOADING_SECONDS
        self._loading = True

    def loaded(self) -> None:
        """Take note that a worker has loaded the libraries."""
        if self._loading:
            self._loading = False
            self._begin_until = time.monotonic() + MOST_SECONDS
            self._wait_until = self._begin_until + MOST_SECONDS

    def may_begin(self) -> bool:
        """Whether another run may be built."""
        return time.monotonic() < self._begin_until

    def seconds_left(self) -> float:
        """Time, in seconds, for which the builds under way are waited for."""
        return max(self._wait_until - time.monotonic(), 0.0)


def _kind_of_cause(error: str) -> str:
    """A cause without the sizes that differ from task to task, and without what could be found out in the time."""
    return re.sub(r"\d+", "#", error.partition(CHOICES)[0])


def _in_order(specs: list[RunSpec]) -> list[RunSpec]:
    """By threads, so that workers need not be replaced, and every method and every task early."""
    seen: set[tuple[str, str]] = set()
    first: list[RunSpec] = []
    later: list[RunSpec] = []
    for spec in specs:
        names = {("task", spec.task), ("method", spec.method)}
        (later if names <= seen else first).append(spec)
        seen |= names
    return sorted([*first, *later], key=lambda spec: str(spec.algorithm.config.get("threads")))


def _describe(failures: Sequence[Outcome]) -> str:
    """Failures of one method for one kind of cause, with the cause that tells most."""
    tasks = [repr(failure.spec.task) for failure in failures]
    more = f" and {len(tasks) - _MOST_NAMES} more" if len(tasks) > _MOST_NAMES else ""
    where = f"{'task' if len(tasks) == 1 else 'tasks'} {', '.join(tasks[:_MOST_NAMES])}{more}"
    cause = max((failure.error for failure in failures), key=len)
    return f"method {failures[0].spec.method!r} cannot be built on {where}: {cause}"
