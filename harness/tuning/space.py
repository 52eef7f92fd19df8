"""Which settings of a method are searched, and where: read from their annotations, changed by the suite.

A parameter is named as in the method's block of a suite: ``config.eta``, ``combine.intrinsic_weight``,
``algorithm.learning_rate``. Nothing here needs Optuna.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, Field, create_model, model_validator
from pydantic.fields import FieldInfo

from harness.config import Config, Search
from harness.errors import UserError, suggest
from harness.hooks import Method
from harness.places import KeyPath
from harness.plan import expand
from harness.problems import Problem, Refused, validate
from harness.registry import Registry
from harness.settings import plain
from harness.spec import Combination
from harness.suite_model import Suite

Value = bool | int | float | str | None
Values = Mapping[str, Value]


@dataclass(frozen=True)
class Condition:
    """A parameter has an effect only while another has one of some values."""

    name: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Parameter:
    """One setting that is searched.

    Attributes:
        name: Dotted, as in the method's block.
        default: Its value in the suite.
        whole: Whether a range holds whole numbers only.
        low, high: Ends of the range, both inclusive; ``None`` with choices.
        log: Whether the logarithm is searched.
        choices: Instead of a range.
        when: When it has an effect; ``None`` for always.
        meaning: From the setting's documentation.
    """

    name: str
    default: Value
    whole: bool = False
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[Value, ...] = ()
    when: Condition | None = None
    meaning: str = ""

    def active(self, values: Values) -> bool:
        """Whether it has an effect beside these values of the parameters before it."""
        return self.when is None or (self.when.name in values and values[self.when.name] in self.when.values)

    def holds(self, value: Value) -> bool:
        """Whether a value lies in the space."""
        if self.low is None or self.high is None:
            return any(value == choice and isinstance(value, bool) == isinstance(choice, bool) for choice in self.choices)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and self.low <= value <= self.high and (not self.whole or float(value).is_integer())  # type: ignore[operator, arg-type]

    def range_in_words(self) -> str:
        """Such as ``1e-05 to 0.01, logarithmic``."""
        if self.low is None or self.high is None:
            return "one of " + ", ".join("null" if choice is None else str(choice) for choice in self.choices)
        return f"{self.low:g} to {self.high:g}{', whole' if self.whole else ''}{', logarithmic' if self.log else ''}"


@dataclass(frozen=True)
class Space:
    """Everything that is searched, each parameter after the one that its condition names."""

    parameters: tuple[Parameter, ...]

    def default(self) -> dict[str, Value] | None:
        """The suite's own settings as a point of the space; ``None`` where they lie outside."""
        values: dict[str, Value] = {}
        for parameter in self.parameters:
            if parameter.active(values):
                if not parameter.holds(parameter.default):
                    return None
                values[parameter.name] = parameter.default
        return values

    def as_json(self) -> list[dict[str, Any]]:
        """For comparing and keeping; defaults and meanings are left out, for they change no trial."""
        return [
            {
                "name": parameter.name,
                "range": list(parameter.choices) or [parameter.low, parameter.high],
                "scale": "choices" if parameter.choices else "log" if parameter.log else "linear",
                "whole": parameter.whole,
                "when": [parameter.when.name, *parameter.when.values] if parameter.when else None,
            }
            for parameter in self.parameters
        ]


def nested(values: Values) -> dict[str, Any]:
    """Values by dotted name as the part of a method's block that they are.

    >>> nested({"config.eta": 0.5, "algorithm.gamma": 0.99})
    {'config': {'eta': 0.5}, 'algorithm': {'gamma': 0.99}}
    """
    block: dict[str, Any] = {}
    for name, value in values.items():
        *above, key = name.split(".")
        inner = block
        for step in above:
            inner = inner.setdefault(step, {})
        inner[key] = value
    return block


# --------------------------------------------------------------------------------------------------------------------
# From a suite
# --------------------------------------------------------------------------------------------------------------------
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
    def _agrees(self) -> RangeBlock:
        if self.choices is not None and any(part is not None for part in (self.low, self.high, self.log)):
            raise ValueError("choices stand alone, without low, high and log")
        return self


