"""What this package gives the harness. Imported whenever the harness starts, so nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Sequence

from harness import Executor, hookimpl


@hookimpl
def harness_executors() -> Sequence[Executor]:
    """The executor ``inline``."""
    return [
        Executor(
            name="inline",
            executor="harness_inline.executor:InlineExecutor",
            summary="This process itself, one run after another: for debuggers and profilers.",
        )
    ]
