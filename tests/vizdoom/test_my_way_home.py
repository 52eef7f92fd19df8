"""The labyrinth pays for its vest, begins where it should, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import psutil
import pytest

from harness_vizdoom import environment
from harness_vizdoom.config import START_SPOTS, VizDoomConfig
from harness_vizdoom.environment import make
from harness_vizdoom.scenario import with_start_spots, write_scenario

FORWARD, RIGHT = 1, 2


def in_the_vests_room(monkeypatch: pytest.MonkeyPatch) -> VizDoomConfig:
    monkeypatch.setitem(START_SPOTS, "my_way_home_sparse", range(26, 27))
    return VizDoomConfig(task="my_way_home_sparse", episode_steps=100)


def test_the_vest_earns_one_and_terminates(monkeypatch: pytest.MonkeyPatch):
    env = make(in_the_vests_room(monkeypatch), 2)
    env.enable_metrics()
    env.reseed([5, 6])
    env.reset()
    rng, found, cut = np.random.default_rng(0), 0, 0
    for _ in range(400):
        _, rewards, dones, infos = env.step(rng.choice([FORWARD, FORWARD, RIGHT, 3], 2))
        for i in np.flatnonzero(dones):
            truncated = infos[i]["TimeLimit.truncated"]
            found, cut = found + (not truncated), cut + truncated
            assert rewards[i] == pytest.approx(-0.0004 if truncated else 0.9996)
            assert infos[i]["metrics"]["success"] == float(not truncated)
        assert np.allclose(rewards[~dones], -0.0004)
    env.close()
    assert found and cut


def test_fixed_starts_differ_in_direction_only_and_from_each_other():
    views = {}
    for task in ("my_way_home_sparse", "my_way_home_very_sparse"):
        env = make(VizDoomConfig(task=task, size=36), 2)
        env.reseed([1, 2])
        views[task] = env.reset()
        env.close()
    assert not np.array_equal(*views.values())


def test_a_reset_in_the_middle_begins_new_games():
    env = make(VizDoomConfig(task="my_way_home", size=36), 1)
    env.reseed([3])
    env.reset()
    for _ in range(5):
        env.step(np.array([FORWARD]))
    again = env.reset()
    assert np.array_equal(again[0, :1].repeat(4, axis=0), again[0]), "the stack holds images of the episode before"
    env.reseed([3])
    env.reset()
    assert np.array_equal(env.reset(), again), "seeds that follow from the last ones must be the same twice"
    env.close()


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    env = make(VizDoomConfig(task="my_way_home_sparse", size=36), 2)
    env.reset()
    children = [child for child in psutil.Process().children() if child.name() == "vizdoom"]
    assert len(children) == 2
    env.close()
    assert psutil.wait_procs(children, timeout=10)[1] == []
    assert list(tmp_path.iterdir()) == []


def test_only_the_range_of_starts_is_changed(tmp_path: Path):
    _, world = write_scenario(tmp_path, range(10, 27), grayscale=True)
    original = world.read_bytes()
    changed = with_start_spots(original, range(15, 16))
    assert len(changed) == len(original) and sum(a != b for a, b in zip(original, changed, strict=True)) == 2
    assert "screen_format = CRCGCB" in write_scenario(tmp_path, range(10, 27), grayscale=False)[0].read_text()


@pytest.mark.parametrize("places", [range(9, 11), range(26, 28), range(10, 10), range(10, 14, 2)])
def test_places_that_are_not_on_the_map_are_refused(places: range):
    with pytest.raises(ValueError, match="from 10 to 26"):
        with_start_spots(b"", places)


def test_another_map_is_refused():
    with pytest.raises(ValueError, match=r"my_way_home\.wad"):
        with_start_spots(b"PWAD" + bytes(64), range(10, 11))


def test_actions_out_of_range_are_refused():
    with pytest.raises(ValueError, match="from 0 to 3"):
        environment._button_presses(np.array([4]))
