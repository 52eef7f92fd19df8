"""Which Ray cluster, and what each run asks of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from harness import Config

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


class RayConfig(Config):
    """Which Ray cluster, and what each run asks of it."""

    address: str | None = None
    """The cluster: ``auto`` for the one that this machine belongs to, or ``HOST:PORT`` of its head; null for what the
    environment variable ``RAY_ADDRESS`` says, or else for a Ray of this machine alone."""

    cpus: float | None = Field(default=None, gt=0)
    """Cores of each run; null for as many as it has threads."""

    gpus: float | None = Field(default=None, ge=0)
    """GPUs of each run; ``0.25`` lets four share one. Null for one where the cluster has any, none with ``--device cpu``."""

    memory: Annotated[str, Field(pattern=r"^\d+[KMGT]?B?$")] | None = None
    """Memory that Ray sets aside for each run, such as ``4G``; null for none. Ray counts it and does not enforce it."""

    resources: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    """Other resources of each run, by the names that nodes were started with."""

    retries: int = Field(default=10, ge=0)
    """How often a run is taken up again elsewhere after its node was lost."""

    @property
    def memory_bytes(self) -> int:
        """Bytes that each run sets aside."""
        text = (self.memory or "0").removesuffix("B")
        number = text.rstrip("KMGT")
        return int(number) * _UNITS[text[len(number) :]]
