"""What has been seen of a level: a map around the place where the episode began."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from harness_minigrid.missions import MAX_WORDS, VOCABULARY

EMPTY, WALL, FLOOR, DOOR, KEY, BALL, BOX, GOAL, LAVA = range(1, 10)
LEFT, RIGHT, FORWARD, PICK_UP, DROP, TOGGLE, DONE = range(7)
OPEN, CLOSED, LOCKED = range(3)
COLOURS = ("red", "green", "blue", "purple", "yellow", "grey")
KINDS = {"ball": BALL, "box": BOX, "key": KEY, "door": DOOR}
STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))
Place = tuple[int, int]
Cell = tuple[int, int, int]
"""Kind, colour and state, as MiniGrid numbers them."""


@dataclass(frozen=True)
class PlayerView:
    """One observation: cells ``(column, row, 3)``, compass direction and the mission's words."""

    cells: np.ndarray
    direction: int
    words: tuple[str, ...]


def read_flat(vector: np.ndarray) -> PlayerView:
    """From the view ``flat`` with direction and mission."""
    onehot = vector[:980].reshape(20, 7, 7)
    groups = (onehot[:11], onehot[11:17], onehot[17:20])
    cells = np.stack([group.argmax(0) for group in groups], -1).transpose(1, 0, 2)
    words = vector[984:].reshape(MAX_WORDS, len(VOCABULARY))
    return PlayerView(cells, int(vector[980:984].argmax()), tuple(VOCABULARY[row.argmax()] for row in words if row.any()))


def beside(place: Place, direction: int) -> Place:
    """The next place in a direction."""
    return place[0] + STEPS[direction][0], place[1] + STEPS[direction][1]


@cache
def around(place: Place) -> tuple[Place, ...]:
    """The four places next to one, by direction."""
    return tuple(beside(place, direction) for direction in range(4))


def in_view(place: Place, direction: int, column: int, row: int) -> Place:
    """The place that a cell of the view shows; the agent is in column 3 of row 6."""
    (fx, fy), ahead, right = STEPS[direction], 6 - row, column - 3
    return place[0] + fx * ahead - fy * right, place[1] + fy * ahead + fx * right


@dataclass
class Player:
    """An agent's memory of an episode.

    Attributes:
        cells: What is where, the latest that was seen.
        first: What was where at first, for `replay`.
        inside: What boxes that were opened held, ``None`` for nothing, by where they stood at first.
        place: Where the agent stands.
        direction: Where it looks.
        first_direction: Where it looked at first.
        carried: What it carries.
        words: The mission.
        seen_moving: Whether balls move by themselves.
    """

    cells: dict[Place, Cell] = field(default_factory=dict)
    first: dict[Place, Cell] = field(default_factory=dict)
    inside: dict[Place, Cell | None] = field(default_factory=dict)
    place: Place = (0, 0)
    direction: int = 0
    first_direction: int = 0
    carried: Cell | None = None
    words: tuple[str, ...] = ()
    seen_moving: bool = False
    _origins: dict[Place, Place] = field(default_factory=dict)
    _carried_from: Place = (0, 0)

    @property
    def ahead(self) -> Place:
        """The place in front."""
        return beside(self.place, self.direction)

    def at(self, place: Place) -> Cell | None:
        """What is known of a place."""
        return self.cells.get(place)

    def begin(self, player_view: PlayerView) -> None:
        """See the first observation of an episode."""
        self.direction = self.first_direction = player_view.direction
        self.words = player_view.words
        self.cells[self.place] = self.first[self.place] = (EMPTY, 0, 0)
        self._look(player_view)

    def follow(self, action: int, player_view: PlayerView) -> None:
        """See what an action has led to."""
        front = self.cells.get(self.ahead)
        box = self.ahead if action == TOGGLE and front is not None and front[0] == BOX else None
        if action == FORWARD and front is not None and self._has_moved(front, player_view):
            self.place = self.ahead
        carried = self.carried
        self.direction = player_view.direction
        self._look(player_view)
        if self.carried and not carried:
            self._carried_from = self._origins.pop(self.ahead, self.ahead)
        if carried and not self.carried:
            self._origins[self.ahead] = self._carried_from
        if box is not None:
            found = self.cells[box]
            self.inside[self._origins.pop(box, box)] = None if found[0] == EMPTY else found

    def _has_moved(self, front: Cell, player_view: PlayerView) -> bool:
        if not walkable(front):
            return False
        if not self.seen_moving or front[0] == GOAL:
            return True
        return self._agrees(self.ahead, player_view) >= self._agrees(
            self.place, player_view
        )  # a ball may have rolled into the way

    def _agrees(self, place: Place, player_view: PlayerView) -> int:
        """How many walls and goals are seen where they are known to be, less those that are not."""
        agreeing = 0
        for column, row in np.argwhere(np.isin(player_view.cells[..., 0], (EMPTY, WALL, GOAL))).tolist():
            known = self.cells.get(in_view(place, player_view.direction, column, row))
            if known is not None and (column, row) != (3, 6) and known[0] in (EMPTY, WALL, GOAL):
                agreeing += 1 if known[0] == player_view.cells[column, row, 0] else -1
        return agreeing

    def _look(self, player_view: PlayerView) -> None:
        for column, row in np.argwhere(player_view.cells[..., 0] > 0).tolist():
            if (column, row) == (3, 6):
                continue
            place = in_view(self.place, self.direction, column, row)
            kind, colour, state = player_view.cells[column, row].tolist()
            self.cells[place] = (kind, colour, state)
            self.first.setdefault(place, (kind, colour, state))
        kind, colour, state = player_view.cells[3, 6].tolist()
        self.carried = (kind, colour, state) if kind in (KEY, BALL, BOX) else None


def walkable(cell: Cell) -> bool:
    """Whether the agent can step there, as it stands; lava counts, since it can."""
    return cell[0] in (EMPTY, FLOOR, GOAL, LAVA) or (cell[0] == DOOR and cell[2] == OPEN)


def passable(cell: Cell | None) -> bool:
    """Whether the agent can get there alive, opening doors that are not locked."""
    return cell is not None and (cell[0] in (EMPTY, FLOOR, GOAL) or (cell[0] == DOOR and cell[2] != LOCKED))


def paths(player: Player, forbidden: Callable[[Place], bool]) -> dict[Place, Place | None]:
    """Every place that can be reached, nearest first, and where one comes from."""
    came: dict[Place, Place | None] = {player.place: None}
    queue = [player.place]
    for place in queue:
        for following in around(place):
            if following not in came and passable(player.at(following)) and not forbidden(following):
                came[following] = place
                queue.append(following)
    return came


def nearest(places: Iterable[Place], wanted: Callable[[Place], bool]) -> Place | None:
    """The first place that is wanted."""
    return next((place for place in places if wanted(place)), None)
