"""Numbers as people write them."""

from __future__ import annotations

import doctest
import math

import pytest

from harness.report import wording


def test_examples_of_the_docstrings():
    failed, attempted = doctest.testmod(wording)
    assert failed == 0
    assert attempted > 0


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(-0.0001, 3, "0.000"), (-0.5, 1, "−0.5"), (math.nan, 2, "–"), (1e6, 0, "1,000,000"), (0.0, 2, "0.00")],
)
def test_numbers(value, digits, text):
    assert wording.format_number(value, digits) == text


@pytest.mark.parametrize(("values", "digits"), [([], 3), ([None, math.nan], 3), ([9.9, -99.0], 2), ([4753.3], 0)])
def test_digits(values, digits):
    assert wording.decimals_for(values) == digits
