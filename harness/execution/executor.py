"""What an executor is: a preflight of its own, and runs that it carries to the processes that train them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.config import Config
from harness.errors import PluginError, UserError
from harness.execution.events import OnRunEvent, Outcome
from harness.execution.session import WorkerSession, train_all
from harness.execution.stopping import StopRequest
from harness.registry import Registry
from harness.spec import RunSpec


@dataclass(frozen=True)
class ExecutionOptions:
    """How runs are to be executed.

    Attributes:
        results: The results directory; it need not exist yet.
        workers: Number of runs at a time; ``None`` for as many as the executor thinks right.
        device: ``auto``, ``cpu``, ``cuda`` or what else the executor takes.
        fresh: Whether what is there of the runs is deleted instead of resumed.
        stop: Looked at while runs are trained; once it is made, each saves at its next update and stops, and no other starts.
        stall: Seconds without any progress after which a run is stopped as failed; ``None`` for never.
        config: The executor's settings, an instance of the class that its description names; ``None`` if it names none.
        wait: Whether runs that other processes have are waited for, and trained here if their owners die; otherwise they are
            left alone.
        trackers: Settings of the trackers that follow each run, as JSON, by name.
    """

    results: Path
    workers: int | None = None
    device: str = "auto"
    fresh: bool = False
    stop: StopRequest = field(default_factory=StopRequest, compare=False)
    stall: float | None = None
    config: Config | None = None
    wait: bool = True
    trackers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])

    def with_workers(self, workers: int) -> ExecutionOptions:
        """The same options with this number of runs at a time."""
        return replace(self, workers=workers)


class Detached(KeyboardInterrupt):
    """An executor was interrupted, and its runs go on without it; the text says where, and how to end them."""


class RunExecutor(ABC):
    """The class that an `harness.registry.hooks.Executor` names; made without arguments.

    An executor trains runs wherever it likes and leaves nothing but run folders below the results directory.
    `harness.execution.attempt.attempt` trains one run in the process that calls it.
    """

    def preflight(self, specs: Sequence[RunSpec], options: ExecutionOptions) -> ExecutionOptions:
        """Check what can be known before anything is started; by default nothing.

        Args:
            specs: The runs that are to be trained; of a study, the runs of one trial.
            options: The options as the user gave them.

        Returns:
            The options that the runs will be executed with, such as with a number of workers that fits.

        Raises:
            UserError: The runs cannot be executed so; says what would be right. Nothing was written.
        """
        return options

    @abstractmethod
    def execute(self, specs: Sequence[RunSpec], options: ExecutionOptions, on_event: OnRunEvent) -> list[Outcome]:
        """Train every run into its own folder; a failure of one does not stop the others.

        Args:
            specs: The runs, none of them finished (or ``options.fresh``), in the order in which they should start. One that
                begins where another of them ends must wait for it; `harness.execution.run_queue.RunQueue` knows which.
            options: What `preflight` returned.
            on_event: Takes the events of `harness.execution.events`, in the calling thread.

        Returns:
            One outcome per run, in the order of ``specs``. After ``options.stop`` those of runs that were stopped, or not even
            started, are ``interrupted``.

        Raises:
            KeyboardInterrupt: The runs are stopped at once, and go on from their last checkpoints.
            Detached: This process was interrupted or asked to stop, and the runs go on elsewhere.
        """


class SessionExecutor(RunExecutor):
    """An executor whose workers start and stop runs one by one: it trains the runs of a plan with them, and it can tune."""

    @abstractmethod
    def open_session(self, options: ExecutionOptions) -> WorkerSession:
        """Workers that train runs until the session is closed."""

    def execute(self, specs: Sequence[RunSpec], options: ExecutionOptions, on_event: OnRunEvent) -> list[Outcome]:
        """See `RunExecutor`."""
        session = self.open_session(options)
        try:
            workers, stop, wait = options.workers or 1, options.stop, options.wait
            return train_all(session, specs, options.results, workers, on_event, stop, wait=wait, fresh=options.fresh)
        finally:
            session.close()


def load_executor(name: str, registry: Registry) -> RunExecutor:
    """The executor of a name.

    Raises:
        UserError: Nothing installed provides it, or what a plugin names cannot be used.
    """
    return _make(registry.load_class(registry.executor(name).executor, RunExecutor))


def _make(executor: Callable[[], RunExecutor]) -> RunExecutor:
    return executor()


def load_tuning_executor(name: str, registry: Registry) -> SessionExecutor:
    """The executor of a name, for tuning.

    Raises:
        UserError: As of `load_executor`, or the executor cannot start and stop runs one by one.
    """
    executor = load_executor(name, registry)
    if not isinstance(executor, SessionExecutor):
        able = [other for other in registry.executors if other != name and _can_tune(other, registry)]
        remedy = f"; use --executor {' or '.join(able)}" if able else ""
        raise UserError(f"executor {name!r} cannot tune: it does not start and stop runs one by one{remedy}")
    return executor


def _can_tune(name: str, registry: Registry) -> bool:
    try:
        return isinstance(load_executor(name, registry), SessionExecutor)
    except PluginError:
        return False
