"""`suites/atari_hard.yaml` says what it means to say: the six games, their constants, and nothing left to a default."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from harness.planning.load import load
from harness.spec import RunSpec
from harness_atari.config import AtariConfig
from harness_snd.presets import ETA as SND_ETA

SUITE = Path(__file__).parents[2] / "suites" / "atari_hard.yaml"
METHODS = {"ppo", "rnd", "snd_std", "snd_v", "snd_vic"}
PROFILES = [None, "smoke", "laptop", "paper", "common", "snd_study"]
ETA = {"venture": 0.25, "private_eye": 0.5, "solaris": 0.5}  # of SND-STD, 1 elsewhere: Iskandor/SND config/ppo.config.json
RANDOM_AND_HUMAN = {  # google-deepmind/dqn_zoo, dqn_zoo/atari_data.py
    "montezuma_revenge": (0.0, 4753.3),
    "gravitar": (173.0, 3351.4),
    "venture": (0.0, 1187.5),
    "private_eye": (24.9, 69571.3),
    "pitfall": (-229.4, 6463.7),
    "solaris": (1236.3, 12326.7),
}


@cache
def runs(profile: str | None) -> list[RunSpec]:
    return list(load(SUITE, profile=profile).runs)


@pytest.mark.parametrize("profile", PROFILES)
def test_six_games_and_all_methods_at_every_scale(profile: str | None):
    specs = runs(profile)
    assert {spec.task for spec in specs} == RANDOM_AND_HUMAN.keys()
    assert {spec.method for spec in specs} == METHODS
    for spec in specs:
        config = AtariConfig.model_validate(spec.environment.config)
        assert (config.game, config.sticky, config.time_limit) == (spec.task, 0.25, "terminates")
        assert (spec.reward is None) == (spec.method == "ppo")


def test_scores_are_normalised_by_random_and_human_play():
    for spec in runs(None):
        assert spec.normalise is not None and "dqn_zoo" in spec.normalise.source
        low, high = RANDOM_AND_HUMAN[spec.task]
        assert (spec.normalise(low), spec.normalise(high)) == (0.0, 1.0)


def test_every_setting_of_the_environment_is_written_down():
    assert load(SUITE).suite.environment.settings.keys() == AtariConfig.model_fields.keys() - {"game"}


def test_paper_is_the_published_scale():
    assert [spec.digest for spec in runs("paper")] == [spec.digest for spec in runs(None)]
    for spec in runs("paper"):
        algorithm = spec.algorithm.config
        assert (spec.steps, algorithm["n_envs"], algorithm["n_steps"]) == (128_000_000, 128, 128)


def test_in_paper_each_method_has_the_settings_that_it_was_published_with():
    for spec in runs("paper"):
        seen, algorithm = AtariConfig.model_validate(spec.environment.config), spec.algorithm.config
        if not spec.method.startswith("snd"):
            assert (algorithm["network"], algorithm["gamma"]) == ("burda2018", 0.999)
            assert seen == AtariConfig(game=spec.task)
            continue
        assert (algorithm["network"], algorithm["gamma"], algorithm["batch_size"]) == ("pechac2024", 0.998, 512)
        assert seen == AtariConfig(game=spec.task, size=96, resize="bicubic", reward_transform="positive_sign")
        assert spec.reward is not None and spec.reward.combine.last_step == "zero"
        eta = {"snd_v": 0.5, "snd_std": ETA.get(spec.task, 1.0), "snd_vic": 0.25}[spec.method]
        assert spec.reward.config["eta"] == eta == SND_ETA[spec.method][spec.task]


def test_in_common_everything_but_the_bonus_is_alike():
    specs = runs("common")
    for spec in specs:
        assert AtariConfig.model_validate(spec.environment.config) == AtariConfig(game=spec.task)
        assert spec.algorithm == specs[0].algorithm and spec.algorithm.config["network"] == "burda2018"
        assert spec.suite == "atari_hard_common"
        if spec.method == "snd_std":
            assert spec.reward is not None and spec.reward.config["eta"] == 1


def test_the_study_differs_where_it_is_known_to():
    for spec in runs("snd_study"):
        config = AtariConfig.model_validate(spec.environment.config)
        assert (config.size, config.resize, config.reward_transform) == (96, "bicubic", "positive_sign")
        assert (spec.steps, spec.algorithm.config["network"]) == (128_000_000, "pechac2024")
        if spec.reward:
            assert spec.reward.combine.episodic and spec.reward.config["bonus_normalisation"] == "none"


def test_smoke_is_small_and_is_scored_once():
    specs = runs("smoke")
    assert len(specs) == len(RANDOM_AND_HUMAN) * len(METHODS)
    for spec in specs:
        rollout = spec.algorithm.config["n_envs"] * spec.algorithm.config["n_steps"]
        assert spec.steps == spec.evaluation.every == 2 * rollout
        assert spec.checkpoint_every == rollout
        assert spec.evaluation.episodes * spec.environment.config["episode_steps"] <= 1024
