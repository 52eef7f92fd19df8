"""Bundles of results: written, and checked by training some runs again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.execution.events import RunEvent
from harness.execution.stopping import StopRequest
from harness.experiment.outcomes import PathLike, ignore

if TYPE_CHECKING:
    from harness.bundles.crosschecks import PackedRun
    from harness.bundles.packing import Packed
    from harness.bundles.verifying import Verification


def pack(results: PathLike, out: PathLike) -> Packed:
    """Write the data of results into one checksummed bundle: nothing that runs, and no weights.

    Args:
        results: The results directory, or a part of it.
        out: The bundle to be written or replaced.

    Raises:
        ResultsError: There is no run, one is being trained, something cannot be read, or it is too much for a bundle.
    """
    from harness.bundles.packing import pack as pack_bundle

    return pack_bundle(Path(results), Path(out))


def verify(
    bundle: PathLike,
    *,
    share: float = 0.1,
    seed: int = 0,
    workers: int | None = None,
    device: str = "auto",
    on_drawn: Callable[[Sequence[str]], None] | None = None,
    on_event: Callable[[RunEvent], None] | None = None,
    stop: StopRequest | None = None,
) -> Verification:
    """Check a bundle against itself, and train a random share of its finished runs again in a temporary folder.

    Args:
        bundle: The bundle, which is only read.
        share: Share of the runs to train, above 0 and at most 1; at least one run is.
        seed: Seed of the draw.
        workers: Number of runs at a time; ``None`` for one per core.
        device: ``auto``, ``cpu`` or ``cuda``.
        on_drawn: Told the names of the runs that are about to be trained.
        on_event: Takes the events of the runs, in this thread.
        stop: Once it is made, from a signal handler or another thread, runs stop and what is finished is compared.

    Raises:
        UserError: The file is no bundle that can be used, holds no finished run, or the device is not there.
    """
    from harness.bundles.verifying import verify as verify_bundle
    from harness.registry import installed

    def drawn(runs: Sequence[PackedRun]) -> None:
        if on_drawn is not None:
            on_drawn([run.name for run in runs])

    return verify_bundle(
        Path(bundle),
        installed(),
        share=share,
        seed=seed,
        workers=workers,
        device=device,
        on_drawn=drawn,
        on_event=on_event or ignore,
        stop=stop or StopRequest(),
    )
