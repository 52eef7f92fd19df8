"""The fields of a configuration in words: what a reader of ``harness show`` needs to write a suite."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

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
        name: Name as suites write it; dotted when it lies in a nested block.
        type: Type in words, such as ``float or null``.
        default: As JSON, or ``required``.
        bounds: Such as ``> 0, <= 1``; empty without any.
        search: The range that tuning searches; empty where tuning leaves it alone.
        meaning: Documentation of the field.
    """

    name: str
    type: str
    default: str
    bounds: str = ""
    search: str = ""
    meaning: str = ""


def describe_settings(model: type[BaseModel], prefix: str = "") -> Iterator[Setting]:
    """Every field of a configuration in the order of its definition, nested blocks in place."""
    for name, info in model.model_fields.items():
        nested = _unwrap_annotated(info.annotation)
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            yield from describe_settings(nested, f"{prefix}{info.alias or name}.")
        else:
            yield _setting(prefix + (info.alias or name), info)


def describe_type(annotation: Any) -> str:
    """A type as a writer of YAML would say it.

    >>> describe_type(list[float] | None)
    'list of float or null'
    """
    annotation = _unwrap_annotated(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(json.dumps(argument) for argument in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(map(describe_type, arguments))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"mapping of {describe_type(arguments[1])}"
    if isinstance(origin, type) and issubclass(origin, Sequence | set | frozenset):
        inner = [describe_type(argument) for argument in arguments if argument is not Ellipsis]
        return f"list of {', '.join(dict.fromkeys(inner))}"
    return _NAMES.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _setting(name: str, info: FieldInfo) -> Setting:
    search = next((item for item in info.metadata if isinstance(item, Search)), None)
    return Setting(
        name=name,
        type=describe_type(info.annotation),
        default="required" if info.is_required() else _as_json(info.get_default(call_default_factory=True, validated_data={})),
        bounds=", ".join(_bounds(info.metadata)),
        search=_describe_search(search) if search else "",
        meaning=strip_markup(info.description or ""),
    )


def _as_json(value: Any) -> str:
    return json.dumps(value, default=_as_list_or_text)


def _as_list_or_text(value: Any) -> list[Any] | str:
    return list(cast(Collection[Any], value)) if isinstance(value, set | frozenset) else str(value)


def _bounds(metadata: Sequence[Any]) -> Iterator[str]:
    for constraint in metadata:
        for name, sign in _BOUNDS.items():
            if (bound := getattr(constraint, name, None)) is not None:
                yield f"{sign} {_format_number(bound)}"
        for name, words in _LENGTHS.items():
            if (length := getattr(constraint, name, None)) is not None:
                yield f"{words} {length} long"


def _describe_search(search: Search) -> str:
    if search.choices is not None:
        words = "one of " + ", ".join(map(_as_json, search.choices))
    else:
        words = f"{_format_number(search.low)} to {_format_number(search.high)}{', logarithmic' if search.log else ''}"
    return words + (f"; with {search.when[0]} {' or '.join(map(str, search.when[1:]))}" if search.when else "")


def _format_number(value: Any) -> str:
    """A number as a suite may contain it: large whole ones with underscores."""
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer() and abs(value) < 1e15)
    return f"{int(value):_}" if whole else f"{value:g}"


def strip_markup(documentation: str) -> str:
    """Documentation without markup, in one line."""
    return re.sub(r"``?([^`]+)``?", r"'\1'", " ".join(documentation.split()))


def _unwrap_annotated(annotation: Any) -> Any:
    return _unwrap_annotated(get_args(annotation)[0]) if get_origin(annotation) is Annotated else annotation
