"""The runs of a plan, carried out by any executor: those that others have are waited for, and then carried out as well."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from harness.execution.events import OnRunEvent, Outcome, RunEnded, RunEvent, RunHeld
from harness.execution.executor import ExecutionOptions, RunExecutor
from harness.execution.held_runs import HeldRuns
from harness.execution.run_queue import RunQueue, settle
from harness.execution.stopping import POLL_SECONDS
from harness.spec import RunSpec


def execute_plan(
    executor: RunExecutor, specs: Sequence[RunSpec], options: ExecutionOptions, on_event: OnRunEvent
) -> list[Outcome]:
    """Train every run, also those that the executor has to leave to others at first.

    A `harness.execution.executor.SessionExecutor` waits for these while it trains the rest. Where another one returns them as
    ``claimed``, they are waited for here.

    Returns:
        One outcome per run, in the order of ``specs``.
    """

    def send(event: RunEvent) -> None:
        if isinstance(event, RunEnded) and event.outcome.ending == "claimed" and options.wait and not options.stop.requested:
            event = RunHeld(event.outcome.spec, event.outcome.error)
        on_event(event)

    outcomes: dict[str, Outcome] = {}
    todo = list(specs)
    while todo:
        outcomes |= {outcome.spec.path: outcome for outcome in executor.execute(todo, options, send)}
        claimed = [spec for spec in specs if outcomes[spec.path].ending == "claimed"]
        if not options.wait or not claimed:
            break
        todo = _wait_for(claimed, outcomes, options, on_event)
        options = replace(options, fresh=False)  # whoever had them may have got somewhere, which is to be kept
    return [outcomes[spec.path] for spec in specs]


def _wait_for(
    claimed: Sequence[RunSpec], outcomes: dict[str, Outcome], options: ExecutionOptions, on_event: OnRunEvent
) -> list[RunSpec]:
    """Wait until at least one of the runs can be trained here, and return those; none after a request to stop."""
    held, free = HeldRuns(options.results), list[RunSpec]()
    queue = RunQueue(claimed)
    while (spec := queue.next()) is not None:  # those that begin where another of them ends stay in the queue
        held.add(spec)
    while held and not free and not options.stop.requested:
        time.sleep(POLL_SECONDS)
        for spec, outcome in held.look():
            if outcome is None:
                free.append(spec)
                continue
            for each in settle(queue, outcome, options.results):
                outcomes[each.spec.path] = each
                on_event(RunEnded(each))
            while (follower := queue.next()) is not None:
                free.append(follower)
    return free
