"""What this package gives the harness: the executor ``ray``."""

from __future__ import annotations

from collections.abc import Sequence

from harness import Executor, hookimpl


@hookimpl
def harness_executors() -> Sequence[Executor]:
    return [
        Executor(
            name="ray",
            executor="harness_ray.executor:RayExecutor",
            config="harness_ray.config:RayConfig",
            summary="Tasks of a Ray cluster; a run whose node is lost goes on elsewhere. It tunes, too.",
        )
    ]
