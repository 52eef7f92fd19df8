"""Counting where a run goes: which cells of its environment's map its steps lead to, and the bonus that they earn there.

Each step's places are kept as they come and counted once an iteration. Nothing that is learned or logged depends on it, and
the counts are a part of the checkpoint, so that a resumed run's file is that of an unbroken one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from pydantic import ValidationError

from harness.algorithms.on_policy.intrinsic import IntrinsicRewardVecEnv
from harness.environments.places import PlaceMap
from harness.errors import RunError
from harness.runs.folder import RunFolder
from harness.runs.visits import MARKS, MapRecord, Stretch, VisitRecord, remove_visits, write_visits
from harness.spec import RunSpec
from harness.training.assembly import Assembly


class VisitCounter:
    """Follows the environments of a run under way, if their family tells where they are.

    Bonuses are those of on-policy learners, as `IntrinsicRewardVecEnv.bonuses` has them. Off-policy a bonus belongs to a
    sampled batch and not to a step, so that visits alone are counted.

    Args:
        spec: Specification of the run.
        assembly: Objects that train it, whose environments have not been reset yet.
        folder: The folder of the run.
    """

    def __init__(self, spec: RunSpec, assembly: Assembly, folder: RunFolder) -> None:
        self._spec, self._folder = spec, folder
        self._learner_env, self._bonus_env = assembly.learner_env, assembly.bonus_env
        self._name, self._n_envs = type(assembly.base).__name__, assembly.base.num_envs
        self._map = self._checked_map(assembly.base.follow_places())
        self._stretches: list[Stretch] = []
        self._first_step = spec.first_step
        size = self._map.cells if self._map else 0
        self._visits = np.zeros(size, np.int64)
        one_rollout = assembly.learner.vector_steps_per_iteration
        has_bonuses = isinstance(self._bonus_env, IntrinsicRewardVecEnv) and self._bonus_env.n_steps == one_rollout
        self._bonuses = np.zeros(size) if has_bonuses else None

    def begin(self, state: Mapping[str, Any] | None = None) -> None:
        """Begin to count, when the environments have been reset for training.

        Args:
            state: What the checkpoint holds of it, ``None`` for a run that begins. A run that was saved without counts, or
                on another map, is no longer counted: half of where it went would say nothing.
        """
        remove_visits(self._folder)  # of stretches that the run goes through again, or of another map
        if self._map is None or (state is not None and not self._restore(state)):
            self._map = self._learner_env.arrivals = None
            return
        self._learner_env.arrivals = []
        self._write()

    def count(self, step: int) -> None:
        """Count an iteration.

        Args:
            step: Steps taken so far.
        """
        arrivals = self._learner_env.arrivals
        if self._map is None or not arrivals:
            return
        places = self._checked_places(arrivals, self._map.cells)
        arrivals.clear()
        inside = places >= 0
        self._visits += np.bincount(places[inside], minlength=self._map.cells)
        if self._bonuses is not None and isinstance(self._bonus_env, IntrinsicRewardVecEnv):
            earned = self._bonus_env.bonuses.ravel()
            self._bonuses += np.bincount(places[inside], earned[inside], self._map.cells)
        if self._close_stretches(step):
            self._write()

    def state(self) -> dict[str, Any] | None:
        """What `begin` needs, as a part of the checkpoint's tree; ``None`` where nothing is counted."""
        if self._map is None:
            return None
        cells = np.flatnonzero(self._visits)
        bonuses = None if self._bonuses is None else self._bonuses[cells]
        return {
            "map": self._map_record(self._map).model_dump_json(),
            "stretches": [stretch.model_dump_json() for stretch in self._stretches],
            "first_step": self._first_step,
            "cells": cells,
            "visits": self._visits[cells],
            "bonuses": bonuses,
        }

    def _checked_map(self, place_map: object) -> PlaceMap | None:
        """The map, if it is one that can be written.

        Raises:
            RunError: The family gives something else.
        """
        if place_map is None:
            return None
        if not isinstance(place_map, PlaceMap):
            raise RunError(
                f"{self._name}.follow_places() returned {type(place_map).__name__}, where a PlaceMap or None is due"
            )
        try:
            self._map_record(place_map)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "map"
            raise RunError(
                f"{self._name}.follow_places() returned a map that cannot be kept ({where}: {first['msg']})"
            ) from None
        return place_map

    def _checked_places(self, arrivals: Sequence[object], cells: int) -> np.ndarray:
        """The cells that steps have led to, one after the other.

        Raises:
            RunError: They are no cells of the map.
        """
        for told in arrivals:
            if not isinstance(told, np.ndarray) or told.shape != (self._n_envs,) or told.dtype.kind != "i":
                raise RunError(f"{self._name}.places() returned {told!r:.80}, where int64 ({self._n_envs},) is due")
        places = np.concatenate(cast(Sequence[np.ndarray], arrivals))
        if places.max() >= cells:
            raise RunError(f"{self._name}.places() returned {places.max()}, where the map's last cell is {cells - 1}")
        return places

    def _restore(self, state: Mapping[str, Any]) -> bool:
        assert self._map is not None
        if state.get("map") != self._map_record(self._map).model_dump_json():
            return False
        if (state["bonuses"] is None) != (self._bonuses is None):
            return False
        self._stretches = [Stretch.model_validate_json(stretch) for stretch in state["stretches"]]
        self._first_step = state["first_step"]
        self._visits[state["cells"]] = state["visits"]
        if self._bonuses is not None:
            self._bonuses[state["cells"]] = state["bonuses"]
        return True

    def _close_stretches(self, step: int) -> bool:
        """End the stretches that ``step`` steps complete; returns whether there was any."""
        spec, before = self._spec, len(self._stretches)
        for mark in MARKS[before:]:
            if step < spec.first_step + mark * (spec.steps - spec.first_step):
                break
            cells = np.flatnonzero(self._visits)
            means = None if self._bonuses is None else (self._bonuses[cells] / self._visits[cells]).tolist()
            facts: dict[str, Any] = {"first_step": self._first_step, "last_step": step, "bonus": means}
            self._stretches.append(Stretch(mark=mark, cells=cells.tolist(), visits=self._visits[cells].tolist(), **facts))
            self._first_step = step
            self._visits[:] = 0
            if self._bonuses is not None:
                self._bonuses[:] = 0
        return len(self._stretches) > before

    def _write(self) -> None:
        if self._map is not None and self._stretches:
            record = self._map_record(self._map)
            write_visits(self._folder, VisitRecord(digest=self._spec.digest, map=record, stretches=self._stretches))

    @staticmethod
    def _map_record(place_map: PlaceMap) -> MapRecord:
        walls = [] if place_map.walls is None else np.flatnonzero(place_map.walls).tolist()
        names = ("rows", "columns", "row_axis", "column_axis", "row_range", "column_range")
        return MapRecord(walls=walls, **{name: getattr(place_map, name) for name in names})
