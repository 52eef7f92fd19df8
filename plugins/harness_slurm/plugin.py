"""What this package gives the harness: the executor ``slurm``."""

from __future__ import annotations

from collections.abc import Sequence

from harness import Executor, hookimpl


@hookimpl
def harness_executors() -> Sequence[Executor]:
    return [
        Executor(
            name="slurm",
            executor="harness_slurm.executor:SlurmExecutor",
            config="harness_slurm.config:SlurmConfig",
            summary="Array jobs of a Slurm cluster, which outlive the command that submits them.",
        )
    ]