@dataclass(frozen=True)
class _Section:
    """A configuration in a method's block: its name there, its model, and its values before any tuning."""

    name: str
    model: type[BaseModel]
    current: Mapping[str, Any]


def suite_space(suite: Suite, method: str, registry: Registry) -> Space:
    """The search space of a suite's method, after its ``tune`` block.

    Raises:
        Refused: The block says something impossible.
        UserError: The space is empty.
    """
    block = suite.methods[method]
    spec = expand(suite.model_copy(update={"methods": {method: block}}), registry)[0]
    sections = []
    if spec.reward is not None:
        described = registry.method(spec.reward.name)
        sections.append(_Section("config", registry.config_class(described), spec.reward.config))
        sections.append(_Section("combine", Combination, spec.reward.combine.model_dump(mode="json")))
    algorithm = registry.config_class(registry.algorithm(spec.algorithm.name))
    sections.append(_Section("algorithm", algorithm, spec.algorithm.config))
    found, explicit = _with_changes(sections, suite.tune.space.get(method, {}), ("tune", "space", method))
    space = _sound(found, sections, explicit, ("tune", "space", method))
    return _chosen(space, suite.tune.parameters, method)


def problems(suite: Suite, registry: Registry, *, tuned: bool = False) -> list[Problem]:
    """What is wrong with the search spaces of a suite's methods.

    Args:
        suite: The suite.
        registry: Where its methods are looked up.
        tuned: Whether all of them are to be searched; else only what is written down for one by name must be sound.
    """
    found: list[Problem] = []
    for method in suite.methods:
        if not tuned and method not in suite.tune.space:
            continue
        try:
            suite_space(suite, method, registry)
        except Refused as refused:
            found += refused.problems
        except UserError as error:
            found.append(Problem(str(error), (("tune", "space", method), ("tune",))))
    return found


def method_space(method: Method, registry: Registry) -> Space:
    """The search space of an installed method with its first preset, on the first algorithm that it runs on."""
    presets = registry.presets(method)
    preset = next(iter(presets.values()), None)
    model, algorithm = registry.config_class(method), registry.config_class(registry.algorithm(method.algorithms[0]))
    config = model.model_validate(dict(preset.config) if preset else {})
    combine = Combination.model_validate(dict(preset.combine) if preset else {})
    sections = [
        _Section("config", model, config.model_dump(mode="json")),
        _Section("combine", Combination, combine.model_dump(mode="json")),
        _Section("algorithm", algorithm, algorithm.model_validate({}).model_dump(mode="json")),
    ]
    return _sound(_with_changes(sections, {}, ())[0], sections, set(), ())


def algorithm_space(model: type[BaseModel]) -> Space:
    """The search space of an algorithm alone, at its defaults."""
    section = _Section("algorithm", model, model.model_validate({}).model_dump(mode="json"))
    return _sound(_with_changes([section], {}, ())[0], [section], set(), ())


def _with_changes(
    sections: Sequence[_Section], changes: Mapping[str, Any], path: KeyPath
) -> tuple[dict[str, Parameter], set[str]]:
    """Annotated parameters with the suite's changes, and the names of those that the suite speaks of."""
    found = {parameter.name: parameter for section in sections for parameter in _annotated(section)}
    known, wrong = {section.name: section for section in sections}, []
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
        except Refused as refused:
            wrong += refused.problems
    if wrong:
        raise Refused(*wrong)
    return found, explicit


def _annotated(section: _Section) -> Iterator[Parameter]:
    for name, info, current in _fields(section.model, section.current, f"{section.name}."):
        search = next((item for item in info.metadata if isinstance(item, Search)), None)
        if search is not None:
            when = Condition(f"{name.rpartition('.')[0]}.{search.when[0]}", search.when[1:]) if search.when else None
            yield Parameter(
                name,
                current,
                whole=_is_whole(info.annotation),
                low=search.low,
                high=search.high,
                log=search.log,
                choices=search.choices or (),
                when=when,
                meaning=plain(info.description or ""),
            )


def _fields(model: type[BaseModel], current: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, FieldInfo, Any]]:
    """Every field with its dotted name and present value, nested configurations in place."""
    for name, info in model.model_fields.items():
        inner = _model_of(info.annotation)
        if inner is not None:
            yield from _fields(inner, current[name], f"{prefix}{name}.")
        else:
            yield prefix + name, info, current[name]


