"""The files that tell Doom's engine what to play: ViZDoom's own, as EnvPool brings them, with another start and other pixels.

A compiled script in the map (ACS) places and turns the player. It draws one of ``map_points`` spots from number
``map_point_start_id`` on, both of them variables with initial values, then a direction. For another range of spots the two
values are changed; for a range of directions the script is written anew, for a single spot, into the space that it has.
"""

from __future__ import annotations

import struct
from importlib.resources import files
from pathlib import Path

ALL_SPOTS = range(10, 27)
"""The spots that ViZDoom's map draws from."""

ANY_DIRECTION = (0.0, 1.0)
"""The directions that it draws from, in full turns."""

_VARIABLES = struct.Struct("<4s4xI8x2i")
"""The chunk of initial values in compiled ACS: its name, size, first variable, two values of the vest's, then the two here."""

_RANDOM_SPOT = bytes.fromhex("1d02 1d02 1d03 0e a701 0f 39")
"""random(variable 2, variable 2 + variable 3 - 1)"""

_TO_SPOT = bytes.fromhex("1900 a700 1c00 c4 1c00 c5 b00000 f02b 36")
"""Remember the number, and move the player, who is thing 0, to the spot that has it."""

_RANDOM_DIRECTION = bytes.fromhex("b00000 03 00000100 39 f024")
"""Turn thing 0 by random(0.0, 1.0)."""


def write_scenario(
    folder: Path, places: range, *, grayscale: bool, turns: tuple[float, float] = ANY_DIRECTION
) -> tuple[Path, Path]:
    """Write the configuration and the map.

    Args:
        folder: Folder to write into.
        places: The spots that the start is drawn from.
        grayscale: Whether the screen has one channel or three.
        turns: Least and largest direction at the start, in full turns.

    Returns:
        The paths of the configuration and the map.
    """
    maps = Path(str(files("envpool_assets"))) / "vizdoom" / "maps"
    settings, world = folder / "my_way_home.cfg", folder / "my_way_home.wad"
    screen = "GRAY8" if grayscale else "CRCGCB"
    settings.write_text(f"{(maps / settings.name).read_text()}\nscreen_format = {screen}\n")
    original = (maps / world.name).read_bytes()
    changed = with_start_spots(original, places)
    world.write_bytes(changed if turns == ANY_DIRECTION else with_fixed_start(changed, places, turns))
    return settings, world


def with_start_spots(world: bytes, places: range) -> bytes:
    """The map with another range of starts.

    Args:
        world: Content of ViZDoom's ``my_way_home.wad``.
        places: Consecutive spots from 10 to 26.

    Raises:
        ValueError: The file is another one, or the places are not spots of its map.
    """
    if places.step != 1 or not places or not set(places) <= set(ALL_SPOTS):
        raise ValueError(f"places must be consecutive and from {ALL_SPOTS[0]} to {ALL_SPOTS[-1]}, not {list(places)}")
    chunk = world.find(b"MINI")
    start = chunk + _VARIABLES.size - 8
    if chunk < 0 or struct.unpack_from("<2i", world, start) != (ALL_SPOTS.start, len(ALL_SPOTS)):
        raise ValueError("this is not the my_way_home.wad that is known: its start cannot be placed")
    return world[:start] + struct.pack("<2i", places.start, len(places)) + world[start + 8 :]


def with_fixed_start(world: bytes, places: range, turns: tuple[float, float]) -> bytes:
    """The map with one start and few directions.

    Args:
        world: Content of ViZDoom's ``my_way_home.wad``.
        places: A single spot.
        turns: Least and largest direction, in full turns from 0 to 1.

    Raises:
        ValueError: The file is another one, or there is more than one spot.
    """
    if len(places) != 1:
        raise ValueError(f"directions can be chosen at a single spot, not at {list(places)}")
    script = _RANDOM_SPOT + _TO_SPOT + _RANDOM_DIRECTION
    start = world.find(script)
    if start < 0:
        raise ValueError("this is not the my_way_home.wad that is known: its start cannot be turned")
    least, largest = (int(turn * 65_536) for turn in turns)  # fixed-point numbers, as ACS has them
    spot = struct.pack("<BB", _PUSH_BYTE, places.start)
    direction = struct.pack("<BBBiBi", _PUSH_BYTE, 0, _PUSH_NUMBER, least, _PUSH_NUMBER, largest) + _RANDOM_DIRECTION[-3:]
    rewritten = (spot + _TO_SPOT + direction).rjust(len(script), _NOTHING)
    return world[:start] + rewritten + world[start + len(script) :]


_PUSH_BYTE, _PUSH_NUMBER, _NOTHING = 0xA7, 0x03, b"\0"
"""Instructions of ACS: put the byte or the 32 bits that follow on the stack, and do nothing."""
