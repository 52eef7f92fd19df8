"""Runs in MLflow; this module is imported in the tracker's own process."""

from __future__ import annotations

import fcntl
import json
import math
import os
import re
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.tracking.base import Ending, RunTracker, TrackedRun
from harness_mlflow.config import MlflowConfig

_DATABASE = "mlflow.db"
_ARTIFACTS = "mlflow-artifacts"
_LOCK = ".mlflow.lock"
_MOST_OF_A_VALUE, _MOST_AT_A_TIME = 500, 100
_NOT_OF_A_NAME = re.compile(r"[^\w./ -]")
_STATES = {"finished": "FINISHED", "interrupted": "KILLED", "failed": "FAILED"}


class MlflowTracker(RunTracker):
    """One run in MLflow for each run of a suite, over all its attempts."""

    config: MlflowConfig

    def begin(self, run: TrackedRun) -> str:
        """Make the run, or go on with it."""
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        try:
            from mlflow.entities import Metric, Param
            from mlflow.tracking import MlflowClient
        except ImportError as error:
            raise ImportError(f"{error}; pip install 'exploration-harness[mlflow]'") from error
        self._metric, self._param = Metric, Param
        uri = self.config.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI")
        self._lock = None if uri else run.results / _LOCK
        with _locked(self._lock):  # the first run makes the database, while the others wait
            self._client = MlflowClient(tracking_uri=uri or f"sqlite:///{run.results / _DATABASE}")
            self._id = self._begin(run, artifacts=None if uri else (run.results / _ARTIFACTS).as_uri())
        return self._id

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Log a row in one request; what is no number is left out, for databases refuse it."""
        now = int(time.time() * 1000)
        known = [(_NOT_OF_A_NAME.sub("_", name), float(value)) for name, value in metrics.items() if math.isfinite(value)]
        with _locked(self._lock):
            self._client.log_batch(self._id, metrics=[self._metric(name, value, now, step) for name, value in known])

    def add_report(self, folder: Path) -> None:
        """Keep the report, instead of the last one."""
        with _locked(self._lock):
            self._client.log_artifacts(self._id, str(folder), "report")

    def end(self, ending: Ending) -> None:
        """Say how it ended; a run that goes on later is running again then."""
        with _locked(self._lock):
            self._client.set_terminated(self._id, _STATES[ending])

    def _begin(self, run: TrackedRun, artifacts: str | None) -> str:
        name = self.config.experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME") or run.suite
        experiment = self._experiment(name, artifacts)
        if run.id is not None and self._resume(run.id, experiment, run.digest):
            return run.id
        tags = {"kind": run.kind, "digest": run.digest, "method_digest": run.method_digest, "suite": run.suite}
        made = self._client.create_run(experiment, run_name=run.name, tags=tags)
        found: str = made.info.run_id
        parameters = [self._param(key, value) for key, value in _parameters(run).items()]
        for first in range(0, len(parameters), _MOST_AT_A_TIME):
            self._client.log_batch(found, params=parameters[first : first + _MOST_AT_A_TIME])
        if run.kind == "run":
            self._client.log_dict(found, dict(run.config), "spec.json")
            self._client.log_dict(found, dict(run.provenance), "provenance.json")
        return found

    def _experiment(self, name: str, artifacts: str | None) -> str:
        from mlflow.exceptions import MlflowException

        if (found := self._client.get_experiment_by_name(name)) is not None:
            return found.experiment_id
        try:
            return self._client.create_experiment(name, artifact_location=artifacts)
        except MlflowException:  # another run has just made it
            found = self._client.get_experiment_by_name(name)
            if found is None:
                raise
            return found.experiment_id

    def _resume(self, known: str, experiment: str, digest: str) -> bool:
        """Whether there is such a run, of these settings, to go on with."""
        from mlflow.exceptions import MlflowException

        try:
            found = self._client.get_run(known)
        except MlflowException:
            return False
        if found.info.experiment_id != experiment or found.data.tags.get("digest") != digest:
            return False
        self._client.update_run(known, status="RUNNING")
        return True


def _parameters(run: TrackedRun) -> dict[str, str]:
    """The specification as MLflow has parameters: flat, of short texts."""
    facts: dict[str, Any] = {"task": run.task, "method": run.method, "seed": run.seed} if run.kind == "run" else {}
    flat = {**facts, **dict(_flat(run.config, ""))}
    return {_NOT_OF_A_NAME.sub("_", key): str(value)[:_MOST_OF_A_VALUE] for key, value in flat.items() if value is not None}


def _flat(content: Mapping[str, Any], prefix: str) -> Generator[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", json.dumps(value) if isinstance(value, list | Mapping) else value


@contextmanager
def _locked(path: Path | None) -> Generator[None]:
    """Hold a lock that all trackers of a database in a file share; ``None`` for a server, which needs none."""
    if path is None:
        yield
        return
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