def _changed(
    section: _Section, changes: Any, found: Mapping[str, Parameter], path: KeyPath
) -> Iterator[tuple[str, Parameter | None]]:
    """Parameters as the suite wants them, ``None`` for those that it leaves alone."""
    fields = {name: (info, current) for name, info, current in _fields(section.model, section.current, f"{section.name}.")}
    for name, change, place in _leaves(changes, section.name, (*path, section.name), fields):
        info, current = fields[name]
        if change is None:
            yield name, None
            continue
        block = validate(
            RangeBlock, {"choices": change} if isinstance(change, list) else change, lambda key, at=place: ((*at, *key),)
        )
        start = found.get(name) or Parameter(name, current, whole=_is_whole(info.annotation))
        yield name, _merged(start, block, info, place, fields)


def _leaves(changes: Any, prefix: str, path: KeyPath, fields: Mapping[str, Any]) -> Iterator[tuple[str, Any, KeyPath]]:
    """Name, change and place of every setting that a nested mapping speaks of."""
    if not isinstance(changes, Mapping):
        raise Refused(Problem("expected a mapping from settings to ranges", (path,)))
    for key, change in changes.items():
        name = f"{prefix}.{key}"
        if name in fields:
            yield name, change, (*path, key)
        elif any(known.startswith(f"{name}.") for known in fields):
            yield from _leaves(change, name, (*path, key), fields)
        else:
            known = {field.removeprefix(f"{prefix}.").partition(".")[0] for field in fields if field.startswith(f"{prefix}.")}
            raise Refused(Problem(f"unknown setting {key!r}{suggest(key, known)}", ((*path, key),)))


def _merged(start: Parameter, block: RangeBlock, info: FieldInfo, place: KeyPath, fields: Mapping[str, Any]) -> Parameter:
    if block.choices is not None:
        parameter = replace(start, choices=block.choices, low=None, high=None, log=False)
    elif block.low is not None or block.high is not None or block.log is not None:
        low, high = (start.low if block.low is None else block.low), (start.high if block.high is None else block.high)
        if low is None or high is None:
            raise Refused(Problem("a range needs both low and high", (place,)))
        parameter = replace(start, choices=(), low=low, high=high, log=start.log if block.log is None else block.log)
        _check_range(parameter, info, place)
    else:
        parameter = start
        if not (start.choices or start.low is not None):
            raise Refused(Problem("expected low and high, or choices", (place,)))
    for value in parameter.choices or (parameter.low, parameter.high):
        _check_value(info, parameter.name, int(value) if parameter.whole and isinstance(value, float) else value, place)
    if block.when is not None:
        parameter = replace(parameter, when=_condition(parameter.name, block.when, place, fields))
    return parameter


def _check_range(parameter: Parameter, info: FieldInfo, place: KeyPath) -> None:
    assert parameter.low is not None
    assert parameter.high is not None
    if not _is_number(info.annotation):
        raise Refused(Problem(f"{parameter.name} is no number: give choices", (place,)))
    if parameter.low > parameter.high:
        raise Refused(Problem(f"low, {parameter.low:g}, is above high, {parameter.high:g}", (place,)))
    if parameter.log and parameter.low <= 0:
        raise Refused(Problem(f"a logarithmic range must begin above 0, not at {parameter.low:g}", (place,)))
    if parameter.whole and not (parameter.low.is_integer() and parameter.high.is_integer()):
        raise Refused(Problem(f"{parameter.name} is a whole number, and so must be low and high", (place,)))


def _check_value(info: FieldInfo, name: str, value: Value, place: KeyPath) -> None:
    """Refuse what the setting's own validation would refuse."""
    key = name.rpartition(".")[2]
    model = create_model("Setting", **{key: (Annotated[info.annotation, key, *info.metadata], ...)})  # type: ignore[call-overload]
    validate(model, {key: value}, lambda _: (place,), name)


