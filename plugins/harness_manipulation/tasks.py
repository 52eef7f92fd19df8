"""The tasks by the names that suites use, as plain data: nothing needs to be installed to look at it.

Tests hold the names and the limits equal to EnvPool's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """One task.

    Attributes:
        envpool_id: As registered with EnvPool.
        success: Where its info says whether a step succeeds.
        limit: Steps of an episode.
        dictionary: Whether observations are a dictionary with goals, or already a vector.
        hides_goal: Whether the last three numbers of the vector are a goal drawn for each episode, which can be hidden.
    """

    envpool_id: str
    success: str
    limit: int
    dictionary: bool = False
    hides_goal: bool = False


_METAWORLD = (
    "Assembly Basketball BinPicking BoxClose ButtonPressTopdown ButtonPressTopdownWall ButtonPress ButtonPressWall "
    "CoffeeButton CoffeePull CoffeePush DialTurn Disassemble DoorClose DoorLock DoorOpen DoorUnlock HandInsert "
    "DrawerClose DrawerOpen FaucetOpen FaucetClose Hammer HandlePressSide HandlePress HandlePullSide HandlePull "
    "LeverPull PickPlaceWall PickOutOfHole PickPlace PlateSlide PlateSlideSide PlateSlideBack PlateSlideBackSide "
    "PegInsertSide PegUnplugSide Soccer StickPush StickPull Push PushWall PushBack Reach ReachWall ShelfPlace SweepInto "
    "Sweep WindowOpen WindowClose"
)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


TASKS: Mapping[str, Task] = {
    **{
        f"fetch_{_snake(name)}": Task(f"Fetch{name}-v4", "is_success", 50, dictionary=True)
        for name in ("Reach", "Push", "Slide", "PickAndPlace")
    },
    **{
        f"adroit_{name.lower()}": Task(f"AdroitHand{name}Sparse-v1", "success", 200)
        for name in ("Door", "Hammer", "Pen", "Relocate")
    },
    **{
        f"metaworld_{_snake(name)}": Task(f"MetaWorld/{name}-v3", "success", 500, hides_goal=True)
        for name in _METAWORLD.split()
    },
}
"""All tasks: ``fetch_<task>``, ``adroit_<task>`` and ``metaworld_<task>``."""
