"""Which OpenGL without a display there is. MuJoCo ends the process that finds none, so a child process tries."""

from __future__ import annotations

import functools
import os

from harness.environments.rendering_trial import rendering_problem

PLATFORMS = ("egl", "osmesa")
REMEDY = "on Debian or Ubuntu: apt install libegl1 (with a GPU's driver or libgl1-mesa-dri), or apt install libosmesa6"
_PROBE = "from dm_control import suite; suite.load('pendulum', 'swingup').physics.render(16, 16)"


@functools.cache
def rendering_platform() -> str:
    """The value of ``MUJOCO_GL`` with which dm_control renders here: the one that is set, or else ``egl`` or ``osmesa``.

    Takes a second or two, once per process.

    Raises:
        ValueError: None works; the message says how to install one.
    """
    chosen = os.environ.get("MUJOCO_GL", "").lower()
    tried = (chosen,) if chosen else PLATFORMS
    problems = {}
    for name in tried:
        problem = _rendering_error(name)
        if not problem:
            return name
        problems[name] = problem
    reasons = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
    asked = f" with MUJOCO_GL={chosen}" if chosen else ""
    raise ValueError(f"images cannot be rendered here{asked} ({reasons}). Remedy: {REMEDY}")


def _rendering_error(name: str) -> str:
    """What a child process that renders with this platform dies of; empty if it does not."""
    environment = os.environ | {"MUJOCO_GL": name}
    # dm_control sets PyOpenGL's platform by MuJoCo's and refuses one that disagrees, such as a parent's.
    environment.pop("PYOPENGL_PLATFORM", None)
    return rendering_problem(_PROBE, environment)
