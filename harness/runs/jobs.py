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
from harness.runs.guarded import Unreadable, look, read_bytes, reason_of, signature_of
from harness.runs.walk import find_files

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


class JobsReader:
    """Reads the jobs of runs, and at every look after the first only the files that have changed since."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, ...], dict[str, SubmittedJob]]] = {}

    def below(self, roots: Iterable[Path]) -> dict[Path, SubmittedJob]:
        """The last job of each run at or below some folders, by the run's folder without links, in the order of submission.

        Args:
            roots: Folders of results; those that do not exist have none.
        """
        found: dict[Path, SubmittedJob] = {}
        for root in (root.resolve() for root in roots):
            for file in [*(folder / JOBS_FILE for folder in root.parents), *_files_below(root)]:
                for job in self._read(file).values():
                    folder = file.parent.parent / job.run
                    if folder.is_relative_to(root):
                        found[folder] = job
        return dict(sorted(found.items(), key=lambda item: item[1].submitted))

    def _read(self, file: Path) -> dict[str, SubmittedJob]:
        try:
            status = look(file)
        except Unreadable:
            return {}
        if status is None:
            return {}
        signature = signature_of(status)
        if file not in self._known or self._known[file][0] != signature:
            self._known[file] = signature, submitted_jobs(file.parent)
        return self._known[file][1]


def _files_below(root: Path) -> list[Path]:
    try:
        return find_files(root, {JOBS_FILE})[0]
    except ResultsError:  # it went away
        return []
