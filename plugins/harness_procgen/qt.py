"""EnvPool's ProcGen draws with Qt 5 and brings none: the libraries come from the wheel ``PyQt5-Qt5``, or from the system."""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib
import sys
from importlib.util import find_spec
from pathlib import Path

LIBRARIES = ("Core", "Gui")  # in the order of loading
REMEDY = "pip install PyQt5-Qt5, or on Debian or Ubuntu: apt install libqt5gui5"


def missing_libraries() -> str:
    """What is missing, with the remedy; empty if nothing is. Loads nothing."""
    if not sys.platform.startswith("linux") or _wheel() or ctypes.util.find_library("Qt5Gui"):
        return ""
    return f"the Qt 5 libraries that EnvPool's ProcGen draws with are missing ({REMEDY})"


def load() -> None:
    """Make the wheel's libraries known to this process, so that EnvPool finds them; without the wheel, it takes the system's.

    Raises:
        OSError: One of them cannot be loaded.
    """
    folder = _wheel()
    if folder:
        for name in LIBRARIES:
            ctypes.CDLL(str(folder / f"libQt5{name}.so.5"), mode=ctypes.RTLD_GLOBAL)
    tried = sys.modules.get("envpool.procgen")
    if tried is not None and "ProcgenEnvSpec" not in vars(tried):  # EnvPool was imported before, and remembers the failure
        importlib.reload(tried)


def _wheel() -> Path | None:
    """Where the wheel has put its libraries."""
    spec = find_spec("PyQt5")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place) / "Qt5" / "lib"
        if (folder / "libQt5Gui.so.5").exists():
            return folder
    return None
