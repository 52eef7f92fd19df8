"""Intervals of differences, against SciPy and against Newcombe's own example."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.analysis.differences import difference, mean_difference, newcombe


def test_one_task_is_welchs_interval() -> None:
    rng = np.random.default_rng(0)
    for n, m in ((3, 3), (5, 9), (20, 4)):
        x, y = rng.normal(2, 3, n), rng.normal(1, 1, m)
        found, expected = difference(x, y), stats.ttest_ind(x, y, equal_var=False).confidence_interval(0.95)
        assert found == pytest.approx((x.mean() - y.mean(), expected.low, expected.high), rel=1e-12)


def test_counted_successes_have_newcombes_interval() -> None:
    """Newcombe 1998 (Statistics in Medicine 17, 873-890), example (a): 56/70 - 48/80, method 10."""
    assert newcombe(56 / 70, 70, 48 / 80, 80) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    ones, half = np.ones(10), np.array([0.0, 1.0] * 5)
    assert difference(ones * 4, half * 4, (0, 4)) == pytest.approx([4 * part for part in newcombe(1, 10, 0.5, 10)])
    reversed_scale = difference(half * -4, ones * -4, (0, -4))
    assert reversed_scale.low is not None
    assert reversed_scale.low < 2 == reversed_scale.value


def test_there_is_no_interval_where_it_would_say_nothing() -> None:
    two, three = np.array([1.0, 2.0]), np.array([1.0, 2.0, 4.0])
    assert difference(two, three)[1:] == (None, None)
    assert difference(np.full(5, 2.0), np.full(5, 3.0))[1:] == (None, None)
    assert difference(np.full(5, 2.0), three).low is not None


def test_the_interval_over_tasks_holds_the_true_difference() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        after = [rng.normal(1 + task, 1 + task, 5) for task in range(3)]
        before = [rng.normal(task, 1, 4) for task in range(3)]
        found = mean_difference(after, before)
        held += found.low is not None and found.high is not None and found.low <= 1 <= found.high
    assert 0.92 <= held / 400 <= 0.98
