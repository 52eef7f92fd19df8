"""The fields of a configuration in words: what a reader of ``harness show`` needs to write a suite."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from harness.config import Search

_BOUNDS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "multiple_of": "a multiple of"}
_LENGTHS = {"min_length": "at least", "max_length": "at most"}
_NAMES: dict[Any, str] = {type(None): "null", str: "text"}


@dataclass(frozen=True)
class Setting:
    """One field of a configuration.

    Attributes:
        name: As written in a suite; dotted when it lies in a nested block.
        type: In words, such as ``float or null``.
        default: As JSON, or ``required``.
        bounds: Such as ``> 0, <= 1``; empty without any.
        search: The range that tuning searches; empty where tuning leaves it alone.
        meaning: From the field's documentation.
    """

    name: str
    type: str
    default: str
    bounds: str = ""
    search: str = ""
    meaning: str = ""


def settings(model: type[BaseModel], prefix: str = "") -> Iterator[Setting]:
    """Every field of a configuration in the order of its definition, nested blocks in place."""
    for name, info in model.model_fields.items():
        nested = _bare(info.annotation)
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            yield from settings(nested, f"{prefix}{name}.")
        else:
            yield _setting(prefix + name, info)


def type_in_words(annotation: Any) -> str:
    """A type as a writer of YAML would say it.

    >>> type_in_words(list[float] | None)
    'list of float or null'
    """
    annotation = _bare(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(json.dumps(argument) for argument in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(map(type_in_words, arguments))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"mapping of {type_in_words(arguments[1])}"
    if isinstance(origin, type) and issubclass(origin, Sequence | set | frozenset):
        inner = [type_in_words(argument) for argument in arguments if argument is not Ellipsis]
        return f"list of {', '.join(dict.fromkeys(inner))}"
    return _NAMES.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _setting(name: str, info: FieldInfo) -> Setting:
    search = next((item for item in info.metadata if isinstance(item, Search)), None)
    return Setting(
        name=name,
        type=type_in_words(info.annotation),
        default="required" if info.is_required() else _as_json(info.get_default(call_default_factory=True, validated_data={})),
        bounds=", ".join(_bounds(info.metadata)),
        search=_search_in_words(search) if search else "",
        meaning=plain(info.description or ""),
    )


def _as_json(value: Any) -> str:
    return json.dumps(value, default=lambda other: list(other) if isinstance(other, set | frozenset) else str(other))


def _bounds(metadata: Sequence[Any]) -> Iterator[str]:
    for constraint in metadata:
        for name, sign in _BOUNDS.items():
            if (bound := getattr(constraint, name, None)) is not None:
                yield f"{sign} {_number(bound)}"
        for name, words in _LENGTHS.items():
            if (length := getattr(constraint, name, None)) is not None:
                yield f"{words} {length} long"


def _search_in_words(search: Search) -> str:
    if search.choices is not None:
        words = "one of " + ", ".join(map(_as_json, search.choices))
    else:
        words = f"{_number(search.low)} to {_number(search.high)}{', logarithmic' if search.log else ''}"
    return words + (f"; with {search.when[0]} {' or '.join(map(str, search.when[1:]))}" if search.when else "")


def _number(value: Any) -> str:
    """A number as a suite may contain it: large whole ones with underscores."""
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer() and abs(value) < 1e15)
    return f"{int(value):_}" if whole else f"{value:g}"


def plain(documentation: str) -> str:
    """Documentation without markup, in one line."""
    return re.sub(r"``?([^`]+)``?", r"'\1'", " ".join(documentation.split()))


def _bare(annotation: Any) -> Any:
    return _bare(get_args(annotation)[0]) if get_origin(annotation) is Annotated else annotation
