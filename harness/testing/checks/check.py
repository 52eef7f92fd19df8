"""What a check is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: Short name of the check.
        description: What it checks, in one sentence.
        run: The function that checks a `Subject`, or an `harness.testing.algorithms.AlgorithmSubject`; it raises what
            `harness.testing.outcomes` has if it does not pass.
    """

    name: str
    description: str
    run: Callable[[Any], None]
