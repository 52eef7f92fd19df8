"""The files that tell Doom's engine what to play: ViZDoom's own, as EnvPool brings them, with another start and other pixels.

The start is chosen by a script in the map, which draws one of ``map_points`` spots from number ``map_point_start_id`` on. Both
are variables with initial values in the compiled script, and these values are all that is changed.
"""

from __future__ import annotations

import struct
from importlib.resources import files
from pathlib import Path

ALL_SPOTS = range(10, 27)
"""The spots that ViZDoom's map draws from."""

_VARIABLES = struct.Struct("<4s4xI8x2i")
"""The chunk of initial values in compiled ACS: its name, size, first variable, two values of the vest's, then the two here."""


def write_scenario(folder: Path, places: range, *, grayscale: bool) -> tuple[Path, Path]:
    """Write the configuration and the map.

    Args:
        folder: Folder to write into.
        places: The spots that the start is drawn from.
        grayscale: Whether the screen has one channel or three.

    Returns:
        The paths of the configuration and the map.
    """
    maps = Path(str(files("envpool_assets"))) / "vizdoom" / "maps"
    settings, world = folder / "my_way_home.cfg", folder / "my_way_home.wad"
    screen = "GRAY8" if grayscale else "CRCGCB"
    settings.write_text(f"{(maps / settings.name).read_text()}\nscreen_format = {screen}\n")
    world.write_bytes(with_start_spots((maps / world.name).read_bytes(), places))
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
