"""The check of a family that tells where its environments are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from harness.environments.base import HarnessVecEnv
from harness.environments.places import NOWHERE, PlaceMap
from harness.testing.families.family import SEEDS, Family, Rollout, reset, step
from harness.testing.outcomes import CheckFailed, NotApplicable, require

_LONGEST_NAME = 40

RequireSame = Callable[[Rollout, Rollout, range, str], None]
"""Refuses two rollouts that differ in some environments, with a reason."""


def check_places(family: Family, require_same: RequireSame) -> None:
    """Where a family tells places, they are cells of its map, decided by seeds and actions, and telling changes nothing."""
    with family.environments() as env:
        if (place_map := _map(env)) is None:
            raise NotApplicable("environments do not tell where they are")
        seen, places = _follow(env, family, place_map, range(len(SEEDS)))
        require_same(family.rollout, seen, range(len(SEEDS)), "while somebody follows where environments are")
    with family.environments(threads=2) as env:
        again = _map(env)
        assert again is not None
        names = ("rows", "columns", "row_axis", "column_axis", "row_range", "column_range")
        same = all(getattr(again, name) == getattr(place_map, name) for name in names)
        require(same and np.array_equal(_walls(again), _walls(place_map)), "the same map every time", again)
        _, others = _follow(env, family, place_map, range(len(SEEDS))[::-1])
        require(np.array_equal(places, others[:, ::-1]), "the same places when seeds and actions change places", "others")


def _map(env: HarnessVecEnv) -> PlaceMap | None:
    try:
        place_map = cast(object, env.follow_places())
    except ValueError as error:
        raise CheckFailed(f"expected a map, got an error: {error}") from None
    require(place_map is None or isinstance(place_map, PlaceMap), "a PlaceMap, or None", type(place_map).__name__)
    found = cast(PlaceMap | None, place_map)
    if found is not None:
        for name in (found.row_axis, found.column_axis):
            require(0 < len(name) <= _LONGEST_NAME, f"names of axes of 1 to {_LONGEST_NAME} letters", repr(name))
        for ends in (found.row_range, found.column_range):
            require(ends is None or (np.isfinite(ends).all() and ends[0] != ends[1]), "two ends of an axis that differ", ends)
    return found


def _follow(env: HarnessVecEnv, family: Family, place_map: PlaceMap, columns: range) -> tuple[Rollout, np.ndarray]:
    """The kit's rollout again with its environments in another order, and the places that it comes to, ``(T, N)``."""
    env.enable_metrics()
    seen = reset(env, [SEEDS[i] for i in columns])
    told: list[np.ndarray] = []
    kept: list[np.ndarray] = []
    for actions in family.rollout.actions:
        step(env, seen, actions[list(columns)])
        told.append(_checked(env.places(), env.num_envs, place_map))
        kept.append(told[-1].copy())
    require(all(map(np.array_equal, told, kept)), "places that the caller may keep", "an array that a step has changed")
    return seen, np.stack(kept)


def _checked(places: Any, n: int, place_map: PlaceMap) -> np.ndarray:
    array: np.ndarray = np.asarray(places)
    good = isinstance(places, np.ndarray) and array.dtype == np.int64 and array.shape == (n,)
    require(good, f"places as int64 ({n},)", f"{array.dtype} {array.shape}")
    inside = (array >= NOWHERE) & (array < place_map.cells)
    require(bool(inside.all()), f"cells from 0 to {place_map.cells - 1}, or {NOWHERE} for none", array.tolist())
    return array


def _walls(place_map: PlaceMap) -> np.ndarray:
    return np.zeros((place_map.rows, place_map.columns), bool) if place_map.walls is None else place_map.walls