def _condition(name: str, when: Mapping[str, Any], place: KeyPath, fields: Mapping[str, Any]) -> Condition:
    ((key, values),) = when.items()
    other = f"{name.rpartition('.')[0]}.{key}"
    if other not in fields:
        beside = {field.rpartition(".")[2] for field in fields if field.rpartition(".")[0] == name.rpartition(".")[0]}
        raise Refused(Problem(f"unknown setting {key!r}{suggest(key, beside)}", ((*place, "when", key),)))
    return Condition(other, tuple(values) if isinstance(values, list | tuple) else (values,))


# --------------------------------------------------------------------------------------------------------------------
# Conditions and choice
# --------------------------------------------------------------------------------------------------------------------
def _sound(found: Mapping[str, Parameter], sections: Sequence[_Section], explicit: Iterable[str], path: KeyPath) -> Space:
    """The parameters in an order in which conditions can be judged, without those that can have no effect."""
    fixed = {
        name: value for section in sections for name, _, value in _fields(section.model, section.current, f"{section.name}.")
    }
    waiting, placed, idle = dict(found), {}, []
    while waiting:
        ready = [p for p in waiting.values() if p.when is None or p.when.name not in waiting]
        if not ready:
            raise Refused(Problem(f"conditions go round in a circle: {', '.join(sorted(waiting))}", (path,)))
        for parameter in ready:
            del waiting[parameter.name]
            settled = _settled(parameter, placed, fixed)
            if settled is not None:
                placed[settled.name] = settled
            else:
                idle.append(parameter)
    for parameter in idle:
        if parameter.name in set(explicit) and parameter.when is not None:
            values = " or ".join(map(str, parameter.when.values))
            message = f"has an effect only with {parameter.when.name} {values}, not {fixed[parameter.when.name]}"
            raise Refused(Problem(message, ((*path, *parameter.name.split(".")),)))
    return Space(tuple(placed.values()))


def _settled(parameter: Parameter, placed: Mapping[str, Parameter], fixed: Values) -> Parameter | None:
    """The parameter with its condition, without one where it always holds, or ``None`` where it never does."""
    if parameter.when is None:
        return parameter
    other = placed.get(parameter.when.name)
    if other is not None:
        return parameter if other.low is not None or set(other.choices) & set(parameter.when.values) else None
    return replace(parameter, when=None) if fixed[parameter.when.name] in parameter.when.values else None


def _chosen(space: Space, patterns: Sequence[str] | None, method: str) -> Space:
    names = [parameter.name for parameter in space.parameters]
    for pattern in patterns or ():
        if not any(fnmatchcase(name, pattern) for name in names):
            message = f"unknown parameter {pattern!r} of method {method!r}{suggest(pattern, names)}"
            raise Refused(Problem(message, (("tune", "parameters"),)))
    kept = {name for name in names if patterns is None or any(fnmatchcase(name, pattern) for pattern in patterns)}
    if not kept:
        raise UserError(
            f"method {method!r} has nothing to search: no setting of it carries a range; give some under tune.space.{method}"
        )
    parameters = [parameter for parameter in space.parameters if parameter.name in kept]
    for parameter in parameters:
        if parameter.when is not None and parameter.when.name not in kept:
            message = f"{parameter.name} has an effect only with some {parameter.when.name}: search that too"
            raise Refused(Problem(message, (("tune", "parameters"),)))
    return Space(tuple(parameters))


# --------------------------------------------------------------------------------------------------------------------
# Types
# --------------------------------------------------------------------------------------------------------------------
def _bare(annotation: Any) -> list[Any]:
    """The members of a type, without annotations."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    members = (
        get_args(annotation) if not isinstance(annotation, type) and type(None) in get_args(annotation) else (annotation,)
    )
    return [inner for member in members for inner in (_bare(member) if member is not annotation else [annotation])]


def _model_of(annotation: Any) -> type[BaseModel] | None:
    (first, *_) = _bare(annotation)
    return first if isinstance(first, type) and issubclass(first, BaseModel) else None


def _is_whole(annotation: Any) -> bool:
    members = set(_bare(annotation)) - {type(None)}
    return members == {int}


def _is_number(annotation: Any) -> bool:
    members = set(map(str, _bare(annotation))) - {str(type(None))}
    return members <= {str(int), str(float)}
