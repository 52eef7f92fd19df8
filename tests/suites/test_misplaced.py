"""Keys that are right in another place of the suite: the message names that place."""

from __future__ import annotations

import pytest

from harness.errors import SuiteError
from harness.planning.load import load

SUITE = """
suite: small
environment: {family: deep_sea}
tasks:
  n4: {environment: {size: 4}}
algorithm: {name: ppo, n_envs: 4, n_steps: 16, batch_size: 32}
methods:
  ppo: {}
  rnd: {reward: rnd, config: {epochs: 1, minibatches: 2}}
seeds: 2
steps: 2048
evaluation: {every: 512, episodes: 2}
profiles:
  tiny: {steps: 512}
"""


@pytest.fixture
def suite(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text(SUITE)
    return file


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("methods.rnd.config.preset=burda2018", "one level up, as methods.rnd.preset"),
        ("methods.rnd.config.intrinsic_weight=0.5", "elsewhere, as methods.rnd.combine.intrinsic_weight"),
        ("methods.rnd.feature_dim=64", "under 'config', as methods.rnd.config.feature_dim"),
        ("methods.rnd.combine.reward=rnd", "one level up, as methods.rnd.reward"),
        ("methods.rnd.ent_coef=0.1", "under 'algorithm', as methods.rnd.algorithm.ent_coef"),
        ("methods.rnd.config.ent_coef=0.1", "elsewhere, as methods.rnd.algorithm.ent_coef"),
        ("methods.rnd.config.seeds=3", "three levels up, as seeds"),
        ("tasks.n4.size=6", "under 'environment', as tasks.n4.environment.size"),
        ("tasks.n4.family=deep_sea", "under 'environment', as tasks.n4.environment.family"),
        ("tasks.n4.low=0", "under 'normalise', as tasks.n4.normalise.low"),
        ("environment.normalise={low: 0, high: 1}", "elsewhere, as tasks.NAME.normalise"),
        ("algorithm.reward=rnd", "elsewhere, as methods.NAME.reward"),
        ("algorithm.episodes=3", "elsewhere, as evaluation.episodes"),
        ("evaluation.steps=3", "one level up, as steps"),
        ("evaluation.minutes=3", "elsewhere, as checkpoint.minutes"),
        ("n_envs=8", "under 'algorithm', as algorithm.n_envs"),
        ("episodes=5", "under 'evaluation', as evaluation.episodes"),
        ("family=deep_sea", "under 'environment', as environment.family"),
        ("trials=5", "under 'tune', as tune.trials"),
        ("algorithm.warm_up_steps=5", "elsewhere, as methods.rnd.config.warm_up_steps"),
        ("tasks.n4.feature_dim=5", "elsewhere, as methods.rnd.config.feature_dim"),
    ],
)
def test_fault_a_key_of_another_level_is_said_to_belong_there(suite, written, right):
    key, value = written.split("=")
    with pytest.raises(SuiteError) as failure:
        load(suite, overrides=[(key, value)])
    name = key.rpartition(".")[2]
    assert f"unknown key {name!r}: it belongs {right}" in str(failure.value)
    assert "did you mean" not in str(failure.value)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            "algorithm.n_step=8",
            "did you mean 'n_steps'?",
        ),
        ("evaluation.evry=8", "did you mean 'every'?"),
        ("methods.rnd.config.nonsense=8", "unknown key 'nonsense'"),
    ],
)
def test_a_misspelt_key_is_still_put_right_where_it_stands(suite, written, message):
    key, value = written.split("=")
    with pytest.raises(SuiteError) as failure:
        load(suite, overrides=[(key, value)])
    assert message in str(failure.value)
    assert "belongs" not in str(failure.value)


def test_a_profile_is_looked_through_as_well(suite):
    suite.write_text(SUITE.replace("tiny: {steps: 512}", "tiny: {steps: 512, episodes: 3}"))
    with pytest.raises(SuiteError, match=r"small\.yaml:14: profiles\.tiny\.episodes: .* as evaluation\.episodes"):
        load(suite)
