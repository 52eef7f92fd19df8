"""Resamples of runs within tasks, and the intervals that are read off them.

A bootstrap stratified by task draws, for every task, as many seeds as it has. Such a resample is described by how often it
drew each run, so a statistic of all resamples is a statistic of one matrix of weights, and costs a few matrix products.

The quantiles of a small sample's resamples lie too close together: the resamples vary by (n - 1) / n of what they should, and
as if the spread were known. `EXPANDED` intervals take quantiles further out, by as much as a t interval is wider than the
percentiles of a normal bootstrap ("expanded percentile intervals", Hesterberg 2015, What Teachers Should Know about the
Bootstrap, arXiv 1411.5279). `RLIABLE` intervals are rliable's own, the plain percentiles.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, cast, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]
TaskScores = Sequence[Array]
Statistic = Callable[[Array], Array]

IntervalKind = Literal["expanded", "rliable"]
"""How intervals are made: so that they hold few seeds, or as rliable does."""

INTERVAL_KINDS: tuple[IntervalKind, ...] = get_args(IntervalKind)
EXPANDED: IntervalKind = "expanded"
RLIABLE: IntervalKind = "rliable"

CONFIDENCE_LEVEL = 0.95
"""Nominal coverage of every interval."""

MIN_SEEDS = 3
"""With one seed a bootstrap has no width and with two it has three values: neither is an interval."""

N_RESAMPLES = 50_000
"""Resamples for an aggregate score; what rliable's authors use."""

N_BAND_RESAMPLES = 5_000
"""Resamples for a band of many intervals (profiles, curves)."""

MANY_RUNS = 400
"""Runs beyond which a statistic of all of them gets fewer resamples, see `resamples_of`."""

_FEWEST_RESAMPLES = {N_RESAMPLES: 10_000, N_BAND_RESAMPLES: 2_000}

CHUNK = 1 << 17  # weights at once: few enough to stay in a processor's cache


class IntervalEstimate(NamedTuple):
    """A number with its interval; the ends are ``None`` where there are too few seeds for one."""

    value: float
    low: float | None = None
    high: float | None = None


class Band(NamedTuple):
    """K numbers with their intervals; all float64 ``(K,)``, NaN where there is no number or no interval."""

    value: Array
    low: Array
    high: Array


def named_generator(*names: str) -> np.random.Generator:
    """A random stream that depends on ``names`` alone: not on the platform, the order of calls or other methods."""
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


@dataclass(frozen=True)
class Strata:
    """N runs in T tasks. Weights are ``(R, N)``: R resamples, each summing to N and giving every task N / T."""

    sizes: tuple[int, ...]

    @classmethod
    def of(cls, task_scores: TaskScores) -> Strata:
        """The strata of these scores, one array ``(n_t,)`` per task."""
        sizes = tuple(len(per_seed) for per_seed in task_scores)
        if not sizes or min(sizes) == 0:
            raise ValueError(f"every task needs at least one score; numbers of scores: {sizes}")
        return cls(sizes)

    @property
    def tasks(self) -> int:
        return len(self.sizes)

    @property
    def total(self) -> int:
        return sum(self.sizes)

    @property
    def complete(self) -> bool:
        return len(set(self.sizes)) == 1

    @property
    def starts(self) -> NDArray[np.int64]:
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]])

    @property
    def slices(self) -> list[slice]:
        return [slice(start, start + size) for start, size in zip(self.starts, self.sizes, strict=True)]

    @property
    def run_weights(self) -> Array:
        """The weight of one run, drawn once: ``(N,)``, ones for a complete matrix."""
        sizes = np.asarray(self.sizes)
        return np.repeat(self.total / (self.tasks * sizes), sizes)

    @property
    def point_weights(self) -> Array:
        """The weights of the data as they are, ``(1, N)``."""
        return self.run_weights[None]

    def task_means(self, weights: Array, scores: Array) -> Array:
        """Each task's mean, ``(R, T)``."""
        if self.complete:  # all tasks at once
            by_task = weights.reshape(len(weights), self.tasks, -1).swapaxes(0, 1)
            sums = (by_task @ scores.reshape(self.tasks, -1, 1))[..., 0].T
        else:
            sums = np.stack([weights[:, part] @ scores[part] for part in self.slices], axis=1)
        return sums * (self.tasks / self.total)

    def resamples(self, rng: np.random.Generator, n_resamples: int, chunk: int) -> Iterator[Array]:
        """The weights of ``n_resamples`` resamples, at most ``chunk`` rows at a time."""
        for start in range(0, n_resamples, chunk):
            rows = min(chunk, n_resamples - start)
            places = self._draws(rng, rows)
            counts = np.bincount(places, minlength=rows * self.total).reshape(rows, self.total)
            yield counts.astype(np.float64) if self.complete else counts * self.run_weights

    def _draws(self, rng: np.random.Generator, rows: int) -> NDArray[np.int64]:
        """Which runs so many resamples draw, task after task, as places in a flat matrix with a row for each resample."""
        first_of_row = np.arange(0, rows * self.total, self.total)[:, None]
        if self.complete:  # the same numbers as below, all at once
            draws = rng.integers(0, self.sizes[0], size=(self.tasks, rows, self.sizes[0]))
            draws += first_of_row + self.starts[:, None, None]
            return draws.ravel()
        each = [
            rng.integers(first, first + size, size=(rows, size)) + first_of_row
            for first, size in zip(self.starts.tolist(), self.sizes, strict=True)
        ]
        return np.concatenate(each, axis=1).ravel()


