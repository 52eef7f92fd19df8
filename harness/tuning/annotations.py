"""Parameters as the annotations of configurations give them, and as a suite's ``tune: space:`` changes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, cast, get_args, get_origin

from pydantic import BaseModel, Field, create_model, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from harness.config import Config, Search
from harness.config.describe import strip_markup
from harness.errors import suggest
from harness.suites.locations import KeyPath
from harness.suites.validation import Problem, ValidationFailed, validate
from harness.tuning.parameters import Condition, Parameter, Value


class RangeBlock(Config):
    """What a suite may say about one setting under ``tune.space``."""

    low: float | None = None
    """Smallest value, inclusive."""

    high: float | None = None
    """Largest value, inclusive."""

    log: bool | None = None
    """Whether the logarithm is searched."""

    choices: tuple[Value, ...] | None = Field(default=None, min_length=1)
    """The candidates, instead of a range."""

    when: dict[str, Value | tuple[Value, ...]] | None = Field(default=None, min_length=1, max_length=1)
    """A setting beside this one, and its value or values with which this one has an effect."""

    @model_validator(mode="after")
    def _check_consistent(self) -> RangeBlock:
        if self.choices is not None and any(part is not None for part in (self.low, self.high, self.log)):
            raise ValueError("choices stand alone, without low, high and log")
        return self


@dataclass(frozen=True)
class TunableConfig:
    """A configuration in a method's block: its name there, its model, and its values before any tuning."""

    name: str
    model: type[BaseModel]
    current: Mapping[str, Any]


def apply_changes(
    tunables: Sequence[TunableConfig], changes: Mapping[str, Any], path: KeyPath, learner: str
) -> tuple[dict[str, Parameter], set[str]]:
    """Annotated parameters with the suite's changes, and the names of those that the suite changes.

    Args:
        tunables: The configurations of the method's block.
        changes: What the suite says of them under ``tune.space``.
        path: Where the suite says it.
        learner: Whether the algorithm is ``on_policy`` or ``off_policy``; settings annotated for the other are searched only
            where the suite gives a range itself.
    """
    found = {parameter.name: parameter for tunable in tunables for parameter in _annotated_parameters(tunable, learner)}
    known, wrong = {tunable.name: tunable for tunable in tunables}, list[Problem]()
    explicit: set[str] = set()
    for name, change in changes.items():
        if name not in known:
            wrong.append(Problem(f"unknown block {name!r}{suggest(name, known)}", ((*path, name),)))
            continue
        try:
            for parameter_name, parameter in _changed(known[name], change, found, path):
                explicit.add(parameter_name)
                found.pop(parameter_name, None)
                if parameter is not None:
                    found[parameter_name] = parameter
        except ValidationFailed as failure:
            wrong += failure.problems
    if wrong:
        raise ValidationFailed(*wrong)
    return found, explicit


def _annotated_parameters(tunable: TunableConfig, learner: str) -> Iterator[Parameter]:
    for name, info, current in fields_of(tunable.model, tunable.current, f"{tunable.name}."):
        search = next((item for item in info.metadata if isinstance(item, Search)), None)
        if search is not None and search.learner in (None, learner):
            when = Condition(f"{name.rpartition('.')[0]}.{search.when[0]}", search.when[1:]) if search.when else None
            yield Parameter(
                name,
                current,
                whole=_is_integer(info.annotation),
                low=search.low,
                high=search.high,
                log=search.log,
                choices=search.choices or (),
                when=when,
                meaning=strip_markup(info.description or ""),
            )


def fields_of(model: type[BaseModel], current: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, FieldInfo, Any]]:
    """Every field with its dotted name and present value, nested configurations in key_path."""
    for name, info in model.model_fields.items():
        inner = _model_of(info.annotation)
        if inner is not None:
            yield from fields_of(inner, current.get(name, {}), f"{prefix}{name}.")
        else:
            yield prefix + name, info, current[name] if name in current else _default(info)


def present_values(config: BaseModel) -> dict[str, Any]:
    """The value of every field as JSON would hold it, those that a dump leaves out included."""
    return {name: to_jsonable_python(getattr(config, name)) for name in type(config).model_fields}


def _default(info: FieldInfo) -> Any:
    """The value of a field that a run's record leaves out, as it does where a newer field is at its default."""
    return to_jsonable_python(info.get_default(call_default_factory=True, validated_data={}))


def _changed(
    tunable: TunableConfig, changes: Any, found: Mapping[str, Parameter], path: KeyPath
) -> Iterator[tuple[str, Parameter | None]]:
    """Parameters as changed by the suite, ``None`` for those that it excludes."""
    fields = {name: (info, current) for name, info, current in fields_of(tunable.model, tunable.current, f"{tunable.name}.")}
    for name, change, key_path in _leaves(changes, tunable.name, (*path, tunable.name), fields):
        info, current = fields[name]
        if change is None:
            yield name, None
            continue
        block = validate(
            RangeBlock, {"choices": change} if isinstance(change, list) else change, lambda key, at=key_path: ((*at, *key),)
        )
        start = found.get(name) or Parameter(name, current, whole=_is_integer(info.annotation))
        yield name, _apply_range(start, block, info, key_path, fields)


