"""Every task is built once with every method before anything is started, in workers that train afterwards."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from harness.errors import UserError
from harness.execution.capacity import default_workers
from harness.execution.events import RunEnded
from harness.execution.worker_pool import WorkerPool
from harness.spec import RunSpec

REHEARSE = "harness.training.rehearsal:rehearse"
"""Import path of the function that builds a run; named, not imported, because it needs torch."""

MOST_SECONDS = 60.0
"""How long runs are built at most; what has not been built by then shows in the runs themselves."""

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
    deadline = time.monotonic() + MOST_SECONDS
    waiting, busy = _in_order(specs), dict[str, RunSpec]()
    causes: dict[tuple[str, str], list[str]] = {}
    while (waiting or busy) and time.monotonic() < deadline:
        while waiting and len(busy) < workers:
            spec = waiting.pop(0)
            busy[spec.path] = spec
            pool.start(spec)
        for event in pool.wait(max(deadline - time.monotonic(), 0)):
            if isinstance(event, RunEnded):
                spec = busy.pop(event.outcome.spec.path)
                if event.outcome.ending == "failed":
                    causes.setdefault((spec.method, event.outcome.error), []).append(spec.task)
    for spec in busy.values():
        pool.stop(spec)
    return [_describe(method, tasks, cause) for (method, cause), tasks in causes.items()]


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


def _describe(method: str, tasks: list[str], cause: str) -> str:
    more = f" and {len(tasks) - _MOST_NAMES} more" if len(tasks) > _MOST_NAMES else ""
    named = ", ".join(repr(task) for task in tasks[:_MOST_NAMES])
    return f"method {method!r} cannot be built on {'task' if len(tasks) == 1 else 'tasks'} {named}{more}: {cause}"
