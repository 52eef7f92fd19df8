"""Crafter's worlds depend on their seeds alone, and count achievements."""

from __future__ import annotations

import numpy as np

from harness_crafter.config import CrafterConfig
from harness_crafter.environment import make
from harness_crafter.world import ACHIEVEMENTS, ACTIONS, METRICS, make_world

DO = 5


def test_names_are_crafters():
    import crafter

    env = crafter.Env()
    env.reset()
    assert tuple(sorted(env._player.achievements)) == ACHIEVEMENTS and len(ACHIEVEMENTS) == 22
    assert env.action_space.n == ACTIONS and env.action_names[DO] == "do"


def test_an_achievement_earns_one_once_and_is_told_at_the_end():
    world = make_world(CrafterConfig(episode_steps=4, health_reward=False))
    world.reset(seed=3)
    player = world._env._player
    rewards = []
    for name in ("collect_wood", "collect_wood", "eat_cow", None):
        if name:
            player.achievements[name] += 1
        _, reward, _, truncated, info = world.step(0)
        rewards.append(reward)
    assert rewards == [1, 0, 1, 0] and truncated
    told = info["metrics"]
    assert set(told) == set(METRICS) and told["achievements"] == 2
    assert {name for name in ACHIEVEMENTS if told[name]} == {"collect_wood", "eat_cow"}


def test_death_terminates_and_health_is_worth_a_tenth():
    world = make_world(CrafterConfig(episode_steps=100))
    world.reset(seed=3)
    world._env._player.health = 7
    assert np.isclose(world.step(0)[1], -0.2)
    world._env._player.health = 0
    _, _, dead, truncated, info = world.step(0)
    assert dead and not truncated and "metrics" in info


def test_worlds_in_processes_do_as_those_in_one():
    actions = np.random.default_rng(0).integers(0, ACTIONS, (25, 2))
    runs = []
    for threads in (1, 2):
        env = make(CrafterConfig(episode_steps=20), 2, threads=threads)
        env.reseed([1, 2])
        runs.append([env.reset()] + [part for row in actions for part in env.step(row)[:3]])
        env.close()
    assert all(np.array_equal(one, other) for one, other in zip(*runs, strict=True))


def test_creatures_of_a_region_are_kept_in_order():
    world = make_world(CrafterConfig())
    world.reset(seed=1)
    chunks = world._env._world.chunks
    place = {id(creature): number for number, creature in enumerate(world._env._world._objects)}
    orders = [[place[id(creature)] for creature in chunk] for chunk in chunks.values()]
    assert any(len(order) > 2 for order in orders) and all(order == sorted(order) for order in orders)
