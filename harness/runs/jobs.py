"""The jobs that were submitted for runs: a file beside the runs of a suite, for jobs that outlive who submits them.

Each line is a JSON object. Lines are only ever appended, several processes may do so, and of two that speak of one run the
later counts. What cannot be read is passed over: the file only says where to look.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import ResultsError
from harness.runs.folder import RunFolder
from harness.runs.guarded import Unreadable, read_bytes, reason_of

JOBS_FILE = ".jobs.jsonl"
"""Name of the file in the folder of a suite's results; no task can be called that."""


@dataclass(frozen=True)
class SubmittedJob:
    """A job that was submitted for a run.

    Attributes:
        run: Path of the run's folder below the results directory.
        executor: Name of the executor that submitted it.
        job: Name of the job, as the scheduler's own commands know it, such as ``1234_5``.
        submitted: Time of submission, ISO 8601 in UTC.
    """

    run: str
    executor: str
    job: str
    submitted: str


def record_jobs(results: Path, jobs: Sequence[SubmittedJob]) -> None:
    """Append jobs to the files of their suites.

    Raises:
        ResultsError: A file cannot be written.
    """
    for suite in dict.fromkeys(job.run.split("/")[0] for job in jobs):
        lines = [json.dumps(asdict(job)) + "\n" for job in jobs if job.run.split("/")[0] == suite]
        file = Path(results) / suite / JOBS_FILE
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a", encoding="utf-8") as out:
                out.write("".join(lines))
                out.flush()
                os.fsync(out.fileno())
        except OSError as error:
            raise ResultsError(f"{file}: cannot be written ({reason_of(error)})") from error


def submitted_jobs(suite_folder: Path) -> dict[str, SubmittedJob]:
    """The last job that was submitted for each run of a suite, by the path of the run; empty if there is none."""
    try:
        data = read_bytes(suite_folder / JOBS_FILE) or b""
    except Unreadable:
        return {}
    found: dict[str, SubmittedJob] = {}
    for line in data.decode(errors="replace").splitlines():
        try:
            content = json.loads(line)
            job = SubmittedJob(*(str(content[key]) for key in ("run", "executor", "job", "submitted")))
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        found[job.run] = job
    return found


def unfinished_jobs(roots: Iterable[Path]) -> list[SubmittedJob]:
    """The last job of each run at or below ``roots`` that is not finished, by the order of submission."""
    found: dict[Path, SubmittedJob] = {}
    for root in (root.resolve() for root in roots):
        above = [folder / JOBS_FILE for folder in root.parents if (folder / JOBS_FILE).exists()]
        for file in [*above, *sorted(root.rglob(JOBS_FILE))]:
            for job in submitted_jobs(file.parent).values():
                folder = file.parent.parent / job.run
                if folder.is_relative_to(root) and not _finished(RunFolder(folder)):
                    found[folder] = job
    return sorted(found.values(), key=lambda job: job.submitted)


def _finished(folder: RunFolder) -> bool:
    try:
        return folder.read().status.state == "finished"
    except ResultsError:
        return False
