"""Numbers and durations as people read them."""

from __future__ import annotations

import doctest
import re

from hypothesis import given
from hypothesis import strategies as st

from harness.cli.display import formatting
from harness.config import describe as settings


def test_examples_in_the_documentation():
    for module in (formatting, settings):
        found = doctest.testmod(module)
        assert found.attempted
        assert not found.failed


@given(st.floats(0, 1e7))
def test_duration_is_right_to_its_last_unit(seconds):
    units = {"s": 1, "min": 60, "h": 3600, "d": 86400}
    parts = re.findall(r"(\d+) (s|min|h|d)", formatting.duration(seconds))
    assert abs(sum(int(number) * units[unit] for number, unit in parts) - seconds) <= 0.51 * units[parts[-1][1]]
    for number, unit in parts[1:]:
        assert int(number) < {"s": 60, "min": 60, "h": 24}[unit]
