"""Either engine gives the same kind of environment, and a task that an engine gets wrong is refused for it."""

from __future__ import annotations

import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from pydantic import ValidationError

from harness import HarnessVecEnv
from harness_minigrid.config import MiniGridConfig
from harness_minigrid.environment import make
from harness_minigrid.missions import encode
from harness_minigrid.tasks import MULTI_ROOM, TASKS, engine_fault, mission_required, n_actions, right_engine
from harness_minigrid.views import observation_converter
from harness_minigrid.worlds import make_original


def config_of(task: str, **more) -> MiniGridConfig:
    words = {"mission": "words", "observation": "flat"} if mission_required(task) else {}
    return MiniGridConfig.model_validate({"task": task, **words, **more})


def opened(env: HarnessVecEnv, seeds: list[int]) -> np.ndarray:
    env.enable_metrics()
    env.reseed(seeds)
    shown = env.reset()
    assert isinstance(shown, np.ndarray)
    return shown


@pytest.mark.parametrize("task", MULTI_ROOM)
def test_multi_room_is_stepped_by_minigrid_and_refused_with_envpool(task: str):
    assert MiniGridConfig(task=task).chosen_engine == "minigrid"
    with pytest.raises(ValidationError, match=r"entry doors one row too far.*can be solved; use 'minigrid'"):
        MiniGridConfig(task=task, engine="envpool")


def test_other_tasks_are_stepped_by_envpool_unless_asked_otherwise():
    assert {right_engine(task) for task in TASKS if task not in MULTI_ROOM} == {"envpool"}
    assert MiniGridConfig(task="DoorKey-8x8").chosen_engine == "envpool"
    assert MiniGridConfig(task="DoorKey-8x8", engine="minigrid").chosen_engine == "minigrid"
    with pytest.raises(ValidationError, match="without the pattern images"):
        MiniGridConfig(task="WFC-MazeSimple", engine="minigrid")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("MiniGrid-MultiRoom-N4-S5-v0", "six rooms: it is called MultiRoom-N6-S5"),
        ("MultiRoomNoisyTV-N7-S4", "an action means another thing"),
        ("MultiRoom-N7S4", "did you mean 'MultiRoom-N7-S4'"),
    ],
)
def test_names_of_other_tasks_are_refused_with_the_right_one(name: str, says: str):
    with pytest.raises(ValidationError, match=says):
        MiniGridConfig(task=name)


@pytest.mark.parametrize("task", [task for task in MULTI_ROOM if task != "MultiRoom-N12-S10"])
def test_a_multi_room_task_has_the_rooms_that_its_name_says(task: str):
    rooms, size = MULTI_ROOM[task]
    assert task.startswith(f"MultiRoom-N{rooms}") and (size == 10 or task.endswith(f"-S{size}"))
    env = make_original(MiniGridConfig(task=task))
    for seed in range(5):
        env.reset(seed=seed)
        assert len(env.rooms) == rooms and env.max_steps == 20 * rooms  # type: ignore[attr-defined]
        assert all(4 <= side <= size for room in env.rooms for side in room.size)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("task", "registered"),
    [
        ("MultiRoom-N2-S4", "MultiRoom-N2-S4-v0"),
        ("MultiRoom-N4-S5", "MultiRoom-N4-S5-v1"),
        ("MultiRoom-N6", "MultiRoom-N6-v0"),
    ],
)
def test_those_that_minigrid_registers_are_its_own(task: str, registered: str):
    theirs = gymnasium.make(f"MiniGrid-{registered}", disable_env_checker=True).unwrapped
    ours = make_original(MiniGridConfig(task=task))
    for seed in range(3):
        one, other = ours.reset(seed=seed)[0], theirs.reset(seed=seed)[0]
        assert np.array_equal(one["image"], other["image"]) and ours.grid == theirs.grid  # type: ignore[attr-defined]
    assert ours.max_steps == theirs.max_steps  # type: ignore[attr-defined]


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(
    "view",
    [
        {},
        {"direction": True},
        {"observation": "image", "direction": True},
        {"observation": "flat", "mission": "words", "direction": True},
    ],
    ids=["onehot", "onehot-direction", "image-direction", "flat-mission"],
)
def test_what_is_seen_is_what_minigrid_shows(view: dict, processes: int):
    """Step by step beside environments of the package itself, over the ends of episodes."""
    config = MiniGridConfig.model_validate({"task": "MultiRoom-N2-S4", "episode_steps": 15, **view})
    converter, seeds = observation_converter(config), [3, 2**31 - 2, 7]

    def seen(observation: dict) -> np.ndarray:
        letters = np.frombuffer(observation["mission"].encode(), np.uint8)[None]
        batch = {"image": observation["image"][None], "direction": np.array([observation["direction"]]), "mission": letters}
        return converter(batch)[0]

    originals = [make_original(config) for _ in seeds]
    env = make(config, len(seeds), threads=processes)
    shown = opened(env, seeds)
    for row, original, seed in zip(shown, originals, seeds, strict=True):
        assert np.array_equal(row, seen(original.reset(seed=seed)[0]))
    ends = 0
    for actions in np.random.default_rng(0).integers(0, 7, (40, len(seeds))):
        shown, rewards, dones, infos = env.step(actions)
        for i, original in enumerate(originals):
            observation, reward, terminated, truncated, _ = original.step(actions[i])
            assert rewards[i] == np.float32(reward) and dones[i] == (terminated or truncated)
            if dones[i]:
                ends += 1
                assert np.array_equal(infos[i]["terminal_observation"], seen(observation))
                assert infos[i]["TimeLimit.truncated"] is (not terminated)
                assert infos[i]["metrics"] == {"success": float(reward > 0), "time_to_first_reward": 15.0}
                observation = original.reset()[0]
            assert np.array_equal(shown[i], seen(observation))
    env.close()
    assert ends == 6


def test_a_solved_room_earns_the_reward_of_the_formula():
    env = make(MiniGridConfig(task="Empty-5x5", engine="minigrid", episode_steps=50), 1)
    opened(env, [0])
    for action in (2, 2, 1, 2):
        assert not env.step(np.array([action]))[2][0]
    _, rewards, _, infos = env.step(np.array([2]))
    assert rewards[0] == pytest.approx(1 - 0.9 * 5 / 50) and infos[0]["TimeLimit.truncated"] is False
    assert infos[0]["metrics"] == {"success": 1.0, "time_to_first_reward": 5.0}


@pytest.mark.parametrize("task", [task for task in TASKS if right_engine(task) == "envpool" and not task.startswith("WFC")])
def test_engines_agree_on_limits_actions_and_words(task: str):
    import envpool

    spec = envpool.make_spec(config_of(task).registered_id)
    original = make_original(config_of(task))
    mission = original.reset(seed=0)[0]["mission"]
    assert original.max_steps == spec.config.max_episode_steps  # type: ignore[attr-defined]
    assert original.action_space.n == spec.gymnasium_action_space.n == n_actions(task)  # type: ignore[attr-defined]
    assert encode(mission).any()
    assert make_original(config_of(task, episode_steps=9)).max_steps == 9  # type: ignore[attr-defined]
    assert not engine_fault(task, "minigrid") and not engine_fault(task, "envpool")


def test_processes_of_worlds_load_no_torch():
    program = "import harness_minigrid.worlds as w, harness_minigrid.config as c; import sys; "
    program += "w.make_world(c.MiniGridConfig(task='MultiRoom-N2-S4')).reset(seed=0); "
    program += "print(*({'torch', 'stable_baselines3', 'envpool'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split() == []