def resamples_of(runs: int, wanted: int = N_RESAMPLES) -> int:
    """How many resamples a statistic of so many runs gets: in proportion fewer of many runs, but always thousands.

    With the fewest, an end of an interval is off by a hundredth or two of the interval's width, which is far less than what
    the next seed changes.

    Args:
        runs: Number of runs that are resampled.
        wanted: Number of resamples for few runs, `N_RESAMPLES` or `N_BAND_RESAMPLES`.
    """
    return min(wanted, max(_FEWEST_RESAMPLES[wanted], wanted * MANY_RUNS // max(runs, 1)))


def resampled(strata: Strata, statistic: Statistic, rng: np.random.Generator, n_resamples: int) -> Array:
    """A statistic that maps weights ``(R, N)`` to ``(R, K)``, of all resamples: ``(n_resamples, K)``."""
    chunk = max(1, CHUNK // strata.total)
    return np.concatenate([statistic(weights) for weights in strata.resamples(rng, n_resamples, chunk)])


# --------------------------------------------------------------------------------------------------------------------
# How far out
# --------------------------------------------------------------------------------------------------------------------
class Expansion(NamedTuple):
    """What a bootstrap of few seeds lacks.

    Attributes:
        factor: The variance that a statistic has, divided by that of resamples: n / (n - 1) where all tasks have n seeds.
        freedom: Degrees of freedom of the spread.
    """

    factor: float
    freedom: float

    @classmethod
    def of(cls, *groups: TaskScores) -> Expansion:
        """That of a statistic to which every array of scores contributes about alike.

        Degrees of freedom are Satterthwaite's, those of the mean over tasks: where one task varies far more than the others
        they are little more than that task's own.

        Args:
            groups: Scores, each one array ``(n_t,)`` per task with at least two seeds.
        """
        arrays = [scores for group in groups for scores in group]
        sizes = np.array([len(scores) for scores in arrays], dtype=np.float64)
        variances = np.array([scores.var(ddof=1) for scores in arrays]) / sizes
        total, own = variances.sum(), (variances**2 / (sizes - 1)).sum()
        freedom = float(total**2 / own) if own > 0 else float((sizes - 1).sum())
        return cls(float((1 / sizes).sum() / ((sizes - 1) / sizes**2).sum()), freedom)

    def width(self, tail: float) -> float:
        """Half the width of an interval in standard deviations of the resamples, for a probability of ``tail`` at each end."""
        return float(np.sqrt(self.factor)) * t_quantile(1 - tail, self.freedom)

    @property
    def quantiles(self) -> tuple[float, float]:
        """Where in the resamples an interval ends."""
        tail = float(special.ndtr(-self.width((1 - CONFIDENCE_LEVEL) / 2)))
        return tail, 1 - tail


PLAIN_QUANTILES = ((1 - CONFIDENCE_LEVEL) / 2, (1 + CONFIDENCE_LEVEL) / 2)
"""Where in the resamples rliable's intervals end."""


def quantiles_of(kind: IntervalKind, *groups: TaskScores) -> tuple[float, float]:
    """Where in the resamples of these scores an interval ends."""
    return Expansion.of(*groups).quantiles if kind == EXPANDED else PLAIN_QUANTILES


def t_quantile(probability: float, freedom: float) -> float:
    """A quantile of Student's t distribution."""
    return cast(float, special.stdtrit(freedom, probability))


def bounds(low: float, high: float) -> tuple[float | None, float | None]:
    """The ends of an interval, ``None`` for NaN."""
    return (None, None) if np.isnan(low) else (float(low), float(high))
