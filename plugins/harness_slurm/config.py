"""What jobs ask of Slurm."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from harness import Config

_UNITS = {"m": 1, "min": 1, "h": 60, "d": 24 * 60}
_CLOCK = re.compile(r"(?:(\d+)-)?(\d+):(\d\d)(?::(\d\d))?")


def parse_minutes(value: Any) -> Any:
    """Minutes from a time limit as Slurm or people write it.

    >>> parse_minutes("4h"), parse_minutes("90m"), parse_minutes("1-12:00:00"), parse_minutes("04:30:00")
    (240, 90, 2160, 270)
    """
    if not isinstance(value, str):
        return value
    if found := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(m|min|h|d)\s*", value):
        return math.ceil(float(found[1]) * _UNITS[found[2]])
    if (found := _CLOCK.fullmatch(value.strip())) and (found[1] or found[4]):
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return math.ceil((days * 24 + hours) * 60 + minutes + seconds / 60)
    raise ValueError(f"expected a time such as 4h, 90m, 2d, 1-12:00:00 or 04:00:00, got {value!r}")


Minutes = Annotated[int, BeforeValidator(parse_minutes, json_schema_input_type=int | str), Field(gt=0)]


class SlurmConfig(Config):
    """What jobs ask of Slurm: the options of ``sbatch``, and how runs become jobs."""

    partition: str | None = None
    """Partition to submit to; null for the cluster's default."""

    time: Minutes = 240
    """Time limit of each job, such as ``4h``, ``90m``, ``1-12:00:00`` or a number of minutes. A run need not fit in: when the
    limit comes near, its job is queued again and goes on from the run's last checkpoint."""

    cpus: int | None = Field(default=None, gt=0)
    """Cores of each job; null for as many as its runs have threads."""

    mem: Annotated[str, Field(pattern=r"^\d+[KMGT]?B?$")] | None = None
    """Memory of each job, such as ``8G``; null for the cluster's default."""

    gpus: int = Field(default=0, ge=0)
    """GPUs of each job. Its runs share them out."""

    gres: str | None = None
    """Generic resources instead, such as ``gpu:a100:1``."""

    constraint: str | None = None
    """Features that nodes must have."""

    account: str | None = None
    """Account that is charged."""

    qos: str | None = None
    """Quality of service."""

    array_parallelism: int = Field(default=256, gt=0)
    """Jobs of an array at a time; ``--workers`` counts instead where it is given."""

    array_size: int = Field(default=1000, gt=0)
    """Jobs in an array at most; more are submitted as several. Clusters set a limit, ``scontrol show config`` has it as
    MaxArraySize, which is one more than the number of jobs."""

    runs_per_job: int = Field(default=1, gt=0)
    """Runs that a job trains at a time, such as small ones that share a GPU."""

    requeues: int = Field(default=100, ge=0)
    """How often a job may reach its time limit and be queued again."""

    save_seconds: int = Field(default=120, ge=1, le=65535)
    """How long before its time limit a job is told to stop and be queued again."""

    setup: tuple[str, ...] = ()
    """Shell lines before a job's own, such as ``module load cuda``."""

    options: dict[str, str | int | bool] = Field(default_factory=dict)
    """Further options of ``sbatch``, by their long names: ``{exclude: node13, nice: 100}``; true for one without a value."""
