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


def own_ids() -> tuple[str, ...]:
    """The ids that Gymnasium registers itself, in its order, older versions first; none if its source cannot be read."""
    return tuple(_own_limits())


def own_step_limit(env_id: str) -> int | None:
    """Steps after which an episode of one of these is cut; ``None`` for any other id, and for one without a limit."""
    return _own_limits().get(env_id)


@cache
def _own_limits() -> dict[str, int | None]:
    """The limits of steps by id."""
    found = find_spec("gymnasium")
    if found is None or found.origin is None:
        return {}
    try:
        tree = ast.parse((Path(found.origin).parent / "envs" / "__init__.py").read_text(encoding="utf-8"))
    except (OSError, SyntaxError):
        return {}
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "register")
    limits: dict[str, int | None] = {}
    for call in calls:
        given = {keyword.arg: keyword.value.value for keyword in call.keywords if isinstance(keyword.value, ast.Constant)}
        env_id, limit = given.get("id"), given.get("max_episode_steps")
        if isinstance(env_id, str):
            limits[env_id] = limit if isinstance(limit, int) else None
    return limits


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
