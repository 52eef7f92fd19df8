"""The MiniGrid tasks that EnvPool registers, as plain data: nothing needs to be installed to look at it.

Tests hold the names equal to EnvPool's, and the missions equal to what the tasks say. BabyAI's 96 tasks are left out: what to
do there is told in sentences of a grammar, and EnvPool 1.2.5 never finishes the first level of one of them (SynthS5R2).
"""

from __future__ import annotations

from collections.abc import Mapping

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
    "MultiRoom": "-N2-S4 -N4-S5 -N6",
    "ObstructedMaze": "-1Dl -1Dlh -1Dlhb -2Dl -2Dlh -2Dlhb -1Q -2Q -Full",
    "PutNear": "-6x6-N2 -8x8-N3",
    "RedBlueDoors": "-6x6 -8x8",
    "Unlock": "",
    "UnlockPickup": "",
    "BlockedUnlockPickup": "",
    "WFC": "-MazeSimple -DungeonMazeScaled -RoomsFabric -ObstaclesBlackdots -ObstaclesAngular -ObstaclesHogs3",
}
_CORRECTED = ("-2Dlhb", "-1Q", "-2Q", "-Full")  # obstructed mazes that have a second version

TASKS: Mapping[str, str] = {
    **{f"{family}{size}": "v0" for family, sizes in _FAMILIES.items() for size in sizes.split(" ")},
    **{f"ObstructedMaze{size}": "v1" for size in _CORRECTED},
}
"""All tasks by the name that suites use, MiniGrid's without ``MiniGrid-`` and version, and the newest version of each."""

MISSION_REQUIRED = ("Fetch", "GoToDoor", "GoToObject", "PutNear")
"""Families in which only the mission says which of several objects is the goal."""


def mission_required(task: str) -> bool:
    """Whether a policy that is not shown the mission can only guess."""
    return task.startswith(MISSION_REQUIRED)
