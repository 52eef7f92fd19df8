"""Checks of this machine, for executors whose runs train on it."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

from harness.errors import ResultsError
from harness.spec import RunSpec


def check_device(device: str) -> None:
    """Refuse a device that is not there, without loading torch for those that always are.

    Raises:
        UserError: This machine has no such device.
    """
    if device not in ("auto", "cpu"):
        from harness.training.devices import choose_device

        choose_device(device)


def check_writable(results: Path) -> None:
    """Refuse a results directory in which no file can be made; nothing is left there, nor is it made.

    Raises:
        ResultsError: Nothing can be written there.
    """
    try:
        with tempfile.TemporaryFile(dir=nearest_existing(results)):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise ResultsError(f"{results}: cannot be written ({reason}); give another directory with --results") from None


def nearest_existing(path: Path) -> Path:
    """The path itself if it exists, else the nearest one above it that does."""
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path


def replay_bytes_of(spec: RunSpec) -> int:
    """Bytes of a run's full replay buffer; 0 where its environments cannot be made, for the run itself will say why."""
    from harness.training.estimate import replay_bytes

    with suppress(Exception):
        return replay_bytes(spec)
    return 0
