"""The MiniGrid tasks by name, as plain data: nothing needs to be installed to look at it.

Tests hold the names equal to EnvPool's and MiniGrid's, and the missions equal to what the tasks say. BabyAI's 96 tasks are
left out: what to do there is told in sentences of a grammar, and EnvPool 1.2.5 never finishes the first level of one of them
(SynthS5R2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Engine = Literal["envpool", "minigrid"]

_FAMILIES: Mapping[str, str] = {
    "Empty": "-5x5 -6x6 -8x8 -16x16 -Random-5x5 -Random-6x6",
    "DoorKey": "-5x5 -6x6 -8x8 -16x16",
    "DistShift": "1 2",
    "LavaCrossing": "S9N1 S9N2 S9N3 S11N5",
    "SimpleCrossing": "S9N1 S9N2 S9N3 S11N5",
    "LavaGap": "S5 S6 S7",
    "Dynamic-Obstacles": "-5x5 -Random-5x5 -6x6 -Random-6x6 -8x8 -16x16",
    "Fetch": "-5x5-N2 -6x6-N2 -8x8-N3",
    "FourRooms": "",
    "GoToDoor": "-5x5 -6x6 -8x8",
    "GoToObject": "-6x6-N2 -8x8-N2",
    "KeyCorridor": "S3R1 S3R2 S3R3 S4R3 S5R3 S6R3",
    "LockedRoom": "",
    "Memory": "S17Random S13Random S13 S11 S9 S7",
    "ObstructedMaze": "-1Dl -1Dlh -1Dlhb -2Dl -2Dlh -2Dlhb -1Q -2Q -Full",
    "PutNear": "-6x6-N2 -8x8-N3",
    "RedBlueDoors": "-6x6 -8x8",
    "Unlock": "",
    "UnlockPickup": "",
    "BlockedUnlockPickup": "",
    "WFC": "-MazeSimple -DungeonMazeScaled -RoomsFabric -ObstaclesBlackdots -ObstaclesAngular -ObstaclesHogs3",
}
_CORRECTED = ("-2Dlhb", "-1Q", "-2Q", "-Full")  # obstructed mazes that have a second version

VERSIONS: Mapping[str, str] = {
    **{f"{family}{size}": "v0" for family, sizes in _FAMILIES.items() for size in sizes.split(" ")},
    **{f"ObstructedMaze{size}": "v1" for size in _CORRECTED},
}
"""The tasks that EnvPool steps, by MiniGrid's name without ``MiniGrid-`` and version, and the newest version of each."""

_LIMITS: Mapping[str, str] = {
    "Empty": "100 144 256 1024 100 144",
    "DoorKey": "250 360 640 2560",
    "DistShift": "252 252",
    "LavaCrossing": "324 324 324 484",
    "SimpleCrossing": "324 324 324 484",
    "LavaGap": "100 144 196",
    "Dynamic-Obstacles": "100 100 144 144 256 1024",
    "Fetch": "125 180 320",
    "FourRooms": "100",
    "GoToDoor": "100 144 256",
    "GoToObject": "180 320",
    "KeyCorridor": "270 270 270 480 750 1080",
    "LockedRoom": "190",
    "Memory": "1445 845 845 605 405 245",
    "ObstructedMaze": "288 288 288 576 576 576 720 1584 3600",
    "PutNear": "30 40",
    "RedBlueDoors": "720 1280",
    "Unlock": "288",
    "UnlockPickup": "288",
    "BlockedUnlockPickup": "576",
    "WFC": "500 500 500 500 500 500",
}
"""Steps after which an episode of each task is cut, in the order of `_FAMILIES`."""

_STEPS_PER_ROOM = 20

MULTI_ROOM: Mapping[str, tuple[int, int]] = {
    "MultiRoom-N2-S4": (2, 4),
    "MultiRoom-N4-S5": (4, 5),
    "MultiRoom-N6-S5": (6, 5),
    "MultiRoom-N6": (6, 10),
    "MultiRoom-N7-S4": (7, 4),
    "MultiRoom-N7-S8": (7, 8),
    "MultiRoom-N10-S4": (10, 4),
    "MultiRoom-N10-S10": (10, 10),
    "MultiRoom-N12-S10": (12, 10),
}
"""Rooms of each MultiRoom task, and the largest width of one with its walls.

N2-S4 and N6 are MiniGrid's v0, N4-S5 its v1. Its MultiRoom-N4-S5-v0 has six rooms and is N6-S5 here. The others are those of
RIDE's copy of MiniGrid (facebookresearch/impact-driven-exploration, gym_minigrid/envs/multiroom.py).
"""

TASKS: tuple[str, ...] = (*VERSIONS, *MULTI_ROOM)
"""All tasks by the name that suites use."""

_STEP_LIMITS: Mapping[str, int] = {
    **{
        f"{family}{size}": int(limit)
        for family, sizes in _FAMILIES.items()
        for size, limit in zip(sizes.split(" "), _LIMITS[family].split(), strict=True)
    },
    **{task: rooms * _STEPS_PER_ROOM for task, (rooms, _) in MULTI_ROOM.items()},
}

MISSION_REQUIRED = ("Fetch", "GoToDoor", "GoToObject", "PutNear")
"""Families in which only the mission says which of several objects is the goal."""

_ENVPOOL_FAULT = (
    "EnvPool 1.2.5 draws MultiRoom's entry doors one row too far, where there can be wall behind them: 68 % of the levels of "
    "N2-S4, 29 % of N6 and 16 % of N4-S5 can be solved"
)
_WITHOUT_PATTERNS = "minigrid 3.2.0 is published without the pattern images that WFC needs"


def step_limit(task: str) -> int:
    """Steps after which an episode is cut, if nothing else is asked for."""
    return _STEP_LIMITS[task]


def mission_required(task: str) -> bool:
    """Whether a policy that is not shown the mission can only guess."""
    return task.startswith(MISSION_REQUIRED)


def right_engine(task: str) -> Engine:
    """What steps a task as MiniGrid has it, and fastest."""
    return "minigrid" if task in MULTI_ROOM else "envpool"


def engine_fault(task: str, engine: Engine) -> str:
    """Why an engine cannot step a task; empty if it can."""
    if engine == "envpool":
        return _ENVPOOL_FAULT if task in MULTI_ROOM else ""
    return _WITHOUT_PATTERNS if task.startswith("WFC") else ""


def n_actions(task: str) -> int:
    """Turn left and right and forward; then, but in Dynamic-Obstacles, pick up, drop, toggle and done."""
    return 3 if task.startswith("Dynamic-Obstacles") else 7
