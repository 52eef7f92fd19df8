"""What is searched: parameters with ranges, choices and conditions. Nothing here needs Optuna.

A parameter is named as in the method's block of a suite: ``config.eta``, ``combine.intrinsic_weight``,
``algorithm.learning_rate``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
        meaning: Documentation of the setting.
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

    def is_active(self, values: Values) -> bool:
        """Whether it has an effect beside these values of the parameters before it."""
        return self.when is None or (self.when.name in values and values[self.when.name] in self.when.values)

    def contains(self, value: Value) -> bool:
        """Whether a value lies in the space."""
        if self.low is None or self.high is None:
            return any(value == choice and isinstance(value, bool) == isinstance(choice, bool) for choice in self.choices)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and self.low <= value <= self.high and (not self.whole or float(value).is_integer())  # type: ignore[operator, arg-type]  # 'number' has ruled text out

    def range_in_words(self) -> str:
        """The range as people read it, such as ``1e-05 to 0.01, logarithmic``."""
        if self.low is None or self.high is None:
            return "one of " + ", ".join("null" if choice is None else str(choice) for choice in self.choices)
        return f"{self.low:g} to {self.high:g}{', whole' if self.whole else ''}{', logarithmic' if self.log else ''}"


@dataclass(frozen=True)
class SearchSpace:
    """Everything that is searched, each parameter after the one that its condition names."""

    parameters: tuple[Parameter, ...]

    def default(self) -> dict[str, Value] | None:
        """The suite's own settings as a point of the space; ``None`` where they lie outside."""
        values: dict[str, Value] = {}
        for parameter in self.parameters:
            if parameter.is_active(values):
                if not parameter.contains(parameter.default):
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
