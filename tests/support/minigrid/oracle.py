"""Plans that solve every task of MiniGrid from what an agent sees; nothing hidden is used."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from support.minigrid.world import (
    BALL,
    BOX,
    COLOURS,
    DONE,
    DOOR,
    DROP,
    EMPTY,
    FORWARD,
    GOAL,
    KEY,
    KINDS,
    LEFT,
    LOCKED,
    OPEN,
    PICK_UP,
    RIGHT,
    STEPS,
    TOGGLE,
    Place,
    Player,
    around,
    nearest,
    paths,
)

Wanted = Callable[[Place], bool]


class Oracle:
    """Chooses one action after the other for a `Player`.

    In order: what the task asks for, as far as it is known; doors that are locked, with their keys; what blocks doors; boxes;
    then whatever can be reached and has not been seen.

    Args:
        player: What is known of the level.
        task: The harness's name of it.
    """

    def __init__(self, player: Player, task: str) -> None:
        self.player, self.task = player, task
        player.seen_moving = task.startswith("Dynamic-Obstacles")
        self._colour, self._kind = self._named(player.words)

    def act(self) -> int:
        """The next action."""
        self.came = paths(self.player, self._forbidden())
        for plan in (*self._task_plans(), self._unlock, self._unblock, self._take_key, self._open_box, self._explore):
            action = plan()
            if action is not None:
                return action
        return self._make_way()

    # What the task asks for

    def _task_plans(self) -> Iterator[Callable[[], int | None]]:
        family = self.task
        if family.startswith("Memory"):
            yield self._match
        elif family.startswith(("GoToDoor", "GoToObject")):
            yield lambda: self._use(self._is(self._kind, self._colour), DONE)
        elif family.startswith("PutNear"):
            yield self._put_near
        elif family.startswith("RedBlueDoors"):
            yield self._red_then_blue
        elif family.startswith(("Fetch", "KeyCorridor", "UnlockPickup", "BlockedUnlockPickup", "ObstructedMaze")):
            yield self._fetch
        elif family != "Unlock":
            yield lambda: self._walk(lambda place: self._kind_at(place) == GOAL)

    def _named(self, words: tuple[str, ...]) -> tuple[int, int]:
        """Colour and kind of the first object that the mission names."""
        for colour, kind in itertools.pairwise(words):
            if colour in COLOURS and kind in KINDS:
                return COLOURS.index(colour), KINDS[kind]
        return -1, -1

    def _fetch(self) -> int | None:
        wanted = self._is(self._kind, self._colour)
        if self._use(wanted, PICK_UP) is None:
            return None
        return self._drop(wanted) if self.player.carried else self._use(wanted, PICK_UP)

    def _put_near(self) -> int | None:
        if not self.player.carried:
            return self._use(self._is(self._kind, self._colour), PICK_UP)
        colour, kind = self._named(self.player.words[self.player.words.index("near") :])
        targets = [place for place in self.player.cells if self._is(kind, colour)(place)]
        near = {(x + i, y + j) for x, y in targets for i in (-1, 0, 1) for j in (-1, 0, 1)}
        return self._use(lambda place: place in near and self._kind_at(place) == EMPTY, DROP)

    def _red_then_blue(self) -> int | None:
        doors = {self.player.cells[p][1]: p for p in self.player.cells if self._kind_at(p) == DOOR}
        for name in ("red", "blue"):
            door = doors.get(COLOURS.index(name))
            if door is None:
                return None
            if self.player.cells[door][2] != OPEN:
                return self._use(lambda place, door=door: place == door, TOGGLE)
        return None

    def _match(self) -> int | None:
        objects = sorted(place for place in self.player.cells if self._kind_at(place) in (KEY, BALL))
        if len(objects) < 3:
            return None  # the first is the cue: the hallway leads to the right
        cue, *ends = objects
        (x, y), (_, other) = sorted(ends, key=lambda place: self.player.cells[place] != self.player.cells[cue])
        success = (x, y + (1 if other > y else -1))
        return self._walk(lambda place: place == success)

    def _forbidden(self) -> Wanted:
        if self.task.startswith("Memory"):
            objects = [place for place in self.player.cells if self._kind_at(place) in (KEY, BALL)]
            if len(objects) < 3:
                beside_objects = {place for one in objects for place in around(one)}
                return lambda place: place in beside_objects
        if self.task.startswith("RedBlueDoors"):
            return lambda place: self._kind_at(place) == DOOR and self.player.cells[place][2] != OPEN
        if self.task.startswith("GoToDoor"):
            return lambda place: self._kind_at(place) == DOOR
        return lambda place: False

    # Keys, doors, boxes, and what stands in the way

    def _locked(self) -> dict[int, list[Place]]:
        locked: dict[int, list[Place]] = {}
        for place, (kind, colour, state) in self.player.cells.items():
            if kind == DOOR and state == LOCKED:
                locked.setdefault(colour, []).append(place)
        return locked

    def _unlock(self) -> int | None:
        carried = self.player.carried
        if not carried or carried[0] != KEY:
            return None
        doors = self._locked().get(carried[1], [])
        return self._use(lambda place: place in doors, TOGGLE)

    def _unblock(self) -> int | None:
        """Take away what lies before a door that is not open: balls, and keys of other doors."""
        carried = self.player.carried
        if self._forbids_touching():
            return None
        if carried and carried[0] != KEY:
            return self._drop()
        if self._use(self._blocks, PICK_UP) is None:
            return None
        return self._drop() if carried else self._use(self._blocks, PICK_UP)

    def _blocks(self, place: Place) -> bool:
        return self._kind_at(place) in (KEY, BALL) and any(
            self._kind_at(other) == DOOR and self.player.cells[other][2] == LOCKED for other in around(place)
        )

    def _take_key(self) -> int | None:
        if self._forbids_touching():
            return None
        locked, carried = self._locked(), self.player.carried
        if carried and carried[0] == KEY and (carried[1] in locked or not locked):
            return None
        useful = self._key_of(locked)
        if self._use(useful, PICK_UP) is None:
            return None
        return self._drop() if carried else self._use(useful, PICK_UP)

    def _key_of(self, doors: dict[int, list[Place]]) -> Wanted:
        return lambda place: self._kind_at(place) == KEY and self.player.cells[place][1] in doors

    def _forbids_touching(self) -> bool:
        return self.task.startswith(("Fetch", "PutNear", "GoTo", "Memory", "Dynamic"))

    def _open_box(self) -> int | None:
        if not self.task.startswith("ObstructedMaze"):
            return None
        return self._use(lambda place: self._kind_at(place) == BOX, TOGGLE)

    def _explore(self) -> int | None:
        player = self.player
        if any(place not in player.cells for place in around(player.place)):
            return RIGHT
        return self._walk(lambda place: any(following not in player.cells for following in around(place)))

    def _make_way(self) -> int:
        """Nothing is left to see: take away a key or a ball that may hide something, or wait."""
        if self._forbids_touching():
            return LEFT
        if self.player.carried:
            return self._drop() or LEFT
        action = self._use(lambda place: self._kind_at(place) in (KEY, BALL), PICK_UP)
        return LEFT if action is None else action

    # Moves

    def _walk(self, wanted: Wanted) -> int | None:
        target = nearest(self.came, wanted)
        if target is None or target == self.player.place:
            return None
        return self._toward(target)

    def _use(self, wanted: Wanted, action: int, *, in_doors: bool = False) -> int | None:
        """Stand before a place and act on it; nothing is dropped from within doors, unless they may be used."""
        if wanted(self.player.ahead):
            return action
        objects = None if action == DROP else {place for place in self.player.cells if wanted(place)}
        if objects is not None and not objects:
            return None
        for place in self.came:
            if action == DROP and not in_doors and self._kind_at(place) == DOOR:
                continue
            for direction, following in enumerate(around(place)):
                if following in objects if objects is not None else wanted(following):
                    return self._turn(direction) if place == self.player.place else self._toward(place)
        return None

    def _toward(self, target: Place) -> int:
        step = target
        while (before := self.came[step]) is not None and before != self.player.place:
            step = before
        direction = STEPS.index((step[0] - self.player.place[0], step[1] - self.player.place[1]))
        if direction != self.player.direction:
            return self._turn(direction)
        cell = self.player.cells[step]
        return TOGGLE if cell[0] == DOOR and cell[2] != OPEN else FORWARD

    def _turn(self, direction: int) -> int:
        return RIGHT if (direction - self.player.direction) % 4 <= 2 else LEFT

    def _drop(self, wanted: Wanted | None = None) -> int | None:
        """Put down what is carried, where it bars no way, or at least not the way to something wanted."""
        action = self._use(self._harmless, DROP)
        if action is not None or wanted is None:
            return action
        return self._use(lambda place: self._kind_at(place) == EMPTY and self._reachable(wanted, place), DROP, in_doors=True)

    def _reachable(self, wanted: Wanted, barred: Place) -> bool:
        remaining = paths(self.player, lambda place: place == barred)
        return any(wanted(place) for stand in remaining for place in around(stand))

    def _harmless(self, place: Place) -> bool:
        player = self.player
        if self._kind_at(place) != EMPTY or place == player.place or any(self._kind_at(p) == DOOR for p in around(place)):
            return False
        remaining = paths(player, lambda other: other == place)
        return len(remaining) >= len(self.came) - 1

    def _kind_at(self, place: Place) -> int:
        cell = self.player.cells.get(place)
        return 0 if cell is None else cell[0]

    def _is(self, kind: int, colour: int) -> Wanted:
        return lambda place: self.player.cells.get(place, (0, 0, 0))[:2] == (kind, colour)
