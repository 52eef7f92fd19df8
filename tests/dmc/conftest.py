"""dm_control takes its renderer when it is first imported, so it is chosen before any test can do that."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from harness_dm_control import opengl


@pytest.fixture(scope="session")
def renderer() -> Iterator[str]:
    """The OpenGL platform of this machine; empty, and nothing can be rendered, if there is none."""
    with pytest.MonkeyPatch.context() as patch:
        try:
            found = opengl.rendering_platform()
        except ValueError:
            found = ""
        patch.setitem(os.environ, "MUJOCO_GL", found or "disabled")
        yield found


@pytest.fixture(scope="session")
def suite(renderer: str) -> Any:
    """dm_control's own suite."""
    from dm_control import suite as imported

    return imported
