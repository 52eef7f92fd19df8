"""Per-episode state in a run: when it moves, when it is cleared, and how a run goes on with it; and bounded, decaying sums."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from support import episodic
from support.point_mass import PointMassConfig, make
from support.scripted import LoggingReward, ScriptedVecEnv
from support.specs import make_spec

from harness import Method, Transitions
from harness.algorithms.off_policy.relabelling import RelabellingVecEnv
from harness.algorithms.on_policy.intrinsic import IntrinsicRewardVecEnv
from harness.errors import PluginError
from harness.registry import Registry
from harness.registry.discovery import Plugin, PluginInfo
from harness.runs.folder import RunFolder
from harness.spec import Combination, RunSpec
from harness.training import checkpoints
from harness.training.contracts import load_reward


class TrackingReward(LoggingReward):
    """Notes when it is to follow episodes."""

    begun = 0

    def track(self, transitions: Transitions) -> None:
        self.calls.append(("track", transitions))

    def begin_episodes(self) -> None:
        self.begun += 1
        super().begin_episodes()


def tracked(n_envs: int = 2, rollout: int = 3, **combine: object):
    script = np.zeros((50, n_envs), dtype=bool)
    rewards = np.random.default_rng(1).normal(size=script.shape)
    reward = TrackingReward(n_envs)
    combination = Combination.model_validate(combine)
    return rewards, reward, IntrinsicRewardVecEnv(ScriptedVecEnv(script, script, rewards), reward, rollout, combination)


def test_episodes_are_followed_in_every_phase_and_before_anything_else():
    _, reward, env = tracked()
    reward.warm_up_steps = 2
    env.warm_up(seed=1)
    assert [name for name, _ in reward.calls] == ["observe", "observe"]
    env.reset()
    assert reward.begun == 2  # once more than before the random steps
    reward.calls.clear()
    env.step(np.zeros(2, dtype=np.int64))
    env.set_phase(1.0, 1.0, train_reward=False)
    env.step(np.zeros(2, dtype=np.int64))
    assert [name for name, _ in reward.calls] == ["track", "observe", "bonus", "track", "bonus"]
    assert reward.calls[0][1] is reward.calls[1][1] is reward.calls[2][1]


def test_what_follows_episodes_cannot_say_that_it_works_off_policy():
    works = Method(name="m", reward="support.episodic:EpisodeCounts", config="x:Y", works_with={"on_policy"})
    registry = Registry([Plugin(PluginInfo("own", "own", "1.0", "support"), (works,))])
    assert load_reward(registry, works) is episodic.EpisodeCounts
    both = Method(name="m", reward="support.episodic:EpisodeCounts", config="x:Y", works_with={"on_policy", "off_policy"})
    with pytest.raises(PluginError, match=r"must not name off_policy in works_with: it defines track\(\)"):
        load_reward(registry, both)


# Runs -----------------------------------------------------------------------------------------------------------------
def columns(results: Path, spec: RunSpec) -> list[list[str]]:
    rows = [line.split(",") for line in RunFolder.of(spec, results).progress_file.read_text().splitlines()]
    kept = [i for i, name in enumerate(rows[0]) if name not in ("time/time_elapsed", "time/fps")]
    return [[row[i] for i in kept] for row in rows]


@pytest.mark.parametrize("mode", ["sum", "two_critics"])
def test_a_run_that_was_interrupted_in_mid_episode_goes_on_as_if_it_had_not_been(tmp_path: Path, mode: str):
    """Episodes are 6 steps long and rollouts 20, so that checkpoints lie in mid-episode."""
    decay = {"decay": 1e-4, "clip_total": 0.5} if mode == "sum" else {}
    spec = episodic.with_counts(make_spec(steps=800, checkpoint_every=80), mode=mode, **decay)
    episodic.train(spec, tmp_path / "whole")
    asked = iter(range(100))
    for _ in range(3):
        episodic.train(spec, tmp_path / "broken", stop=lambda: next(asked) % 4 == 3)
    episodic.train(spec, tmp_path / "broken")
    assert columns(tmp_path / "whole", spec) == columns(tmp_path / "broken", spec)
    states = [checkpoints.load(RunFolder.of(spec, tmp_path / name).checkpoint) for name in ("whole", "broken")]
    memories = [state[1]["reward"] for state in states if state is not None]
    assert memories[0]["seen.rings.counts"].tolist() == memories[1]["seen.rings.counts"].tolist()
    assert any(memories[0]["seen.rings.counts"] > 0)  # it ends in mid-episode as well
    torch.testing.assert_close(memories[0]["seen.rings.rows"], memories[1]["seen.rings.rows"])
    remembered = columns(tmp_path / "whole", spec)[0].index("intrinsic/remembered")
    assert {row[remembered] for row in columns(tmp_path / "whole", spec)[1:]} != {"0.0"}


def test_a_ring_of_a_run_holds_an_episode_of_its_task(tmp_path: Path):
    spec = episodic.with_counts(make_spec(steps=80))
    episodic.train(spec, tmp_path)
    found = checkpoints.load(RunFolder.of(spec, tmp_path).checkpoint)
    assert found is not None
    assert found[1]["reward"]["seen.rings.rows"].shape == (4, 7, 36)  # 6 steps, and the first state


# Combinations ---------------------------------------------------------------------------------------------------------
def test_a_sum_is_bounded_and_its_bonus_decays_with_the_steps_of_the_run():
    rewards, _, env = tracked(mode="sum", intrinsic_weight=0.002, extrinsic_weight=1.5, decay=0.01, clip_total=1.0)
    env.reset()
    bounded = 0
    for row in range(40):
        _, found, _, _ = env.step(np.zeros(2, dtype=np.int64))
        bonus = np.array([0, 1000]) + 10 + row + 1.0
        wanted = 1.5 * rewards[row] + 0.002 * 0.99 ** (2 * row) * bonus
        bounded += int((abs(wanted) > 1).sum())
        np.testing.assert_allclose(found, wanted.clip(-1, 1), rtol=1e-5)
    assert 0 < bounded < 80
    assert env.pop_metrics()["intrinsic_weight"] == pytest.approx(0.002 * 0.99**80)
    env.resume_from(env.venv.reset(), steps=10)
    assert env.intrinsic_weight == pytest.approx(0.002 * 0.99**10)


def test_a_weight_that_does_not_decay_is_not_logged():
    _, _, env = tracked(mode="sum")
    assert "intrinsic_weight" not in env.pop_metrics()


def test_a_relabelled_sum_is_bounded_and_decays_as_well():
    venv = make(PointMassConfig(), 2)
    reward = LoggingReward(2, venv.observation_space)
    combination = Combination(mode="sum", intrinsic_weight=0.5, decay=0.1, clip_total=2.0)
    env = RelabellingVecEnv(venv, reward, combination)
    env.reset()
    for _ in range(3):
        env.step(np.zeros((2, *venv.action_space.shape), dtype=np.float32))
    assert env.steps == 6
    batch = reward.calls[-1][1]
    reward.bonus = lambda transitions: torch.tensor([1.0, 100.0])  # type: ignore[method-assign]
    wanted = (batch.reward + 0.5 * 0.9**6 * torch.tensor([1.0, 100.0])).clamp(-2, 2)
    torch.testing.assert_close(env.relabel(batch), wanted)
    assert wanted[1] == 2
    assert env.pop_metrics()["intrinsic_weight"] == pytest.approx(0.5 * 0.9**6)


@pytest.mark.parametrize("setting", [{"clip_total": 1.0}, {"decay": 1e-5}])
def test_two_critics_have_no_sum_to_bound_or_let_decay(setting: dict[str, float]):
    with pytest.raises(ValidationError, match="has no effect with mode 'two_critics', only with 'sum'"):
        Combination.model_validate(setting)
    with pytest.raises(ValidationError):
        Combination.model_validate({"mode": "sum"} | {name: -value for name, value in setting.items()})


RECORDED = {"sum": ("e89468a2", "ce40fd6b"), "two_critics": ("a7935d05", "dcb946fa")}
"""Digests of these runs before there were bounds and decay."""


def test_what_is_at_its_default_leaves_no_trace_in_identities():
    summed, two_critics = make_spec(reward="rnd", combine={"mode": "sum"}), make_spec(reward="rnd")
    assert (summed.digest, summed.method_digest) == RECORDED["sum"]
    assert (two_critics.digest, two_critics.method_digest) == RECORDED["two_critics"]
    assert {"clip_total", "decay"}.isdisjoint(summed.model_dump(mode="json")["reward"]["combine"])
    digests = [make_spec(reward="rnd", combine={"mode": "sum"} | more).digest for more in ({"clip_total": 1}, {"decay": 1e-5})]
    assert len({summed.digest, *digests}) == 3
    again = RunSpec.model_validate_json(make_spec(reward="rnd", combine={"mode": "sum", "decay": 1e-5}).model_dump_json())
    assert again.digest == digests[1]
