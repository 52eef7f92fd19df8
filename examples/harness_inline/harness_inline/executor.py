"""The executor: a preflight, and a loop over the runs."""

from __future__ import annotations

from collections.abc import Sequence

from harness.errors import UserError
from harness.execution.attempt import attempt
from harness.execution.events import OnRunEvent, Outcome, RunEnded, RunProgressed, RunStarted
from harness.execution.executor import ExecutionOptions, RunExecutor
from harness.execution.preflight import check_device, check_writable
from harness.execution.run_queue import RunQueue, settle
from harness.runs.progress import RunProgress
from harness.spec import RunSpec


class InlineExecutor(RunExecutor):
    """Trains runs one after another in the calling process, where a debugger sees them."""

    def preflight(self, specs: Sequence[RunSpec], options: ExecutionOptions) -> ExecutionOptions:
        """Refuse several workers, and what this machine cannot do."""
        if options.workers not in (None, 1):
            raise UserError(f"executor 'inline' trains one run at a time, not {options.workers}: use --workers 1")
        check_device(options.device)
        check_writable(options.results)
        return options.with_workers(1)

    def execute(self, specs: Sequence[RunSpec], options: ExecutionOptions, on_event: OnRunEvent) -> list[Outcome]:
        """Train every run; one that fails is recorded in its folder, and the next one begins."""
        queue, outcomes = RunQueue(specs), dict[str, Outcome]()
        while not options.stop.requested and (spec := queue.next()):
            on_event(RunStarted(spec))
            for outcome in settle(queue, _train(spec, options, on_event), options.results):
                outcomes[outcome.spec.path] = outcome
                on_event(RunEnded(outcome))
        outcomes |= {outcome.spec.path: outcome for outcome in queue.drop_all()}
        return [outcomes[spec.path] for spec in specs]


def _train(spec: RunSpec, options: ExecutionOptions, on_event: OnRunEvent) -> Outcome:
    def report(progress: RunProgress) -> None:
        on_event(RunProgressed(spec, progress))

    def stop() -> bool:
        return options.stop.requested

    how = {"device": options.device, "fresh": options.fresh, "trackers": options.trackers}
    return attempt(spec, options.results, **how, report=report, stop=stop)
