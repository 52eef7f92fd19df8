"""Whether this machine's processors have instructions for bfloat16; without them it is imitated, and slow."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from harness.spec import RunSpec

CPU_INFO = Path("/proc/cpuinfo")
GPUS = Path("/proc/driver/nvidia/gpus")
"""A folder with an entry for each GPU, where there is a driver for them."""

_FOR_BF16 = {"amx_bf16": "AMX", "avx512_bf16": "AVX512_BF16", "bf16": "BF16"}
"""Instructions for bfloat16 as Linux names them, the last one on ARM, and as people do."""


def cpu_features(cpu_info: Path) -> frozenset[str] | None:
    """The processor's features as Linux names them; ``None`` where nothing says."""
    with suppress(OSError, UnicodeDecodeError):
        for line in cpu_info.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() in ("flags", "Features"):
                return frozenset(value.split())
    return None


def has_gpu(gpus: Path) -> bool:
    """Whether a run on device ``auto`` may find a GPU; torch, which takes long to load, would know for sure."""
    with suppress(OSError):
        return os.environ.get("CUDA_VISIBLE_DEVICES") != "" and any(gpus.iterdir())
    return False


def bf16_notice(specs: Iterable[RunSpec], device: str = "auto") -> str:
    """A sentence on runs in bf16 that this machine would train more slowly than in float32; empty if there are none.

    Args:
        specs: Specifications of the runs.
        device: ``auto``, ``cpu`` or ``cuda``, as the user has it.
    """
    methods = sorted({spec.method for spec in specs if "bf16" in (spec.precision.policy, spec.precision.bonus)})
    on_gpu = device.startswith("cuda") or (device == "auto" and has_gpu(GPUS))
    features = cpu_features(CPU_INFO)
    if not methods or on_gpu or features is None or features & _FOR_BF16.keys():
        return ""
    return (
        f"precision bf16 ({', '.join(methods)}): this CPU has no instructions for it, neither AMX nor AVX512_BF16, and only"
        " imitates it: convolutions take about ten times as long as in float32; use a CPU that has them or a GPU, or leave out"
        " precision"
    )
