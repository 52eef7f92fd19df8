"""The executor: what it checks of a cluster, and the sessions in which runs are its tasks."""

from __future__ import annotations

from collections.abc import Sequence

from harness.errors import UserError
from harness.execution.executor import ExecutionOptions, SessionExecutor
from harness.execution.preflight import check_writable
from harness.execution.session import WorkerSession
from harness.spec import RunSpec
from harness_ray import cluster
from harness_ray.config import RayConfig


class RayExecutor(SessionExecutor):
    """Tasks of a Ray cluster, one for each run."""

    def __init__(self) -> None:
        self._owns_connection = False

    def preflight(self, specs: Sequence[RunSpec], options: ExecutionOptions) -> ExecutionOptions:
        """Refuse a cluster that is not there or has no room for a run; nothing of this machine counts.

        Returns:
            The options with as many runs at a time as the nodes have room for, if the user names no number.
        """
        config = _config_of(options)
        if options.device not in ("auto", "cpu", "cuda"):
            raise UserError(f"device {options.device!r}: Ray gives runs their GPUs; use --device auto, cpu or cuda")
        check_writable(options.results)
        self._owns_connection |= cluster.connect(config)
        if options.workers is not None or not specs:
            return options
        asked = [cluster.demand(spec, config, options.device) for spec in specs]
        rooms = [cluster.room(each) for each in asked]
        fewest = min(rooms)
        if not fewest:
            self._disconnect()
            need = ", ".join(f"{amount:g} {name}" for name, amount in asked[rooms.index(0)].items())
            raise UserError(
                f"no node of the Ray cluster has room for a run, which asks for {need}; if the cluster grows by itself, say"
                " how many go at a time: --workers N"
            )
        return options.with_workers(min(fewest, len(specs)))

    def open_session(self, options: ExecutionOptions) -> WorkerSession:
        """See `harness.execution.executor.SessionExecutor`."""
        from harness_ray.session import RaySession

        config = _config_of(options)
        self._owns_connection |= cluster.connect(config)
        owns, self._owns_connection = self._owns_connection, False
        return RaySession(options, config, owns_connection=owns)

    def _disconnect(self) -> None:
        if self._owns_connection:
            cluster.disconnect()
            self._owns_connection = False


def _config_of(options: ExecutionOptions) -> RayConfig:
    config = options.config or RayConfig()
    assert isinstance(config, RayConfig)
    return config
