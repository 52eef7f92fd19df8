"""Pictures from EnvPool's own renderer, which ends the process where OpenGL came too late: each case has one of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness.environments.envpool.opengl import require_opengl
from harness.errors import UserError

_DRAW = """
from harness.errors import UserError
from harness.registry import installed
known = installed()
family = known.environment({family!r})
env = known.load(family.make)(known.config_class(family).model_validate(family.example), 1, threads=1)
env.reseed([1])
observations = env.reset()
try:
    print(env.picture(observations[0], 0).shape)
except UserError as error:
    print(error)
env.close()
"""


@pytest.fixture(scope="module", autouse=True)
def _where_there_is_opengl() -> None:
    try:
        require_opengl()
    except UserError as error:
        if "before the harness" not in str(error):
            pytest.skip(str(error))


def draw(family: str, before: str = "") -> str:
    command = [sys.executable, "-c", before + _DRAW.format(family=family)]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    return child.stdout


@pytest.mark.parametrize("family", ["dm_control", "manipulation"])
def test_worlds_of_mujoco_are_drawn(family: str) -> None:
    assert draw(family) == "(240, 240, 3)\n"


def test_where_somebody_loaded_envpool_first_it_is_said_and_the_process_lives() -> None:
    assert "envpool was imported before the harness" in draw("dm_control", before="import envpool\n")
