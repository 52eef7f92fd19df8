"""What the agent sees of MiniGrid is what MiniGrid says, and episodes end as they do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from harness.environments.envpool import EnvPoolTask
from harness_minigrid.config import MiniGridConfig
from harness_minigrid.environment import make
from harness_minigrid.missions import MISSION_SIZE, VOCABULARY, encode
from harness_minigrid.networks import MiniGridCNN
from harness_minigrid.tasks import TASKS, mission_required
from harness_minigrid.views import FlatObservations, IntegerImage, OneHotImage

KINDS, COLOURS, STATES = 11, 6, 3
cells = st.builds(
    lambda *parts: np.stack(parts, axis=-1),
    *(arrays.arrays(np.uint8, (2, 7, 7), elements=st.integers(0, n - 1)) for n in (KINDS, COLOURS, STATES)),
)


def config_of(task: str, **more) -> MiniGridConfig:
    if mission_required(task):
        more = {"mission": "words", "observation": "flat"} | more
    return MiniGridConfig.model_validate({"task": task, **more})


@settings(max_examples=20, deadline=None)
@given(image=cells, direction=st.lists(st.integers(0, 3), min_size=2, max_size=2))
def test_every_cell_can_be_read_back_from_every_view(image: np.ndarray, direction: list[int]):
    batch = {"image": image, "direction": np.array(direction)}
    onehot, flat, numbers = (
        view(batch)
        for view in (
            OneHotImage(direction=True),
            FlatObservations(direction=True, mission=False),
            IntegerImage(direction=True),
        )
    )
    for env in range(2):
        for column in range(7):
            for row in range(7):
                kind, colour, state = image[env, column, row]
                ones = np.flatnonzero(onehot[env, :20, row, column])
                assert ones.tolist() == [kind, KINDS + colour, KINDS + COLOURS + state]
                assert numbers[env, :3, row, column].tolist() == [kind, colour, state]
        assert (onehot[env, 20 + direction[env]] == 255).all() and (numbers[env, 3] == direction[env]).all()
        assert flat[env, 980:].tolist() == [float(i == direction[env]) for i in range(4)]
    assert set(np.unique(onehot)) == {0, 255} and np.array_equal(flat[:, :980], onehot[:, :20].reshape(2, -1) / 255)


def test_the_agent_is_in_the_middle_of_the_last_row():
    """As in MiniGrid 3.2.0, where a room begins: beyond its walls there are walls."""
    env = make(MiniGridConfig(task="Empty-16x16", observation="image"), 1)
    view = env.reset()[0, 0]  # the agent starts in the upper left corner, looking right: the wall is on its left
    assert (view[:, :3] == 2).all() and (view[:, 3:] == 1).all()
    env.step(np.array([1]))  # turned right, towards the bottom: the wall is on its right
    view = env.step(np.array([6]))[0][0, 0]
    assert (view[:, 4:] == 2).all() and (view[:, :4] == 1).all()


@pytest.mark.parametrize(
    "task",
    [pytest.param(task, marks=[pytest.mark.slow] if task.startswith(("WFC", "MultiRoom-N1")) else []) for task in TASKS],
)
def test_every_task_can_be_made_and_its_missions_read(task: str):
    env = make(config_of(task, observation="flat", mission="words", direction=True), 16)
    assert env.observation_space.shape == (980 + 4 + MISSION_SIZE,)
    env.reseed(list(range(16)))
    shown = env.reset()
    for _ in range(3):
        assert env.observation_space.contains(shown[0])
        assert (shown[:, 984:].sum(1) >= 3).all()
        shown = env.step(np.ones(16, np.int64))[0]
    env.close()


def test_missions_are_read_in_order_and_unknown_words_refused():
    one, other = encode("put the red ball near the blue box"), encode("put the blue box near the red ball")
    assert not np.array_equal(one, other) and one.sum() == other.sum() == 8
    places = one.reshape(-1, len(VOCABULARY)).argmax(1)[:8]
    assert [VOCABULARY[i] for i in places] == ["put", "the", "red", "ball", "near", "the", "blue", "box"]
    with pytest.raises(ValueError, match="unknown words"):
        encode("put the turquoise ball away")


@pytest.mark.parametrize("task", ["DoorKey-8x8", "KeyCorridorS3R3"])
def test_an_episode_that_is_cut_shows_its_true_last_observation(task: str):
    """Compared with the same grids under a longer limit."""
    cut, uncut = make(config_of(task, episode_steps=40), 3), make(config_of(task, episode_steps=400), 3)
    for env in (cut, uncut):
        env.reseed([1, 2, 3])
    assert np.array_equal(cut.reset(), uncut.reset())
    infos: list = []
    for row in np.random.default_rng(0).integers(0, 6, (40, 3)):
        shown, _, dones, infos = cut.step(row)
        true = uncut.step(row)[0]
    assert dones.all()
    for i in range(3):
        assert np.array_equal(infos[i]["terminal_observation"], true[i]) and infos[i]["TimeLimit.truncated"] is True
        assert not np.array_equal(shown[i], true[i])


def test_reaching_the_goal_ends_the_episode_with_the_reward_of_the_formula():
    env = make(MiniGridConfig(task="Empty-5x5", episode_steps=50), 1)
    env.enable_metrics()
    env.reset()
    forward, right = 2, 1
    for action in (forward, forward, right, forward):
        assert not env.step(np.array([action]))[2][0]
    _, rewards, dones, infos = env.step(np.array([forward]))
    assert dones[0] and rewards[0] == pytest.approx(1 - 0.9 * 5 / 50)
    assert infos[0]["TimeLimit.truncated"] is False
    assert infos[0]["metrics"] == {"success": 1.0, "time_to_first_reward": 5.0}


@pytest.mark.parametrize("engine", ["envpool", "minigrid"])
def test_a_goal_reached_in_the_last_step_is_an_end_and_no_limit(engine: str):
    env = make(MiniGridConfig.model_validate({"task": "Empty-5x5", "episode_steps": 5, "engine": engine}), 1)
    env.reset()
    for action in (2, 2, 1, 2):
        assert not env.step(np.array([action]))[2][0]
    _, rewards, dones, infos = env.step(np.array([2]))
    assert dones[0] and rewards[0] == pytest.approx(0.1) and infos[0]["TimeLimit.truncated"] is False


@pytest.mark.parametrize("channels", [3, 4, 20, 24])
@pytest.mark.parametrize("heads", [1, 2])
def test_the_network_takes_every_image_of_cells(channels: int, heads: int):
    network = MiniGridCNN(spaces.Box(0, 255, (channels, 7, 7), np.uint8), heads)
    features = network.features(torch.rand(5, channels, 7, 7))
    assert features.shape == (5, 128)
    assert network.policy_latent(features).shape == network.value_latent(features).shape == (5, 64)


def test_views_are_those_of_envpool_itself():
    task = EnvPoolTask("MiniGrid-DoorKey-8x8-v0")
    pool = task.open([9], 1)
    me = np.array([0], np.int32)
    env = make(MiniGridConfig(task="DoorKey-8x8", observation="image"), 1)
    env.reseed([9])
    assert np.array_equal(env.reset()[0], pool.reset(me)[0]["image"][0].transpose(2, 1, 0))
    for action in (1, 2, 2, 3, 5, 2):
        pool.send(np.array([action], np.int32), me)
        assert np.array_equal(env.step(np.array([action]))[0][0], pool.recv()[0]["image"][0].transpose(2, 1, 0))
