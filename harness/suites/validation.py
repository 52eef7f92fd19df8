"""What is wrong with a suite, in words for people: from pydantic's errors to one line for each mistake.

Checks find a `Problem`, which knows the paths at which its cause may have been written; `to_suite_errors` looks those
up in the tree of what was written, which gives a `SuiteError` with file and line each; `combine_errors` makes them one.
"""

from __future__ import annotations

import difflib
import json
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness.errors import SuiteError, shorten, suggest
from harness.registry import Registry
from harness.suites.locations import KeyPath, Node, SourceLocation
from harness.suites.misplaced import right_place

ModelT = TypeVar("ModelT", bound=BaseModel)

_MAX_EXACT_INTEGER = 2**53
_EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "none_required": "nothing (null)",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
}


@dataclass(frozen=True)
class Problem:
    """One mistake.

    Attributes:
        message: What was wrong and what would be right.
        paths: Where its cause may have been written, likeliest first; if nowhere, the last one says what is missing.
        unknown_key: Whether it is about a key that has no meaning; the rest can be judged without it.
    """

    message: str
    paths: tuple[KeyPath, ...]
    unknown_key: bool = False


class ValidationFailed(Exception):
    """One or more problems on their way from a check to `to_suite_errors`; never leaves the harness."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("; ".join(problem.message for problem in problems))


class SuiteErrors(SuiteError):
    """Several mistakes in one suite, one line each.

    Attributes:
        errors: Each of them, by line.
    """

    def __init__(self, errors: Sequence[SuiteError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(map(str, errors)))
        self.file = errors[0].file


def to_suite_errors(problems: Iterable[Problem], tree: Node, registry: Registry | None = None) -> list[SuiteError]:
    """The errors that name the locations of problems in what was written.

    Args:
        problems: What is wrong.
        tree: What was written.
        registry: Where it is looked up what a misplaced key may belong to; what is installed by default.
    """
    errors: list[SuiteError] = []
    for problem in problems:
        location, rest = _locate(problem, tree)
        errors.append(location.error(_message(problem, tree, registry), *rest))
    return errors


def _message(problem: Problem, tree: Node, registry: Registry | None) -> str:
    """What a problem says, with the right place of a key that belongs elsewhere."""
    written = next((path for path in problem.paths if not tree.find(path)[1]), None)
    if not problem.unknown_key or not written or not (place := right_place(written, tree, registry)):
        return problem.message
    about, unknown, _ = problem.message.partition("unknown key")
    return f"{about}{unknown} {shorten(str(written[-1]))!r}: {place}"


def combine_errors(errors: Sequence[SuiteError]) -> SuiteError:
    """All errors as one, each once and in the order of lines: the error itself if it is alone, else `SuiteErrors`."""
    distinct = {str(error): error for error in errors}
    ordered = sorted(distinct.values(), key=lambda error: (error.line is None, error.line or 0))
    return ordered[0] if len(ordered) == 1 else SuiteErrors(ordered)


def _locate(problem: Problem, tree: Node) -> tuple[SourceLocation, KeyPath]:
    node, rest = tree, ()
    for path in problem.paths:
        node, rest = tree.find(path)
        if not rest:
            break
    return node.location, rest


# --------------------------------------------------------------------------------------------------------------------
# Validation
# --------------------------------------------------------------------------------------------------------------------
def validate(
    model: type[ModelT], data: Mapping[str, Any], source_paths: Callable[[KeyPath], tuple[KeyPath, ...]], about: str = ""
) -> ModelT:
    """The model of plain data, strictly: text is no number and true is no 1, but a whole ``1e6`` is a whole number.

    Args:
        model: The pydantic model.
        data: What YAML gives, or plain Python of that kind.
        source_paths: Map from a path in ``data`` to the paths where it may have been written, for `Problem.paths`.
        about: What the data configure, such as ``"method 'rnd'"``, to be named in messages.

    Raises:
        ValidationFailed: With every problem of the data.
    """
    try:
        # as JSON because pydantic's strict mode takes a list for a tuple, and text for an enumeration, only from there
        return model.model_validate_json(json.dumps(_floats_to_integers(data)), strict=True)
    except ValidationError as error:
        prefix = f"{about}: " if about else ""
        translated = _translated_errors(error, model, data)
        raise ValidationFailed(
            *(
                Problem(prefix + text, _likeliest_first(map(source_paths, paths)), unknown)
                for paths, text, unknown in translated
            )
        ) from None


def describe_value(value: Any) -> str:
    """A value as the writer of a suite knows it.

    >>> describe_value("many"), describe_value(1.5), describe_value(None)
    ('"many" (text)', '1.5', 'nothing')
    """
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"{json.dumps(shorten(value, most=60), ensure_ascii=False)} (text)"
    if isinstance(value, Mapping):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, Sequence):
        return "a list" if value else "an empty list"
    return shorten(json.dumps(value))


def _floats_to_integers(data: Any) -> Any:
    """The same data with whole floats as integers."""
    if isinstance(data, Mapping):
        return {key: _floats_to_integers(value) for key, value in cast(Mapping[Any, Any], data).items()}
    if isinstance(data, (list, tuple)):
        return [_floats_to_integers(value) for value in cast(Sequence[Any], data)]
    return int(data) if isinstance(data, float) and abs(data) < _MAX_EXACT_INTEGER and data.is_integer() else data


def _likeliest_first(source_paths: Iterable[tuple[KeyPath, ...]]) -> tuple[KeyPath, ...]:
    """The likeliest path of each problem, then the second of each, and so on."""
    return tuple(path for rank in zip_longest(*source_paths) for path in rank if path is not None)


def _translated_errors(error: ValidationError, model: type[BaseModel], data: Any) -> Iterator[tuple[list[KeyPath], str, bool]]:
    """Paths, message and whether it is an unknown key; the branches of a union speak with one voice."""
    by_path: dict[KeyPath, list[ErrorDetails]] = {}
    for details in error.errors(include_url=False):
        by_path.setdefault(_path(details, data), []).append(details)
    for path, branches in by_path.items():
        first, expected = branches[0], [_expected(details) for details in branches]
        if all(expected):
            yield [path], _expectation_message(" or ".join(dict.fromkeys(filter(None, expected))), first["input"]), False
        elif first["type"] == "extra_forbidden":
            yield [path], _unknown_key_message(path, model), True
        else:
            text = _error_message(first, path, model)
            keys = _mentioned_keys(text, first["input"])
            yield [(*path, key) for key in keys] or [path], text, False


def _path(details: ErrorDetails, data: Any) -> KeyPath:
    """The error's location without the labels that pydantic adds for unions and keys."""
    path: list[str | int] = []
    for key in details["loc"]:
        if isinstance(data, Mapping) and key in data:
            data = cast(Mapping[Any, Any], data)[str(key)]
        elif isinstance(data, (list, tuple)) and isinstance(key, int) and key < len(cast(Sequence[Any], data)):
            data = cast(Sequence[Any], data)[key]
        else:
            continue
        path.append(key)
    return (*path, details["loc"][-1]) if details["type"] == "missing" else tuple(path)


