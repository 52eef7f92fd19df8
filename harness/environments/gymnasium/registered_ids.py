"""The ids that Gymnasium brings, known without importing it: its import takes longer than most commands."""

from __future__ import annotations

import ast
import difflib
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from harness.errors import nearest

_ENTRY_POINTS = "gymnasium.envs"  # packages that Gymnasium imports by itself announce here the namespace of their ids
_ANY_NAMESPACE = "__root__"
_ALIKE = 0.6  # of two ids, from 0 to 1; names less alike than this would only mislead


@cache
def own_ids() -> tuple[str, ...]:
    """The ids that Gymnasium registers itself, in its order, older versions first; none if its source cannot be read."""
    found = find_spec("gymnasium")
    if found is None or found.origin is None:
        return ()
    try:
        tree = ast.parse((Path(found.origin).parent / "envs" / "__init__.py").read_text(encoding="utf-8"))
    except (OSError, SyntaxError):
        return ()
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "register")
    values = [keyword.value for call in calls for keyword in call.keywords if keyword.arg == "id"]
    return tuple(value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str))


def is_surely_unknown(env_id: str) -> bool:
    """Whether no package that Gymnasium imports by itself can have registered this id."""
    announced = {entry_point.name for entry_point in entry_points(group=_ENTRY_POINTS)}
    namespace = env_id.rpartition("/")[0]
    return bool(own_ids()) and env_id not in own_ids() and not announced & {namespace, _ANY_NAMESPACE}


def unknown_id_message(env_id: str, known: tuple[str, ...]) -> str:
    """What to tell about an id that nobody has registered.

    Args:
        env_id: The id as it was written.
        known: The ids that are registered, at least one.
    """
    meant = nearest(env_id, known)
    alike = difflib.SequenceMatcher(None, env_id.lower(), meant.lower()).ratio() >= _ALIKE
    hint = f": did you mean {meant!r}? If" if alike else "; if"
    remedy = "another package brings it, install that package and name the module that registers it under 'import'"
    return f"no environment {env_id!r} is registered{hint} {remedy}"
