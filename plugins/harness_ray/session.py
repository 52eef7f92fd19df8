"""Runs as tasks of Ray: started and stopped one by one, and followed through their folders."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import ray
import ray.exceptions

from harness.execution.assignment import Assignment
from harness.execution.attempt import record_failure, record_interruption
from harness.execution.events import Outcome, RunEnded, RunEvent, RunProgressed
from harness.execution.executor import ExecutionOptions
from harness.execution.following import RunFollower
from harness.execution.session import WorkerSession
from harness.runs.jobs import SubmittedJob, record_jobs
from harness.runs.status import read_plan
from harness.spec import RunSpec
from harness_ray import cluster, task
from harness_ray.config import RayConfig
from harness_ray.nodes import cause_of, without_colours

_LOOK_SECONDS = 1.0
_STOP_SECONDS = 10.0
_DEATH_SECONDS = 0.1


@dataclass(frozen=True)
class _Running:
    """A run under way: the result that Ray promises, and what its folder shows."""

    spec: RunSpec
    result: Any
    follower: RunFollower


class RaySession(WorkerSession):
    """Tasks of Ray, one for each run under way.

    Args:
        options: How runs are executed.
        config: What each of them asks of the cluster.
        owns_connection: Whether the connection to the cluster ends with the session.
    """

    def __init__(self, options: ExecutionOptions, config: RayConfig, *, owns_connection: bool) -> None:
        self._options, self._config, self._owns_connection = options, config, owns_connection
        self._runs: dict[str, _Running] = {}
        self._train: Any = ray.remote(task.train_one)

    @property
    def running(self) -> int:
        """Runs under way, those that wait for a node included."""
        return len(self._runs)

    def start(self, spec: RunSpec) -> None:
        """Hand a run to Ray, which takes it up again elsewhere if its node is lost."""
        asked = cluster.demand(spec, self._config, self._options.device)
        settings = {
            "name": spec.label,
            "num_cpus": asked.pop("CPU", 0),
            "num_gpus": asked.pop("GPU", 0),
            "memory": asked.pop("memory", None),
            "resources": asked,
            "max_retries": self._config.retries,
        }
        content = Assignment.create([spec], self._options).model_dump_json()
        follower = RunFollower([spec], self._options.results, fresh=self._options.fresh)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        job = SubmittedJob(spec.path, "ray", ray.get_runtime_context().get_job_id(), now)
        record_jobs(self._options.results, [job])
        result = self._train.options(**settings).remote(content)
        self._runs[spec.path] = _Running(spec, result, follower)

    def wait(self, timeout: float | None = None) -> list[RunEvent]:
        """See `WorkerSession`."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _LOOK_SECONDS if deadline is None else min(_LOOK_SECONDS, max(deadline - time.monotonic(), 0.0))
            found: list[RunEvent] = [*self._endings(left), *self._progress()]
            if found or (deadline is not None and time.monotonic() >= deadline):
                return found

    def request_stop(self) -> tuple[RunSpec, ...]:
        """Have the task of every run save at its next update and stop; those that wait for a node are taken back."""
        for run in self._runs.values():
            ray.cancel(run.result)
        return tuple(run.spec for run in self._runs.values())

    def stop(self, spec: RunSpec) -> None:
        """End the task of a run, which may save if that takes no longer than a few seconds."""
        self._stop([self._runs.pop(spec.path)])

    def release_idle(self) -> None:
        """Nothing to do: Ray's own processes end when they have been idle."""

    def close(self) -> None:
        """Stop everything; the runs under way stay resumable."""
        self._stop(list(self._runs.values()))
        self._runs.clear()
        if self._owns_connection:
            cluster.disconnect()

    def _stop(self, runs: Sequence[_Running]) -> None:
        """Have tasks save and stop, and kill those that take too long."""
        by_result = {run.result: run for run in runs}
        for result in by_result:
            ray.cancel(result)
        late = _unfinished(list(by_result))
        for result in late:
            ray.cancel(result, force=True)
        _unfinished(late)
        for result in late:
            self._record_death(by_result[result].spec)

    def _record_death(self, spec: RunSpec) -> None:
        """Record that a run was interrupted, as soon as its process is gone, which ends a moment after its task."""
        give_up = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < give_up and read_plan([spec], self._options.results).runs[0].state == "running":
            time.sleep(_DEATH_SECONDS)
        record_interruption(spec, self._options.results)

    def _endings(self, timeout: float) -> Iterator[RunEnded]:
        if not self._runs:
            time.sleep(timeout)
            return
        by_result = {run.result: run for run in self._runs.values()}
        done, _ = ray.wait(list(by_result), num_returns=len(by_result), timeout=timeout)
        for result in done:
            run = by_result[result]
            del self._runs[run.spec.path]
            yield RunEnded(self._outcome(run))

    def _progress(self) -> Iterator[RunProgressed]:
        for run in self._runs.values():
            yield from (event for event in run.follower.look() if isinstance(event, RunProgressed))

    def _outcome(self, run: _Running) -> Outcome:
        try:
            answer = json.loads(ray.get(run.result))
        except ray.exceptions.TaskCancelledError:
            return Outcome(run.spec, "interrupted", "stopped when asked to; resumable")
        except ray.exceptions.RayError as error:
            why = f"Ray could not finish it: {cause_of(error)}"
            return record_failure(run.spec, self._options.results, why, without_colours(str(error)))
        return Outcome(run.spec, answer["ending"], answer["error"])


def _unfinished(results: list[Any]) -> list[Any]:
    """The results that are still outstanding after a while."""
    return ray.wait(results, num_returns=len(results), timeout=_STOP_SECONDS)[1] if results else []
