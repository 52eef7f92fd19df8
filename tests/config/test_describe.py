"""Configurations in words."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import Field

from harness.config import Config, Search
from harness.config.describe import describe_settings, describe_type


class Inner(Config):
    """A nested block."""

    depth: int = 2
    """How deep."""


class Sample(Config):
    """Every kind of field."""

    needed: str
    """Must be given."""

    rate: Annotated[float, Search(low=1e-5, high=1e-2, log=True)] = Field(default=3e-4, gt=0)
    """Of ``learning``,
    in `steps`."""

    layers: list[Annotated[int, Field(gt=0)]] = Field(default=[64, 64], min_length=1)
    """Sizes."""

    way: Annotated[Literal["up", "down"], Search(choices=("up", "down"))] = "up"
    """Which way."""

    limit: float | None = Field(default=None, ge=0, le=1_000_000)
    """At most."""

    inner: Inner = Inner()
    """More."""


def test_each_field_is_told_in_full():
    needed, rate, layers, way, limit, depth = describe_settings(Sample)
    assert (needed.default, needed.type) == ("required", "text")
    assert (rate.bounds, rate.search, rate.default) == ("> 0", "1e-05 to 0.01, logarithmic", "0.0003")
    assert rate.meaning == "Of 'learning', in 'steps'."
    assert (layers.type, layers.default, layers.bounds) == ("list of int", "[64, 64]", "at least 1 long")
    assert (way.type, way.search) == ('"up" or "down"', 'one of "up", "down"')
    assert (limit.type, limit.default, limit.bounds) == ("float or null", "null", ">= 0, <= 1_000_000")
    assert (depth.name, depth.meaning) == ("inner.depth", "How deep.")


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (bool, "bool"),
        (tuple[int, ...], "list of int"),
        (tuple[float, str], "list of float, text"),
        (dict[str, int], "mapping of int"),
        (list[list[int]] | None, "list of list of int or null"),
    ],
)
def test_types_in_words(annotation, words):
    assert describe_type(annotation) == words
