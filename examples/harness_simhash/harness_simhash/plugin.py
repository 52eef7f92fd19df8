"""What this package gives the harness. Imported whenever the harness starts, so nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Sequence

from harness import Method, hookimpl


@hookimpl
def harness_methods() -> Sequence[Method]:
    """The method ``simhash``."""
    return [
        Method(
            name="simhash",
            reward="harness_simhash.reward:SimHash",
            config="harness_simhash.config:SimHashConfig",
            summary="Visits of each hash code are counted; the bonus falls with the root of the count.",
            paper="Tang et al. 2017, arXiv 1611.04717",
            works_with={"on_policy"},
        )
    ]
