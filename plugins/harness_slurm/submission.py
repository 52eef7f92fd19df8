"""From runs to jobs: which runs make one array, what each array waits for, and what is asked of Slurm for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

import submitit
from submitit.core.utils import FailedJobError, FailedSubmissionError

from harness.errors import UserError
from harness.execution.assignment import Assignment
from harness.execution.capacity import threads_of
from harness.execution.executor import ExecutionOptions
from harness.execution.stopping import stop_signals_deferred
from harness.runs.jobs import SubmittedJob, record_jobs
from harness.spec import RunSpec
from harness_slurm.config import SlurmConfig
from harness_slurm.job import TrainingJob

ItemT = TypeVar("ItemT")

FOLDER = ".slurm"
"""Folder of job scripts and logs in a suite's results; no task can be called that."""


@dataclass(frozen=True)
class RunArray:
    """Runs that are submitted together.

    Attributes:
        specs: The runs that are submitted together.
        after: Paths of the runs that some of them begin from.
    """

    specs: Sequence[RunSpec]
    after: frozenset[str] = frozenset()


def arrange(specs: Sequence[RunSpec]) -> list[RunArray]:
    """Runs as arrays, in an order in which each comes after those that it waits for.

    Runs that others begin from are an array of their own, so that these wait for nothing else.
    """
    todo = {spec.path: spec for spec in specs}
    begun_from = {spec.start.path for spec in specs if spec.start}
    by_place: dict[tuple[int, bool], list[RunSpec]] = {}
    for spec in specs:
        by_place.setdefault((_depth(spec, todo), spec.path not in begun_from), []).append(spec)
    return [
        RunArray(group, frozenset(spec.start.path for spec in group if spec.start and spec.start.path in todo))
        for _, group in sorted(by_place.items())
    ]


def _depth(spec: RunSpec, todo: Mapping[str, RunSpec]) -> int:
    parent = todo.get(spec.start.path) if spec.start else None
    return 0 if parent is None else 1 + _depth(parent, todo)


def submit(array: RunArray, options: ExecutionOptions, config: SlurmConfig, jobs: dict[str, str]) -> None:
    """Submit the runs of an array, as several if it is too large, and record the job of each.

    What sbatch has accepted is recorded before a signal can end this: the same command would submit it again.

    Args:
        array: The runs, and those that they wait for.
        options: How they are to be trained.
        config: What is asked of Slurm.
        jobs: Name of the job of each run that was submitted before, by its path; those of the array are added.

    Raises:
        UserError: Slurm refuses the jobs.
        KeyboardInterrupt: The runs are to stop; no further job is submitted.
    """
    groups = _batches(array.specs, config.runs_per_job)
    for part in _batches(groups, config.array_size):
        if options.stop.requested:
            raise KeyboardInterrupt
        with stop_signals_deferred():
            named = _submit(part, options, parameters(array, options, config, jobs), config)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            found = [
                SubmittedJob(spec.path, "slurm", name, now) for name, group in zip(named, part, strict=True) for spec in group
            ]
            jobs |= {job.run: job.job for job in found}
            record_jobs(options.results, found)


def parameters(array: RunArray, options: ExecutionOptions, config: SlurmConfig, jobs: Mapping[str, str]) -> dict[str, Any]:
    """The settings of an array, as submitit takes them; see `submit` for the arguments."""
    cpus = config.cpus or config.runs_per_job * max(map(threads_of, array.specs))
    whole = sorted({jobs[path].partition("_")[0] for path in array.after if path in jobs})
    given: dict[str, Any] = {
        "job_name": f"harness-{array.specs[0].suite}",
        "time": config.time,
        "partition": config.partition,
        "cpus_per_task": cpus,
        "mem": config.mem,
        "gpus_per_node": config.gpus or None,
        "gres": config.gres,
        "constraint": config.constraint,
        "account": config.account,
        "qos": config.qos,
        "array_parallelism": options.workers or config.array_parallelism,
        "signal_delay_s": config.save_seconds,
        "setup": list(config.setup) or None,
        "dependency": f"afterany:{':'.join(whole)}" if whole else None,
        "additional_parameters": {"requeue": True, **config.options},
        "srun_args": [f"--cpus-per-task={cpus}"],  # which a job's steps do not take from it since Slurm 22.05
        "stderr_to_stdout": True,
    }
    return {key: value for key, value in given.items() if value is not None}


def log_of(results: Path, spec: RunSpec, job: str) -> Path:
    """The log of a job."""
    return results / spec.suite / FOLDER / f"{job}_0_log.out"


def _submit(
    groups: Sequence[Sequence[RunSpec]], options: ExecutionOptions, settings: Mapping[str, Any], config: SlurmConfig
) -> list[str]:
    folder = options.results.absolute() / groups[0][0].suite / FOLDER
    contents = [Assignment.create(group, options).model_dump_json() for group in groups]
    try:
        executor = submitit.SlurmExecutor(folder=folder, max_num_timeout=config.requeues)
        executor.update_parameters(**settings)
        with redirect_stderr(StringIO()):  # submitit prints what it then raises
            jobs = executor.submit_array([TrainingJob(content, config.save_seconds) for content in contents])
    except (FailedJobError, FailedSubmissionError) as error:
        raise UserError(f"sbatch refuses the jobs: {_cause(error)}") from None
    return [job.job_id for job in jobs]


def _batches(items: Sequence[ItemT], size: int) -> list[Sequence[ItemT]]:
    return [items[first : first + size] for first in range(0, len(items), size)]


def _cause(error: Exception) -> str:
    """What sbatch itself says, of all that submitit quotes."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if "error:" in line]
    return " ".join(said or lines)
