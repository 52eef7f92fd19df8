"""Scoring: full episodes, raw returns, quotas fixed in advance."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.scripted import ScriptedVecEnv
from support.specs import make_spec

from harness.spec import EvaluationSpec
from harness.training import evaluation
from harness.training.evaluation import evaluate


class Player:
    """Draws from torch's global generator, as SB3's policies do."""

    def __init__(self) -> None:
        self.modes: set[bool] = set()

    def predict(self, observations: np.ndarray, *, deterministic: bool, **_) -> tuple[np.ndarray, None]:
        self.modes.add(deterministic)
        return torch.randint(3, (len(observations),)).numpy(), None


def scripted() -> ScriptedVecEnv:
    """Environment 0 ends every 2 steps, environment 1 every 5; the reward is 10 per step in 1 and 1 per step in 0."""
    terminated = np.zeros((10, 2), dtype=bool)
    terminated[1::2, 0] = True
    terminated[4::5, 1] = True
    return ScriptedVecEnv(terminated, np.zeros_like(terminated), np.tile([1.0, 10.0], (10, 1)))


def test_short_episodes_are_not_favoured() -> None:
    episodes = evaluate(scripted(), Player(), EvaluationSpec(every=1, episodes=6), seed=0, index=0)
    assert [(episode.episode_return, episode.length) for episode in episodes] == [(2.0, 2)] * 3 + [(50.0, 5)] * 3


def test_uneven_quotas() -> None:
    episodes = evaluate(scripted(), Player(), EvaluationSpec(every=1, episodes=3), seed=0, index=0)
    assert [episode.length for episode in episodes] == [2, 2, 5]


def test_the_global_generators_are_put_back_and_the_mode_is_passed_on() -> None:
    torch.manual_seed(0)
    np.random.seed(0)
    expected = torch.rand(3), np.random.rand(3)
    torch.manual_seed(0)
    np.random.seed(0)
    player = Player()
    evaluate(scripted(), player, EvaluationSpec(every=1, episodes=2, deterministic=True), seed=0, index=0)
    assert torch.equal(torch.rand(3), expected[0])
    assert (np.random.rand(3) == expected[1]).all()
    assert player.modes == {True}


def test_each_evaluation_has_its_own_seeds() -> None:
    env = scripted()
    for index in (0, 1, 0):
        evaluate(env, Player(), EvaluationSpec(every=1, episodes=2), seed=0, index=index)
    assert env.resets[0] == env.resets[2]
    assert not set(env.resets[0]) & set(env.resets[1])


def endless(ending: int) -> ScriptedVecEnv:
    """Environment 0 ends every 3 steps, environment 1 only at step ``ending`` of a long script; a reward of 1 per step."""
    terminated = np.zeros((60, 2), dtype=bool)
    terminated[2::3, 0] = True
    terminated[ending - 1, 1] = True
    return ScriptedVecEnv(terminated, np.zeros_like(terminated), np.ones((60, 2)))


def test_fault_j_an_episode_without_end_is_cut_and_said_to_be() -> None:
    env = endless(60)
    episodes = evaluate(env, Player(), EvaluationSpec(every=1, episodes=2, max_steps=20), seed=0, index=0)
    assert [(one.episode_return, one.length, one.cut) for one in episodes] == [(3.0, 3, False), (20.0, 20, True)]
    assert len(env.resets) == 1


def test_fault_j_after_a_cut_the_remaining_episodes_begin_anew_with_other_seeds() -> None:
    env = endless(60)
    episodes = evaluate(env, Player(), EvaluationSpec(every=1, episodes=5, max_steps=10), seed=0, index=0)
    assert [one.length for one in episodes] == [3, 3, 3, 10, 10]
    assert [one.cut for one in episodes] == [False] * 3 + [True] * 2
    assert len(env.resets) == 2
    assert not set(env.resets[0]) & set(env.resets[1])


def test_fault_j_a_bound_that_no_episode_reaches_changes_nothing() -> None:
    bounded, unbounded = (
        evaluate(scripted(), Player(), EvaluationSpec(every=1, episodes=6, max_steps=bound), seed=0, index=0)
        for bound in (5, None)
    )
    assert bounded == unbounded


def test_fault_j_somebody_who_waits_is_told() -> None:
    env, told = endless(60), list[str]()
    env.terminated[:, 1] = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "FIRST_NOTICE_STEPS", 100)
        evaluate(env, Player(), EvaluationSpec(every=1, episodes=2, max_steps=450), seed=0, index=0, on_wait=told.append)
    assert told == [f"still in the same evaluation episode after {steps} steps" for steps in (100, 200, 400)]
    env.terminated[:, 0] = False
    with pytest.MonkeyPatch.context() as patch, pytest.raises(StopIteration):
        patch.setattr(evaluation, "FIRST_NOTICE_STEPS", 100)

        def stop(notice: str) -> None:
            told.append(notice)
            raise StopIteration

        evaluate(env, Player(), EvaluationSpec(every=1, episodes=2), seed=0, index=0, on_wait=stop)
    assert told[-1] == "still in its first evaluation episode after 100 steps; evaluation: {max_steps: N} bounds one"


def test_fault_j_a_bound_is_part_of_the_identity_only_where_it_is_set() -> None:
    spec = make_spec()
    assert "max_steps" not in spec.model_dump(mode="json")["evaluation"]
    bounded = spec.model_copy(update={"evaluation": spec.evaluation.model_copy(update={"max_steps": 100})})
    assert bounded.digest != spec.digest
    assert type(spec).model_validate(bounded.model_dump(mode="json")) == bounded
