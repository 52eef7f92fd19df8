"""A MiniGrid configuration knows EnvPool's tasks and refuses a view in which the goal cannot be known."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, cast

import pytest
from pydantic import ValidationError

from harness_minigrid.config import MiniGridConfig
from harness_minigrid.plugin import harness_environments, harness_networks
from harness_minigrid.tasks import MISSION_REQUIRED, MULTI_ROOM, TASKS, VERSIONS, mission_required, step_limit
from harness_minigrid.worlds import make_original


def test_tasks_are_those_of_envpool_in_their_newest_version():
    import envpool

    registered = {name for name in envpool.list_all_envs() if name.startswith("MiniGrid-")}
    ours = {f"MiniGrid-{task}-{version}" for task, version in VERSIONS.items()}
    older = {f"MiniGrid-ObstructedMaze-{size}-v0" for size in ("2Dlhb", "1Q", "2Q", "Full")}
    unsolvable = {f"MiniGrid-MultiRoom-{size}-v0" for size in ("N2-S4", "N4-S5", "N6")}
    assert registered == ours | older | unsolvable | {"MiniGrid-Playground-v0"}  # which rewards nothing


def test_limits_are_those_of_envpool_and_of_the_original():
    import envpool

    for task, version in VERSIONS.items():
        assert envpool.make_spec(f"MiniGrid-{task}-{version}").config.max_episode_steps == step_limit(task), task
    for task in (*MULTI_ROOM, "DoorKey-8x8", "KeyCorridorS4R3", "MemoryS11", "FourRooms", "ObstructedMaze-Full"):
        config = MiniGridConfig(task=task, engine="minigrid")
        assert cast(Any, make_original(config).unwrapped).max_steps == config.episode_limit, task
    assert MiniGridConfig(task="DoorKey-8x8", episode_steps=9).episode_limit == 9


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("DoorKey8x8", r"did you mean 'DoorKey-8x8'\?"),
        ("MiniGrid-KeyCorridorS4R3-v0", r"did you mean 'KeyCorridorS4R3'\?"),
        ("BabyAI-GoToObj-v0", "tells what to do in sentences"),
        ("Fetch-8x8-N3", "only the mission says what to do; set 'mission: words' and 'observation: flat'"),
    ],
)
def test_tasks_that_cannot_be_used_are_refused_with_a_remedy(given: str, says: str):
    with pytest.raises(ValidationError, match=says):
        MiniGridConfig(task=given)


def test_words_belong_to_vectors():
    with pytest.raises(ValidationError, match="'onehot' is an image; use 'flat'"):
        MiniGridConfig(task="DoorKey-8x8", mission="words")
    assert MiniGridConfig(task="Fetch-8x8-N3", mission="words", observation="flat").observations == "vectors"
    assert MiniGridConfig(task="DoorKey-8x8").observations == "images"
    assert {task for task in TASKS if mission_required(task)} == {
        t for t in TASKS for f in MISSION_REQUIRED if t.startswith(f)
    }


def test_importing_plugin_and_config_loads_nothing_heavy():
    program = "import harness_minigrid.plugin, harness_minigrid.config as c; c.MiniGridConfig(task='FourRooms'); import sys; "
    program += "print(*({'torch', 'stable_baselines3', 'envpool', 'minigrid', 'numpy', 'gymnasium'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split() == []


def test_every_field_has_a_meaning_and_the_plugin_names_what_exists():
    assert all(field.description for field in MiniGridConfig.model_fields.values())
    assert [part.name for part in (*harness_environments(), *harness_networks())] == ["minigrid", "minigrid"]
