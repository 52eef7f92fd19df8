"""The state of runs as JSON, for scripts: ``harness status --json``, and ``/status.json`` of ``harness watch``."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict

from harness.experiment import StatusResult
from harness.runs.folder import now
from harness.runs.jobs import SubmittedJob
from harness.runs.owner import Owner
from harness.runs.status import RunState, RunSummary


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Holder(_Part):
    """The living process that has a run, as far as one can tell.

    Attributes:
        host: Name of its machine.
        pid: Number of its process there.
    """

    host: str
    pid: int

    @classmethod
    def of(cls, owner: Owner | None) -> Holder | None:
        """The holder that a claim names."""
        return cls(host=owner.host, pid=owner.pid) if owner else None


class Job(_Part):
    """A job that was submitted for a run; see `harness.runs.jobs.SubmittedJob`."""

    run: str
    executor: str
    job: str
    submitted: str

    @classmethod
    def of(cls, job: SubmittedJob | None) -> Job | None:
        """A job as the file of jobs has it."""
        return cls(run=job.run, executor=job.executor, job=job.job, submitted=job.submitted) if job else None


class RunEntry(_Part):
    """The state of one run; see `harness.runs.status.RunSummary`.

    Attributes:
        label: The method's name, and what differs where several configurations share it.
        holder: The process that has it; null for nobody.
        job: The job that was submitted for it; null for none, and once it is finished.
        since: Start of the current or last attempt, ISO 8601 in UTC; null where nothing has begun.
        updated: Last change of its record, ISO 8601 in UTC; null where there is none.
    """

    suite: str
    task: str
    method: str
    label: str
    seed: int
    digest: str
    state: RunState
    step: int
    steps: int
    steps_per_second: float
    seconds_left: float | None
    score: float | None
    normalised: float | None
    error: str
    folder: str
    holder: Holder | None
    job: Job | None
    since: str | None
    updated: str | None

    @classmethod
    def of(cls, run: RunSummary) -> RunEntry:
        """A run for scripts."""
        return cls(
            suite=run.spec.suite,
            task=run.spec.task,
            method=run.spec.method,
            label=run.method,
            seed=run.spec.seed,
            digest=run.spec.digest,
            state=run.state,
            step=run.step,
            steps=run.spec.steps,
            steps_per_second=run.steps_per_second,
            seconds_left=run.seconds_left,
            score=run.score,
            normalised=run.normalised,
            error=run.error,
            folder=str(run.folder.path),
            holder=Holder.of(run.holder),
            job=Job.of(run.job),
            since=run.since or None,
            updated=run.updated or None,
        )


class StatusDocument(_Part):
    """The state of runs at one moment.

    Attributes:
        time: The time of the look, ISO 8601 in UTC.
        runs: One entry for each run that counts, and for each that there should be.
        skipped: One line for each thing that could not be read.
        unreadable: Number of things that could not be read.
        superseded: Folders of runs that count nowhere.
        notices: What must be known before trusting a number, a sentence each.
        seconds_left: Time until everything is finished at the present speed; null when nothing is running.
        jobs: The last job that was submitted for each run that is not finished.
    """

    time: str
    runs: list[RunEntry]
    skipped: list[str]
    unreadable: int
    superseded: list[str]
    notices: list[str]
    seconds_left: float | None
    jobs: list[Job]

    @classmethod
    def of(cls, found: StatusResult) -> StatusDocument:
        """What a look found, as it is now."""
        return cls(
            time=now(),
            runs=list(map(RunEntry.of, found.runs)),
            skipped=list(found.skipped),
            unreadable=len(found.skipped),
            superseded=list(map(str, found.superseded)),
            notices=list(found.notices),
            seconds_left=found.seconds_left,
            jobs=[job for one in found.jobs if (job := Job.of(one))],
        )

    def as_json(self, indent: int | None = None) -> str:
        """The document as JSON, in one line unless it is indented."""
        return json.dumps(self.model_dump(mode="json"), indent=indent, allow_nan=False)


def document_schema() -> dict[str, Any]:
    """The JSON Schema of a document."""
    return StatusDocument.model_json_schema(mode="serialization")
