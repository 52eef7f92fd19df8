"""Whether EnvPool can draw MuJoCo here. It ends the process where OpenGL is missing, so a child process tries first.

EnvPool finds OpenGL's functions only where their library was loaded before EnvPool itself, which does not load it.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from contextlib import suppress
from types import ModuleType

from harness.environments.rendering_trial import rendering_problem
from harness.errors import UserError

_LIBRARY = "libEGL.so.1"
_REMEDY = "on Debian or Ubuntu: apt install libegl1 (with a GPU's driver or libgl1-mesa-dri)"

_PROBE = f"""
import ctypes
ctypes.CDLL({_LIBRARY!r}, ctypes.RTLD_GLOBAL)
import envpool, numpy
pool = envpool.make_gymnasium("PendulumSwingup-v1", num_envs=1, seed=[1])
pool.reset()
pool._render(numpy.zeros(1, numpy.int32), 16, 16, -1)
"""


def import_envpool() -> ModuleType:
    """EnvPool, after OpenGL's library where there is one."""
    if "envpool" not in sys.modules:
        with suppress(OSError):
            ctypes.CDLL(_LIBRARY, ctypes.RTLD_GLOBAL)
            _loaded_in_time.append(_LIBRARY)
    import envpool

    return envpool


_loaded_in_time: list[str] = []
"""Libraries that were there when EnvPool was loaded."""


@functools.cache
def require_opengl() -> None:
    """Make sure that EnvPool can draw in this process; takes seconds, once per process.

    Raises:
        UserError: EnvPool cannot draw MuJoCo's worlds on this machine, or somebody loaded it in this process without OpenGL;
            the message says what helps.
    """
    if problem := rendering_problem(_PROBE):
        raise UserError(f"MuJoCo's worlds cannot be drawn here ({problem}). Remedy: {_REMEDY}")
    if not _loaded_in_time:
        raise UserError(
            "MuJoCo's worlds cannot be drawn in this process: envpool was imported before the harness loaded OpenGL for it;"
            " make environments by the harness before anything imports envpool"
        )
