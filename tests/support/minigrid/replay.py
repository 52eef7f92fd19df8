"""A level that was seen somewhere else, rebuilt in the package minigrid, where the same actions are taken."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from minigrid.core.grid import Grid
from minigrid.core.world_object import Ball, Box, Key, Wall, WorldObj

from harness_minigrid.config import MiniGridConfig
from harness_minigrid.worlds import make_original
from support.minigrid.play import Episode
from support.minigrid.world import BALL, BOX, COLOURS, KEY, KINDS, Cell, Place, Player

_MARGIN = 8  # cells of wall around what was seen: more than a view
_NOWHERE = (-9, -9)
_CONTENTS = {KEY: Key, BALL: Ball, BOX: Box}


@dataclass(frozen=True)
class Difference:
    """Where an episode and its copy part.

    Attributes:
        step: Number of the action, 0 for the first observation.
        what: ``view``, ``direction``, ``reward`` or ``end``.
        theirs: What minigrid says.
        ours: What the episode says.
    """

    step: int
    what: str
    theirs: Any
    ours: Any


def can_be_replayed(episode: Episode, task: str) -> bool:
    """Whether enough has been seen to know the rules: in Memory, where a wrong end may be, all three objects."""
    objects = [cell for cell in episode.player.first.values() if cell[0] in (KEY, BALL)]
    return not task.startswith("Memory") or len(objects) == 3


def replay(episode: Episode, config: MiniGridConfig) -> Difference | None:
    """The first difference between an episode and its copy in minigrid, if there is one.

    Args:
        episode: Of a task whose levels do not move by themselves, from its first observation to its last.
        config: Names the task.
    """
    env = _Copy(episode.player, config).env
    observation = env.reset(seed=0)[0]
    if difference := _compare(0, observation, episode):
        return difference
    last = len(episode.actions)
    for step, (action, reward) in enumerate(zip(episode.actions, episode.rewards, strict=True), 1):
        observation, theirs, terminated, truncated, _ = env.step(action)
        if difference := _compare(step, observation, episode):
            return difference
        if abs(float(theirs) - reward) > 1e-6:
            return Difference(step, "reward", theirs, reward)
        ours = (step == last and episode.terminated, step == last)
        unseen = truncated and not reward  # EnvPool does not tell an end without a reward from the limit
        if bool(terminated or truncated) != ours[1] or (bool(terminated) != ours[0] and not unseen):
            return Difference(step, "end", (terminated, truncated), ours)
    return None


def _compare(step: int, observation: dict[str, Any], episode: Episode) -> Difference | None:
    player_view = episode.player_views[step]
    if not np.array_equal(observation["image"], player_view.cells):
        return Difference(step, "view", observation["image"], player_view.cells)
    if observation["direction"] != player_view.direction:
        return Difference(step, "direction", observation["direction"], player_view.direction)
    return None


class _Copy:
    """A task's own environment whose next level is the one that was seen; what was not seen is wall.

    Args:
        player: Who saw it.
        config: Names the task.
    """

    def __init__(self, player: Player, config: MiniGridConfig) -> None:
        self._player, self._task = player, config.task
        self._left, self._top = (min(place[axis] for place in player.first) - _MARGIN for axis in (0, 1))
        self.env: Any = make_original(config)
        self.env._gen_grid = self._generate  # the one thing in which tasks differ beside their rules

    def _generate(self, *_: int) -> None:
        env, player = self.env, self._player
        width, height = (max(place[axis] for place in player.first) + _MARGIN + 1 for axis in (0, 1))
        width, height = width - self._left, height - self._top
        env.grid = Grid(width, height)
        for x in range(width):
            for y in range(height):
                env.grid.set(x, y, Wall())
        for place, cell in player.first.items():
            env.grid.set(*self._moved(place), self._object(place, cell))
        env.agent_pos, env.agent_dir = self._moved((0, 0)), player.first_direction
        env.mission = " ".join(player.words)
        self._set_goal()

    def _object(self, place: Place, cell: Cell) -> WorldObj | None:
        made = WorldObj.decode(*cell)
        inside = self._player.inside.get(place)
        if isinstance(made, Box) and inside is not None:
            made.contains = _CONTENTS[inside[0]](COLOURS[inside[1]])
        return made

    def _moved(self, place: Place) -> Place:
        return place[0] - self._left, place[1] - self._top

    def _find(self, colour: str, kind: str) -> Place | None:
        wanted = (KINDS[kind], COLOURS.index(colour))
        found = [place for place, cell in self._player.first.items() if cell[:2] == wanted]
        return self._moved(found[0]) if found else None

    def _set_goal(self) -> None:
        """What the rules of the tasks remember of their goals."""
        env, words, task = self.env, self._player.words, self._task
        named = [pair for pair in itertools.pairwise(words) if pair[0] in COLOURS and pair[1] in KINDS]
        places = [self._find(*pair) for pair in named]
        if task.startswith(("KeyCorridor", "UnlockPickup", "BlockedUnlockPickup", "ObstructedMaze")):
            env.obj = env.grid.get(*places[0]) if places[0] else object()
        elif task.startswith(("GoToDoor", "GoToObject")):
            env.target_pos = places[0] or _NOWHERE
        elif task.startswith("Fetch"):
            env.targetColor, env.targetType = named[0]
        elif task.startswith("PutNear"):
            (env.moveColor, env.move_type), env.target_pos = named[0], places[1] or _NOWHERE
        elif task.startswith("RedBlueDoors"):
            doors = (self._find(colour, "door") for colour in ("red", "blue"))
            env.red_door, env.blue_door = (env.grid.get(*place) if place else _Unseen() for place in doors)
        elif task == "Unlock":
            doors = [place for place, cell in self._player.first.items() if cell[0] == KINDS["door"]]
            env.door = env.grid.get(*self._moved(doors[0])) if doors else _Unseen()
        elif task.startswith("Memory"):
            env.success_pos, env.failure_pos = self._ends_of_the_hallway()

    def _ends_of_the_hallway(self) -> tuple[Place, Place]:
        objects = sorted(place for place, cell in self._player.first.items() if cell[0] in (KEY, BALL))
        if len(objects) < 3:
            return _NOWHERE, _NOWHERE
        cue, *ends = objects
        ends.sort(key=lambda place: self._player.first[place] != self._player.first[cue])
        middle = (ends[0][1] + ends[1][1]) // 2
        right, wrong = (self._moved((x, y + (1 if y < middle else -1))) for x, y in ends)
        return right, wrong


class _Unseen:
    """Stands for a door that nobody has seen, and that therefore stayed closed."""

    is_open = False
