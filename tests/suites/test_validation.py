"""From pydantic's errors to lines for people."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, ClassVar, Literal

import pytest
from pydantic import Field, field_validator, model_validator

from harness.config import Config
from harness.errors import SuiteError
from harness.suites.locations import Node
from harness.suites.validation import (
    Problem,
    SuiteErrors,
    ValidationFailed,
    combine_errors,
    describe_value,
    to_suite_errors,
    validate,
)
from harness.suites.yaml import parse_yaml


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Inner(Config):
    unknown_key_hint: ClassVar[str] = "nothing else goes here"

    depth: int = Field(ge=0, le=9)
    """How deep."""


class Outer(Config):
    count: int = Field(default=1, gt=0)
    rate: Annotated[float, Field(lt=1)] = 0.5
    flag: bool = False
    title: str = Field(default="abc", max_length=10)
    mode: Literal["fast", "slow"] = "fast"
    colour: Colour = Colour.RED
    sizes: tuple[int, ...] = ()
    limit: float | Literal["auto"] | None = None
    inner: Inner | None = None
    inners: dict[str, list[Inner]] = {}  # noqa: RUF012  # pydantic copies it
    low: int = 0
    high: int = 1

    @field_validator("title")
    @classmethod
    def _no_x(cls, title: str) -> str:
        if "x" in title:
            raise ValueError("no\n  x, please")
        return title

    @model_validator(mode="after")
    def _rises(self) -> Outer:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        return self


def complaints(**data) -> list[str]:
    with pytest.raises(ValidationFailed) as caught:
        validate(Outer, data, lambda path: (path,))
    return [f"{'.'.join(map(str, problem.paths[0]))}: {problem.message}" for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"count": "many"}, 'count: expected a whole number, got "many" (text)'),
        ({"count": "5"}, 'count: expected a whole number, got "5" (text)'),
        ({"count": 1.5}, "count: expected a whole number, got 1.5"),
        ({"count": True}, "count: expected a whole number, got true"),
        ({"count": None}, "count: expected a whole number, got nothing"),
        ({"count": {}}, "count: expected a whole number, got an empty mapping"),
        ({"count": [1]}, "count: expected a whole number, got a list"),
        ({"count": -5}, "count: expected more than 0, got -5"),
        ({"rate": False}, "rate: expected a number, got false"),
        ({"rate": 1}, "rate: expected less than 1.0, got 1"),
        ({"flag": 1}, "flag: expected true or false, got 1"),
        ({"flag": "yes"}, 'flag: expected true or false, got "yes" (text)'),
        ({"title": 5}, "title: expected text, got 5"),
        ({"title": "a" * 70}, f'title: expected at most 10 characters, got "{"a" * 57}..." (text)'),
        ({"title": "x"}, "title: no x, please"),
        ({"mode": "fats"}, "mode: expected 'fast' or 'slow', got \"fats\" (text): did you mean 'fast'?"),
        ({"mode": 3}, "mode: expected 'fast' or 'slow', got 3"),
        ({"colour": "blu"}, "colour: expected 'red' or 'blue', got \"blu\" (text): did you mean 'blue'?"),
        ({"sizes": 3}, "sizes: expected a list, got 3"),
        ({"sizes": [1, "a"]}, 'sizes.1: expected a whole number, got "a" (text)'),
        ({"limit": "aut"}, "limit: expected a number or 'auto', got \"aut\" (text): did you mean 'auto'?"),
        ({"inner": 5}, "inner: expected a mapping, got 5"),
        ({"inner": {}}, "inner.depth: missing: How deep."),
        ({"inner": {"depth": 10}}, "inner.depth: expected at most 9, got 10"),
        ({"inners": {"a": [{"depth": 1}, {}]}}, "inners.a.1.depth: missing: How deep."),
        ({"coutn": 1}, "coutn: unknown key 'coutn': did you mean 'count'? (known: "),
        ({"inner": {"depth": 1, "x": 2}}, "inner.x: unknown key 'x' (known: depth); nothing else goes here"),
        ({"inners": {"a": [{"depth": 1, "dept": 2}]}}, "inners.a.0.dept: unknown key 'dept': did you mean 'depth'?"),
        ({"low": 3}, "low: low 3 is above high 1"),
        ({"high": -1}, "high: low 0 is above high -1"),
    ],
)
def test_each_mistake_is_one_line(data, message):
    found = complaints(**data)
    assert len(found) == 1
    assert found[0].startswith(message)


def test_all_mistakes_at_once():
    found = complaints(count=0, rate="x", coutn=1)
    assert [line.split(":")[0] for line in found] == ["count", "rate", "coutn"]


def test_whole_floats_are_whole_numbers_and_whole_numbers_are_numbers():
    made = validate(Outer, {"count": 1e6, "sizes": (2.0, 3), "rate": 0, "colour": "blue"}, lambda path: (path,))
    assert (made.count, made.sizes, made.rate, made.colour) == (1_000_000, (2, 3), 0.0, Colour.BLUE)
    assert (type(made.count), type(made.sizes[0]), type(made.rate)) == (int, int, float)


def test_a_message_says_what_is_configured():
    with pytest.raises(ValidationFailed, match=r"^method 'rnd': expected a whole number"):
        validate(Outer, {"count": "x"}, lambda path: (path,), "method 'rnd'")


def test_a_rule_over_several_keys_is_placed_at_the_nearest_of_them():
    with pytest.raises(ValidationFailed) as caught:
        validate(Outer, {"low": 3, "high": 2}, lambda path: (("near", *path), ("far", *path)))
    (problem,) = caught.value.problems
    assert problem.paths == (("near", "low"), ("near", "high"), ("far", "low"), ("far", "high"))


def test_a_problem_is_placed_where_it_was_written_else_where_it_belongs():
    tree = parse_yaml("a:\n  x: 1\nb:\n  y: 2\n", "f.yaml")
    problems = [Problem("bad", (("a", "y"), ("b", "y"))), Problem("gone", (("a", "q"), ("b", "q")))]
    assert [str(error) for error in to_suite_errors(problems, tree)] == ["f.yaml:4: b.y: bad", "f.yaml:3: b.q: gone"]


def test_errors_are_told_once_and_in_the_order_of_lines():
    tree = parse_yaml("a: 1\nb: 2\n", "f.yaml")
    errors = to_suite_errors([Problem("second", (("b",),)), Problem("first", (("a",),)), Problem("second", (("b",),))], tree)
    error = combine_errors(errors)
    assert isinstance(error, SuiteErrors)
    assert str(error) == "f.yaml:1: a: first\nf.yaml:2: b: second"
    assert [part.line for part in error.errors] == [1, 2]
    assert error.file == "f.yaml"


def test_one_error_stays_itself():
    (alone,) = to_suite_errors([Problem("bad", (("a",),))], Node.of({"a": 1}))
    assert combine_errors([alone]) is alone
    assert type(alone) is SuiteError
    assert str(alone) == "a: bad"


def test_values_are_shown_as_written():
    shown = [describe_value(value) for value in ("é", True, 1e-5, [], [1], {"a": 1}, None)]
    assert shown == ['"é" (text)', "true", "1e-05", "an empty list", "a list", "a mapping", "nothing"]
