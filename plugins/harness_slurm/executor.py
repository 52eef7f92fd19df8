"""The executor: it submits jobs for runs, follows their folders, and leaves the jobs alone when it is interrupted itself."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence

from harness.errors import UserError
from harness.execution.events import OnRunEvent, Outcome, RunEnded
from harness.execution.executor import Detached, ExecutionOptions, RunExecutor
from harness.execution.following import RunFollower
from harness.execution.preflight import check_writable
from harness.runs.jobs import submitted_jobs
from harness.runs.status import read_plan
from harness.spec import RunSpec
from harness_slurm.config import SlurmConfig
from harness_slurm.queue import live_jobs

COMMANDS = ("sbatch", "squeue", "srun", "scontrol")
"""The commands of Slurm that submitting, following and queueing again need."""


class SlurmExecutor(RunExecutor):
    """Array jobs of a Slurm cluster, one job for each run or for several.

    Attributes:
        look_seconds: Time between two looks into the folders of runs.
        ask_seconds: Time between two questions to Slurm about its queue.
        lag_seconds: How long after a job has ended its last files may take to show on this machine.
    """

    look_seconds = 2.0
    ask_seconds = 30.0
    lag_seconds = 60.0

    def preflight(self, specs: Sequence[RunSpec], options: ExecutionOptions) -> ExecutionOptions:
        """Refuse a machine from which nothing can be submitted, and what jobs cannot have; nothing of this machine counts."""
        _check_tools()
        config = _config_of(options)
        device = options.device
        if device not in ("auto", "cpu", "cuda"):
            raise UserError(f"device {device!r}: jobs of Slurm are given their GPUs; use --device auto, cpu or cuda")
        if device == "cuda" and not (config.gpus or config.gres):
            raise UserError("device cuda, and jobs that ask for no GPU; add --set executor.slurm.gpus=1")
        check_writable(options.results)
        if options.fresh and (queued := _queued(specs, options)):
            jobs = " ".join(sorted({job.partition("_")[0] for job in queued.values()}))
            raise UserError(f"jobs that go on with these runs are in the queue: cancel them before --fresh: scancel {jobs}")
        return options

    def execute(self, specs: Sequence[RunSpec], options: ExecutionOptions, on_event: OnRunEvent) -> list[Outcome]:
        """Submit what no job in the queue is for, and wait until every run has ended; see `RunExecutor`."""
        follower = RunFollower(specs, options.results, fresh=options.fresh)
        jobs: dict[str, str] = {}
        try:
            jobs |= _queued(specs, options)
            self._submit([spec for spec in specs if spec.path not in jobs], options, jobs)
            outcomes: dict[str, Outcome] = {}
            for outcome in self._follow(follower, options, jobs, on_event):
                outcomes[outcome.spec.path] = outcome
        except KeyboardInterrupt:
            raise Detached(_farewell(follower, jobs)) from None
        return [outcomes[spec.path] for spec in specs]

    def _submit(self, specs: Sequence[RunSpec], options: ExecutionOptions, jobs: dict[str, str]) -> None:
        from harness_slurm.submission import arrange, submit

        for array in arrange(specs):
            submit(array, options, _config_of(options), jobs)

    def _follow(
        self, follower: RunFollower, options: ExecutionOptions, jobs: dict[str, str], on_event: OnRunEvent
    ) -> Iterator[Outcome]:
        next_question, left_queue = time.monotonic() + self.ask_seconds, dict[str, float]()
        while follower.following:
            if options.stop.requested:
                raise KeyboardInterrupt
            time.sleep(self.look_seconds)
            for event in follower.look():
                on_event(event)
                if isinstance(event, RunEnded):
                    yield event.outcome
            now = time.monotonic()
            if now >= next_question:
                next_question, live = now + self.ask_seconds, live_jobs()
                left_queue = {
                    spec.path: left_queue.get(spec.path, now) for spec in follower.following if jobs[spec.path] not in live
                }
            for spec in follower.following:
                if now - left_queue.get(spec.path, now) > self.lag_seconds:
                    follower.settle(spec)
                    outcome = _without_job(spec, options, jobs[spec.path])
                    on_event(RunEnded(outcome))
                    yield outcome


def _config_of(options: ExecutionOptions) -> SlurmConfig:
    config = options.config or SlurmConfig()
    assert isinstance(config, SlurmConfig)
    return config


def _check_tools() -> None:
    try:
        import submitit as _  # noqa: F401
    except ImportError:
        raise UserError("executor 'slurm' needs submitit; pip install 'exploration-harness[slurm]'") from None
    missing = [command for command in COMMANDS if shutil.which(command) is None]
    if missing:
        raise UserError(
            f"executor 'slurm' needs {' and '.join(missing)}, not found on this machine: start it where you submit jobs"
        )


def _queued(specs: Sequence[RunSpec], options: ExecutionOptions) -> dict[str, str]:
    """The jobs of an earlier call that are for these runs and still wait or run, by the path of the run."""
    known = submitted_jobs(options.results / specs[0].suite)
    mine = {spec.path: known[spec.path].job for spec in specs if spec.path in known and known[spec.path].executor == "slurm"}
    live = live_jobs() if mine else set[str]()
    return {path: job for path, job in mine.items() if job in live}


def _without_job(spec: RunSpec, options: ExecutionOptions, job: str) -> Outcome:
    """How a run ended whose job is over and which is not finished."""
    from harness_slurm.submission import log_of

    (run,) = read_plan([spec], options.results).runs
    if run.state == "running":
        return Outcome(spec, "claimed", f"another process is at it, so job {job} left it alone")
    log = log_of(options.results, spec, job)
    return Outcome(spec, "failed", f"job {job} is over, and the run is {run.state}; the job's log: {log}")


def _farewell(follower: RunFollower, jobs: dict[str, str]) -> str:
    waiting = [spec for spec in follower.following if spec.path in jobs]
    arrays = " ".join(dict.fromkeys(jobs[spec.path].partition("_")[0] for spec in waiting))
    if not arrays:
        return "interrupted before a job was submitted"
    return (
        f"detached: the jobs of {len(waiting)} unfinished runs go on without this command, and the same command follows them"
        f" again; to end them: scancel {arrays}"
    )
