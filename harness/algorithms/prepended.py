"""Classes of objects that are there already, with something before them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

ClassT = TypeVar("ClassT", bound=type)


@cache
def prepended(first: type, kind: ClassT, answer: Callable[..., Any] | None = None) -> ClassT:
    """The class ``kind`` under its own name, with ``first`` before it; always the same for the same arguments.

    Args:
        first: The class whose methods come first.
        kind: The class that an object has.
        answer: What the new class has as ``_answer``; nothing if not given.
    """
    members: dict[str, Any] = {"__module__": kind.__module__}
    if answer is not None:
        members["_answer"] = answer
    made: Any = type(kind.__name__, (first, kind), members)
    return made
