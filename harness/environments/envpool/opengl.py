"""Whether EnvPool can draw MuJoCo here. It ends the process where OpenGL is missing, so a child process tries first."""

from __future__ import annotations

import ctypes
import functools
import subprocess
import sys

from harness.errors import UserError

_LIBRARY = "libEGL.so.1"
_REMEDY = "on Debian or Ubuntu: apt install libegl1 (with a GPU's driver or libgl1-mesa-dri)"
_TIMEOUT_SECONDS = 120.0

_PROBE = f"""
import ctypes
ctypes.CDLL({_LIBRARY!r}, ctypes.RTLD_GLOBAL)
import envpool, numpy
pool = envpool.make_gymnasium("PendulumSwingup-v1", num_envs=1, seed=[1])
pool.reset()
pool._render(numpy.zeros(1, numpy.int32), 16, 16, -1)
"""


@functools.cache
def require_opengl() -> None:
    """Make OpenGL's functions visible to EnvPool, which does not load them itself; takes seconds, once per process.

    Raises:
        UserError: EnvPool cannot draw MuJoCo's worlds on this machine; the message says what to install.
    """
    if problem := _problem():
        raise UserError(f"MuJoCo's worlds cannot be drawn here ({problem}). Remedy: {_REMEDY}")
    ctypes.CDLL(_LIBRARY, ctypes.RTLD_GLOBAL)


def _problem() -> str:
    """What a child process that draws dies of; empty if it does not."""
    command = [sys.executable, "-c", _PROBE]
    try:
        child = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"no picture within {_TIMEOUT_SECONDS:.0f} s"
    if child.returncode == 0:
        return ""
    lines = [line for line in child.stderr.splitlines() if line.strip()]
    return lines[-1].strip() if lines else f"exit code {child.returncode}"
