"""What a run takes of its machine beside time: memory, and energy where the processor tells."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import psutil

from harness.runs.folder import RunStatus

POWERCAP = Path("/sys/class/powercap")
_PACKAGES = "intel-rapl:[0-9]*"
_MICRO = 1e-6


class EnergyCounter:
    """Energy of all processors of the machine, from counters that start again at 0 now and then.

    Args:
        powercap: Where Linux shows the counters, which only root may read on most machines.
    """

    def __init__(self, powercap: Path = POWERCAP) -> None:
        self._counters = {zone: reading for zone in _zones(powercap) if (reading := _read(zone / "energy_uj")) is not None}

    def joules(self) -> float | None:
        """Joules since the last call, or since the counter was made; ``None`` where nothing tells."""
        if not self._counters:
            return None
        used = 0
        for zone, before in self._counters.items():
            now = _read(zone / "energy_uj")
            if now is None:
                return None
            used += now - before if now >= before else now + (_read(zone / "max_energy_range_uj") or before) - before
            self._counters[zone] = now
        return used * _MICRO


class CostMeter:
    """Memory and energy of a run under way, over all attempts.

    Args:
        energy: Counter of the machine's energy.
    """

    def __init__(self, energy: EnergyCounter | None = None) -> None:
        self._process = psutil.Process()
        self._energy = energy or EnergyCounter()
        self._memory_bytes, self._joules = 0, 0.0
        self._knows_energy = True

    def begin(self, before: RunStatus) -> None:
        """Go on from what earlier attempts took.

        Args:
            before: The status that they left, as it was when the run was saved last.
        """
        self._memory_bytes = before.memory_bytes or 0
        self._knows_energy = not before.step or before.energy_joules is not None
        self._joules = before.energy_joules or 0.0
        self._energy.joules()

    def sample(self) -> None:
        """Look how much memory the process takes, which takes some microseconds."""
        self._memory_bytes = max(self._memory_bytes, self._process.memory_info().rss)

    def fields(self, besides: Collection[int] = ()) -> dict[str, Any]:
        """What the status says of it; memory is that of the process and of those that step environments.

        Args:
            besides: Sessions whose processes do not count, such as those of trackers.
        """
        own = self._process.memory_info().rss
        children = [child for child in self._process.children(recursive=True) if _session(child) not in besides]
        self._memory_bytes = max(self._memory_bytes, own + sum(map(_memory, children)))
        joules = self._energy.joules()
        self._knows_energy &= joules is not None
        self._joules += joules or 0.0
        return {"memory_bytes": self._memory_bytes, "energy_joules": round(self._joules, 1) if self._knows_energy else None}


def _session(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except OSError:  # it has just ended
        return None


def _memory(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:  # it has just ended
        return 0


def _zones(powercap: Path) -> list[Path]:
    """The counters of whole processors; those of their parts have a second colon."""
    try:
        return sorted(zone for zone in powercap.glob(_PACKAGES) if zone.name.count(":") == 1)
    except OSError:
        return []


def _read(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None
