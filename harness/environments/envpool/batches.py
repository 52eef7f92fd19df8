"""What a pool hands back for some of its environments: arrays in nested dictionaries, one row for each environment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np

TreeT = TypeVar("TreeT")


class StepResult(NamedTuple):
    """A step of n environments.

    Attributes:
        observations: As the pool gives them, an array or a dictionary.
        rewards: Reward of each environment, float32 ``(n,)``.
        terminated: Whether each episode ended by itself, bool ``(n,)``.
        truncated: Whether each episode was cut, bool ``(n,)``.
        info: As the pool gives it.
    """

    observations: Any
    rewards: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    info: dict[str, Any]

    @property
    def dones(self) -> np.ndarray:
        """Which episodes have ended, bool ``(n,)``."""
        return self.terminated | self.truncated


def sort_rows(tree: TreeT, info: dict[str, Any], envs: np.ndarray) -> TreeT:
    """The same with one row for each of ``envs``, in that order, whichever has come first.

    Args:
        tree: Arrays with one row for each environment that has answered.
        info: Theirs; ``env_id`` says who they are.
        envs: Who was asked, in ascending order.

    Raises:
        RuntimeError: Others have answered than were asked.
    """
    answered = info["env_id"]
    if len(answered) == len(envs) and (answered == envs).all():
        return tree
    order = np.argsort(answered)
    if not np.array_equal(answered[order], envs):
        raise RuntimeError(f"environments {envs.tolist()} were asked, {answered.tolist()} have answered")
    return _rows(tree, order)


def assign_rows(tree: Any, envs: np.ndarray, part: Any) -> None:
    """Overwrite the rows ``envs`` of every array in ``tree`` with those of ``part``."""
    if isinstance(tree, np.ndarray):
        tree[envs] = part
        return
    keys = cast(Iterable[Any], tree if isinstance(tree, dict) else range(len(tree)))
    for key in keys:
        assign_rows(tree[key], envs, part[key])


def _rows(tree: Any, order: np.ndarray) -> Any:
    if isinstance(tree, dict):
        return {key: _rows(part, order) for key, part in cast(dict[Any, Any], tree).items()}
    if isinstance(tree, StepResult):
        return StepResult(*(_rows(part, order) for part in tree))
    if isinstance(tree, tuple):
        return tuple(_rows(part, order) for part in cast(tuple[Any, ...], tree))
    return tree[order]
