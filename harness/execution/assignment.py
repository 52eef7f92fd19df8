"""What an executor sends to another machine: runs as plain JSON, with what is needed to train them there as here."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, JsonValue

from harness.errors import ResultsError
from harness.execution.attempt import record_failure
from harness.execution.events import Outcome, RunEvent
from harness.execution.executor import ExecutionOptions
from harness.execution.held_runs import HeldRuns
from harness.execution.local import LocalExecutor
from harness.execution.stopping import StopRequest
from harness.execution.versions import code_versions, version_difference
from harness.runs.folder import RunFolder
from harness.runs.guarded import reason_of
from harness.runs.lock import STALE_SECONDS
from harness.spec import RunSpec

_LOOK_SECONDS = 2.0


class Assignment(BaseModel):
    """Runs that another machine is to train, perhaps in several attempts.

    Attributes:
        specs: The runs that are to be trained.
        results: The results directory, absolute; it lies on a disk that both machines see.
        device: The device as `harness.execution.executor.ExecutionOptions` has it.
        superseded: When what lies in the folders was started, by the path of the run, for runs that are to start over. Another
            attempt finds a later time there, and goes on.
        versions: The code of the machine that sends the runs.
        stall: Seconds without any progress after which a run is stopped as failed; ``None`` for never.
        trackers: Settings of the trackers that follow each run, as JSON, by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    specs: tuple[RunSpec, ...]
    results: Path
    device: str
    superseded: dict[str, str]
    versions: dict[str, str]
    stall: float | None = None
    trackers: dict[str, dict[str, JsonValue]] = {}

    @classmethod
    def create(cls, specs: Sequence[RunSpec], options: ExecutionOptions) -> Self:
        """The assignment of runs, with the results directory made, so that it can be told from one that is not shared."""
        results = options.results.absolute()
        try:
            results.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ResultsError(f"{results}: cannot be made ({reason_of(error)})") from error
        superseded = {spec.path: _started(spec, results) for spec in specs} if options.fresh else {}
        return cls(
            specs=tuple(specs),
            results=results,
            device=options.device,
            superseded=superseded,
            versions=code_versions(),
            stall=options.stall,
            trackers={name: dict(settings) for name, settings in options.trackers.items()},
        )

    def obstacle(self) -> str:
        """Why this machine cannot train the runs, as a sentence; nothing if it can."""
        if not self.results.is_dir():
            return f"{self.results} is not there on {socket.gethostname()}: results must lie on a disk that all machines share"
        return version_difference(self.versions)

    def is_fresh(self, spec: RunSpec) -> bool:
        """Whether what lies in a run's folder is to be deleted before it is trained."""
        return spec.path in self.superseded and self.superseded[spec.path] == _started(spec, self.results)


def train_assigned(assignment: Assignment, stop: StopRequest | None = None) -> list[Outcome]:
    """Train runs on this machine as the executor ``local`` does, all at a time.

    Another attempt may have ended with its machine a moment ago, which leaves its runs in its hands until it has been silent
    for long enough; so runs in other hands are waited for that long.

    Args:
        assignment: What was sent.
        stop: Looked at all the time; once it is made, the runs save at their next updates and stop.

    Returns:
        One outcome for each run, in their order.

    Raises:
        KeyboardInterrupt: The runs are stopped at once, and go on from their last checkpoints.
    """
    specs, stop = assignment.specs, stop or StopRequest()
    if problem := assignment.obstacle():
        return [record_failure(spec, assignment.results, problem, problem) for spec in specs]
    _wait_for_other_hands(specs, assignment.results, stop)
    outcomes: dict[str, Outcome] = {}
    fresh = [spec for spec in specs if assignment.is_fresh(spec)]
    for start_over, part in ((True, fresh), (False, [spec for spec in specs if spec not in fresh])):
        if part:
            options = ExecutionOptions(
                assignment.results,
                len(part),
                assignment.device,
                start_over,
                stop=stop,
                stall=assignment.stall,
                wait=False,
                trackers=assignment.trackers,
            )
            outcomes |= {outcome.spec.path: outcome for outcome in LocalExecutor().execute(part, options, _ignore)}
    return [outcomes[spec.path] for spec in specs]


def _wait_for_other_hands(specs: Sequence[RunSpec], results: Path, stop: StopRequest) -> None:
    held, give_up = HeldRuns(results), time.monotonic() + 1.5 * STALE_SECONDS
    for spec in specs:
        if (settled := held.settled(spec)) is not None and settled.ending == "claimed":
            held.add(spec)
    while held and time.monotonic() < give_up and not stop.requested:
        for _ in held.look():  # which removes the claims of the dead
            pass
        time.sleep(_LOOK_SECONDS)


def _ignore(event: RunEvent) -> None:
    """Whoever follows the runs reads their folders."""


def _started(spec: RunSpec, results: Path) -> str:
    try:
        return RunFolder.of(spec, results).read().status.started
    except ResultsError:  # nothing is there, or what cannot be read, which is to be deleted as well
        return ""
