"""The kinds of environments in which methods are tried: scripts that are what they say, and environments that follow them."""

from __future__ import annotations

import numpy as np
import pytest

from harness.testing import ENVIRONMENT_KINDS, ScriptedVecEnv, constant_script, random_script


@pytest.mark.parametrize("kind", ENVIRONMENT_KINDS, ids=str)
def test_observations_and_actions_are_of_their_spaces(kind):
    script = random_script(kind, 1)
    assert all(kind.spaces.observation.contains(obs) for obs in script.obs.reshape(-1, *script.obs.shape[2:]))
    assert all(kind.spaces.action.contains(action) for action in script.action.reshape(-1, *script.action.shape[2:]))


def test_equal_seeds_give_equal_scripts_and_states_do_not_repeat():
    for kind in ENVIRONMENT_KINDS:
        one, same, other = (random_script(kind, seed) for seed in (1, 1, 2))
        assert np.array_equal(one.obs, same.obs)
        states = np.concatenate([s.obs.reshape(-1, s.obs[0, 0].size) for s in (one, other)])
        assert len(np.unique(states, axis=0)) == len(states)


def test_an_episode_ends_in_its_own_last_observation():
    script = random_script(ENVIRONMENT_KINDS[0], 1).with_ends((2, 0), (5, 3))
    assert script.done.sum() == 2
    assert np.array_equal(script.next_obs[2, 0], script.final[2, 0])
    assert np.array_equal(script.next_obs[2, 1], script.obs[3, 1])


def test_keeping_takes_what_the_masks_name_and_nothing_else():
    one, other = (random_script(ENVIRONMENT_KINDS[0], seed) for seed in (1, 2))
    mask = np.zeros((len(one) + 1, 4), dtype=bool)
    mask[3, 0] = True
    mixed = one.keeping(other, obs=mask)
    assert np.array_equal(mixed.obs[3, 0], one.obs[3, 0])
    mixed.obs[3, 0] = other.obs[3, 0]
    assert np.array_equal(mixed.obs, other.obs)
    assert np.array_equal(mixed.action, other.action)


def test_environments_follow_the_script_and_promise_what_families_promise():
    script = random_script(ENVIRONMENT_KINDS[2], 3, n_steps=40)
    environments = ScriptedVecEnv(ENVIRONMENT_KINDS[2].spaces, script)
    assert np.array_equal(environments.reset(), script.obs[0])
    assert environments.frame_channels == 1
    for t, action in enumerate(script.action):
        observations, rewards, dones, infos = environments.step(action)
        assert np.array_equal(observations, script.obs[t + 1])
        assert np.array_equal(rewards, script.reward[t])
        assert np.array_equal(dones, script.done[t])
        for i, info in enumerate(infos):
            assert bool(info) == dones[i]
            if info:
                assert np.array_equal(info["terminal_observation"], script.final[t, i])
                assert info["TimeLimit.truncated"] == script.truncated[t, i]
    assert script.terminated.any()
    assert script.truncated.any()
    assert not (script.terminated & script.truncated).any()


def test_constant_scripts_are_constant():
    script = constant_script(ENVIRONMENT_KINDS[2], 255)
    assert (script.obs == 255).all()
    assert (script.final == 255).all()
    assert script.obs.dtype == np.uint8
