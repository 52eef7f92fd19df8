"""How often tuning seems to help where settings make no difference, as measured: the figures that the report quotes."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

FALSE_ALARMS_FILE = Path(__file__).with_name("false_alarms.csv")
"""Written by benchmarks/tuning_verdicts.py: simulated studies in which all settings are alike."""

Rule = Literal["by tuned score", "best on fresh seeds"]
"""Which trial is judged: ``by tuned score``, as the harness does, or the ``best on fresh seeds``, as it did before."""

CANDIDATES = (3, 10)
"""Numbers of confirmed trials that were simulated."""


class Simulated(NamedTuple):
    """One figure.

    Attributes:
        scores: How scores are distributed: ``normal`` or ``0 or 1``.
        tasks, seeds, candidates: Number of tasks, of fresh seeds and of confirmed trials.
        rule: Which trial is judged.
        rate: Share of the studies in which tuning seemed to help.
        simulations: Number of studies.
    """

    scores: str
    tasks: int
    seeds: int
    candidates: int
    rule: str
    rate: float
    simulations: int


def describe() -> str:
    """The worst figures of all simulated distributions and numbers of tasks, in words."""
    new, old = (
        " and ".join(f"{100 * _worst(rule, number):.1f} % with {number}" for number in CANDIDATES)
        for rule in ("by tuned score", "best on fresh seeds")
    )
    return (
        "Trials are judged in the order of their tuned scores, each only if all before it helped, so that their number adds no"
        " false alarms. In simulated studies whose settings make no difference, tuning seemed to help in at most"
        f" {new} confirmed trials; where the best of them on the fresh seeds is judged on the same seeds, it does in up to"
        f" {old} ({_simulations():,} studies of five fresh seeds for each figure, benchmarks/tuning_verdicts.py)."
    )


def _worst(rule: Rule, candidates: int) -> float:
    return max(one.rate for one in read_table() if one.rule == rule and one.candidates == candidates)


def _simulations() -> int:
    return min(one.simulations for one in read_table())


@cache
def read_table() -> tuple[Simulated, ...]:
    """The table as it was committed."""
    with FALSE_ALARMS_FILE.open(newline="") as file:
        return tuple(
            Simulated(
                row["scores"],
                int(row["tasks"]),
                int(row["seeds"]),
                int(row["candidates"]),
                row["rule"],
                float(row["rate"]),
                int(row["simulations"]),
            )
            for row in csv.DictReader(file)
        )