def _expected(details: ErrorDetails) -> str | None:
    template = _EXPECTED.get(details["type"])
    return template and template.format(**details.get("ctx", {}))


def _expectation_message(expected: str, value: Any) -> str:
    choices = re.findall(r"'([^']*)'", expected)
    close = difflib.get_close_matches(value, choices, n=1, cutoff=0.5) if isinstance(value, str) else []
    return f"expected {expected}, got {describe_value(value)}" + (f": did you mean {close[0]!r}?" if close else "")


def _unknown_key_message(path: KeyPath, model: type[BaseModel]) -> str:
    models = list(_models_at(model, path[:-1]))
    known = {field.alias or name for found in models for name, field in found.model_fields.items()}
    hints = (getattr(found, "unknown_key_hint", "") for found in models)
    return "; ".join([f"unknown key {shorten(str(path[-1]))!r}{suggest(str(path[-1]), known)}", *filter(None, hints)])


def _error_message(details: ErrorDetails, path: KeyPath, model: type[BaseModel]) -> str:
    if details["type"] == "missing":
        fields = [found.model_fields.get(str(path[-1])) for found in _models_at(model, path[:-1])]
        meaning = next((field.description for field in fields if field and field.description), "")
        return f"missing: {' '.join(meaning.split())}" if meaning else "missing"
    if details["type"] in ("value_error", "assertion_error"):  # a validator's own words
        return " ".join(str(details.get("ctx", {}).get("error", details["msg"])).split())
    message = details["msg"].removeprefix("Input ")
    return f"{message[:1].lower()}{message[1:]}, got {describe_value(details['input'])}"


def _mentioned_keys(text: str, data: Any) -> list[str]:
    """The keys of a mapping that a validator's message speaks of."""
    words = re.findall(r"\w+", text) if isinstance(data, Mapping) else []
    return [word for word in dict.fromkeys(words) if word in data]


def _models_at(annotation: Any, path: KeyPath) -> Iterator[type[BaseModel]]:
    """The models that a path leads to, below an annotation."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Annotated, Union, types.UnionType):
        for option in arguments[:1] if origin is Annotated else arguments:
            yield from _models_at(option, path)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not path:
            yield annotation
        elif field := annotation.model_fields.get(str(path[0])):
            yield from _models_at(field.annotation, path[1:])
    elif path and arguments and isinstance(origin, type):
        yield from _models_at(arguments[1 if issubclass(origin, Mapping) else 0], path[1:])
