"""What this package gives the harness. Imported whenever the harness starts, so nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Sequence

from harness import Network, hookimpl


@hookimpl
def harness_networks() -> Sequence[Network]:
    """The network ``tiny``."""
    return [
        Network(
            name="tiny",
            build="harness_tiny_network.network:TinyNetwork",
            summary="Any observations: one shared layer of 32 units, one of 16 for each of policy and values, tanh.",
        )
    ]
