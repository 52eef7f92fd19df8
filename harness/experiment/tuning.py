"""Studies, carried out or forecast."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.execution.stopping import StopRequest
from harness.experiment.outcomes import PathLike, ignore

if TYPE_CHECKING:
    from harness.planning.plan import Plan
    from harness.tuning.forecast import TuningForecast
    from harness.tuning.search import OnTuneEvent, TuneResult


def tune(
    plan: Plan,
    method: str | None = None,
    results: PathLike = "results",
    *,
    study: str | None = None,
    storage: str | None = None,
    out: PathLike | None = None,
    executor: str = "local",
    workers: int | None = None,
    device: str = "auto",
    trials: int | None = None,
    max_steps: int | None = None,
    seconds: float | None = None,
    wait: bool = True,
    outage_seconds: float = 600.0,
    on_event: OnTuneEvent | None = None,
    stop: StopRequest | None = None,
) -> TuneResult:
    """Search for a method's settings, confirm the best on fresh seeds, and write them into a file for ``--set @FILE``.

    Args:
        plan: The plan of the suite; its ``tune`` block says how to search.
        method: Name of the method; ``None`` for the only one of the plan.
        results: The results directory.
        study: Name of the study; ``None`` for suite, method and profile.
        storage: Journal file, ``sqlite:///FILE`` or URL of a database; ``None`` for a journal beside the results.
        out: File for the settings found; ``None`` for one in the study's folder.
        executor: Name of the executor.
        workers: Number of trials at a time; ``None`` for as many as the executor thinks right.
        device: ``auto``, ``cpu`` or ``cuda``.
        trials: Number of trials, over all processes and restarts; ``None`` for the suite's, unless another bound is given.
        max_steps: Environment steps of all trials together, after which none is begun.
        seconds: Duration of this call; what is under way then stays resumable.
        wait: Whether trials and runs that other processes have are waited for, and taken over if their owners die.
        outage_seconds: Longest time, in seconds, for which an outage of the storage is waited out.
        on_event: Takes the events of `harness.tuning.search`, in this thread.
        stop: Once it is made, from a signal handler or another thread, every run saves at its next update and stops, and no
            other is started.

    Raises:
        UserError: Something cannot be used; nothing was started.
        StorageLost: The storage cannot be reached any more; every trial that ended before is kept.
        KeyboardInterrupt: The runs under way were stopped at once, and go on from their last checkpoints.
    """
    from harness.tuning.request import TuneRequest
    from harness.tuning.search import search_settings

    request = TuneRequest.create(
        plan,
        method,
        Path(results),
        study=study,
        storage=storage,
        out=None if out is None else Path(out),
        executor=executor,
        workers=workers,
        device=device,
        trials=trials,
        max_steps=max_steps,
        seconds=seconds,
        wait=wait,
        outage_seconds=outage_seconds,
    )
    return search_settings(request, on_event or ignore, stop or StopRequest())


def forecast_tuning(
    plan: Plan,
    method: str | None = None,
    results: PathLike = "results",
    *,
    workers: int | None = None,
    device: str = "auto",
    trials: int | None = None,
    max_steps: int | None = None,
    seconds: float | None = None,
) -> TuningForecast:
    """What a study will take on this machine; nothing is written. The arguments are those of `tune`.

    It measures in a new process of the caller's kind, as `forecast` does.
    """
    from harness.execution.measuring import measure
    from harness.tuning.forecast import forecast_study
    from harness.tuning.request import TuneRequest

    request = TuneRequest.create(
        plan, method, Path(results), workers=workers, device=device, trials=trials, max_steps=max_steps, seconds=seconds
    )
    return forecast_study(request, lambda spec: measure(spec, device))