def _leaves(changes: Any, prefix: str, path: KeyPath, fields: Mapping[str, Any]) -> Iterator[tuple[str, Any, KeyPath]]:
    """Name, change and key path of every setting in a nested mapping."""
    if not isinstance(changes, Mapping):
        raise ValidationFailed(Problem("expected a mapping from settings to ranges", (path,)))
    entries = cast(Mapping[str, Any], changes)
    for key, change in entries.items():
        name = f"{prefix}.{key}"
        if name in fields:
            yield name, change, (*path, key)
        elif any(known.startswith(f"{name}.") for known in fields):
            yield from _leaves(change, name, (*path, key), fields)
        else:
            known = {field.removeprefix(f"{prefix}.").partition(".")[0] for field in fields if field.startswith(f"{prefix}.")}
            raise ValidationFailed(Problem(f"unknown setting {key!r}{suggest(key, known)}", ((*path, key),)))


def _apply_range(
    start: Parameter, block: RangeBlock, info: FieldInfo, key_path: KeyPath, fields: Mapping[str, Any]
) -> Parameter:
    if block.choices is not None:
        parameter = replace(start, choices=block.choices, low=None, high=None, log=False)
    elif block.low is not None or block.high is not None or block.log is not None:
        low, high = (start.low if block.low is None else block.low), (start.high if block.high is None else block.high)
        if low is None or high is None:
            raise ValidationFailed(Problem("a range needs both low and high", (key_path,)))
        parameter = replace(start, choices=(), low=low, high=high, log=start.log if block.log is None else block.log)
        _check_range(parameter, info, key_path)
    else:
        parameter = start
        if not (start.choices or start.low is not None):
            raise ValidationFailed(Problem("expected low and high, or choices", (key_path,)))
    for value in parameter.choices or (parameter.low, parameter.high):
        _check_value(info, parameter.name, int(value) if parameter.whole and isinstance(value, float) else value, key_path)
    if block.when is not None:
        parameter = replace(parameter, when=_condition(parameter.name, block.when, key_path, fields))
    return parameter


def _check_range(parameter: Parameter, info: FieldInfo, key_path: KeyPath) -> None:
    assert parameter.low is not None
    assert parameter.high is not None
    if not _is_number(info.annotation):
        raise ValidationFailed(Problem(f"{parameter.name} is no number: give choices", (key_path,)))
    if parameter.low > parameter.high:
        raise ValidationFailed(Problem(f"low, {parameter.low:g}, is above high, {parameter.high:g}", (key_path,)))
    if parameter.log and parameter.low <= 0:
        raise ValidationFailed(Problem(f"a logarithmic range must begin above 0, not at {parameter.low:g}", (key_path,)))
    if parameter.whole and not (parameter.low.is_integer() and parameter.high.is_integer()):
        raise ValidationFailed(Problem(f"{parameter.name} is a whole number, and so must be low and high", (key_path,)))


def _check_value(info: FieldInfo, name: str, value: Value, key_path: KeyPath) -> None:
    """Refuse what the setting's own validation would refuse."""
    key = name.rpartition(".")[2]
    field: dict[str, Any] = {key: (Annotated[info.annotation, key, *info.metadata], ...)}
    model = create_model("Setting", **field)
    validate(model, {key: value}, lambda _: (key_path,), name)


def _condition(name: str, when: Mapping[str, Any], key_path: KeyPath, fields: Mapping[str, Any]) -> Condition:
    ((key, values),) = when.items()
    other = f"{name.rpartition('.')[0]}.{key}"
    if other not in fields:
        beside = {field.rpartition(".")[2] for field in fields if field.rpartition(".")[0] == name.rpartition(".")[0]}
        raise ValidationFailed(Problem(f"unknown setting {key!r}{suggest(key, beside)}", ((*key_path, "when", key),)))
    several = cast(Sequence[Value], values) if isinstance(values, list | tuple) else (values,)
    return Condition(other, tuple(several))


def _unwrapped_members(annotation: Any) -> list[Any]:
    """The members of a type, without annotations."""
    if get_origin(annotation) is Annotated:
        return _unwrapped_members(get_args(annotation)[0])
    members = (
        get_args(annotation) if not isinstance(annotation, type) and type(None) in get_args(annotation) else (annotation,)
    )
    return [
        inner for member in members for inner in (_unwrapped_members(member) if member is not annotation else [annotation])
    ]


def _model_of(annotation: Any) -> type[BaseModel] | None:
    (first, *_) = _unwrapped_members(annotation)
    return first if isinstance(first, type) and issubclass(first, BaseModel) else None


def _is_integer(annotation: Any) -> bool:
    members = set(_unwrapped_members(annotation)) - {type(None)}
    return members == {int}


def _is_number(annotation: Any) -> bool:
    members = set(map(str, _unwrapped_members(annotation))) - {str(type(None))}
    return members <= {str(int), str(float)}
