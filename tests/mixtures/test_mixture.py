"""Mixtures against their members, one beside the other; and as a method like any other."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from support import episodic
from support.off_policy import SMALL_RND
from support.off_policy import registry as off_policy_registry
from support.off_policy import train as train_off_policy

from harness import Method
from harness.errors import SuiteError, UserError
from harness.planning.load import load
from harness.registry import Registry, installed
from harness.registry.mixtures import Mixture, describe_mixture
from harness.rewards import IntrinsicReward
from harness.runs.folder import RunFolder
from harness.spec import RunSpec
from harness.testing import Subject, run_checks
from harness.testing.scripted_envs import ENVIRONMENT_KINDS, EnvironmentKind
from harness.testing.subject import ConformanceCase
from harness.tuning.space import method_space

TINY_RND = {"warm_up_steps": 4, "feature_dim": 8, "hidden": [8], "epochs": 1, "minibatches": 1}
TINY_SND = {"feature_dim": 8, "minibatches": 1}

SUITE = """\
suite: s
environment: {family: FAMILY}
tasks: {one: {}}
algorithm: ALGORITHM
methods:
  both:
    reward: REWARD
    config: CONFIG
seeds: 1
steps: 800
evaluation: {every: 800, episodes: 2}
checkpoint: {every: 80}
"""

PPO = "{name: ppo, n_envs: 4, n_steps: 20, batch_size: 40}"
SAC = "{name: sac, n_envs: 2, learning_starts: 50, batch_size: 16, buffer_size: 400, net_arch: [8], log_every: 100}"


def runs(
    tmp_path: Path, reward: str, config: dict, *, family: str = "deep_sea, size: 6", algorithm: str = PPO, registry=None
) -> list[RunSpec]:
    text = SUITE.replace("FAMILY", family).replace("ALGORITHM", algorithm)
    file = tmp_path / "suite.yaml"
    file.write_text(text.replace("REWARD", reward).replace("CONFIG", json.dumps(config)))
    return list(load(file, registry=registry).runs)


def refusal(tmp_path: Path, *args, **kwargs) -> str:
    with pytest.raises(SuiteError) as caught:
        runs(tmp_path, *args, **kwargs)
    return str(caught.value)


def case(name: str, config: dict, kind: EnvironmentKind = ENVIRONMENT_KINDS[0], registry: Registry | None = None):
    return ConformanceCase(Subject.named(name, config=config, registry=registry), kind)


# What a mixture computes ----------------------------------------------------------------------------------------------
IMAGES = ENVIRONMENT_KINDS[2]
MEMBERS = {"rnd": TINY_RND, "snd_vic": TINY_SND}


def member(mixture: IntrinsicReward, name: str) -> IntrinsicReward:
    found = mixture.members[name]  # type: ignore[index]
    assert isinstance(found, IntrinsicReward)
    return found


@pytest.mark.parametrize("kind", [ENVIRONMENT_KINDS[0], IMAGES], ids=str)
def test_a_sum_is_that_of_its_members_each_with_its_own_normaliser_and_view(kind: EnvironmentKind):
    config = {"weights": {"rnd": 2.0, "snd_vic": 0.25}, **MEMBERS}
    tried = case("rnd+snd_vic", config, kind)
    mixture, twin = tried.build(3), tried.build(3)
    alone = {name: member(twin, name) for name in MEMBERS}
    script = tried.script(1)
    own = {name: [tried._step(one, script, t) for t in range(len(script))] for name, one in alone.items()}
    for _ in range(mixture.warm_up_steps):
        mixture.observe(tried.steps(mixture, script)[0])
        alone["rnd"].observe(own["rnd"][0])
    for t, step in enumerate(tried.steps(mixture, script)):
        mixture.observe(step)
        for name, one in alone.items():
            one.observe(own[name][t])
        raw = {name: one.bonus(own[name][t]) for name, one in alone.items()}
        normaliser = alone["rnd"].normaliser
        assert normaliser is not None
        expected = 2 * normaliser.normalise_step(raw["rnd"], start="horizon") + 0.25 * raw["snd_vic"]
        torch.testing.assert_close(mixture.bonus(step), expected)
    metrics = mixture.update(tried.rollout(mixture, script)) | mixture.diagnose(tried.rollout(mixture, script))
    expected_metrics = {
        f"{name}_{key}": value for name, one in alone.items() for key, value in one.update(tried.rollout(one, script)).items()
    }
    for name, value in expected_metrics.items():
        assert metrics[name] == pytest.approx(value, rel=1e-5), name
    assert metrics["rnd_return_std"] > 0
    assert metrics["rnd_bonus"] > 0


def test_a_product_multiplies_the_episodic_novelty_by_the_standardised_lifelong_one():
    tried = case("rnd*episode_counts", {"rnd": TINY_RND | {"observation_normalisation": "none"}, "limit": 1.5},
                 ENVIRONMENT_KINDS[1], registry=episodic.registry())  # fmt: skip
    mixture, twin = tried.build(3), tried.build(3)
    script, seen, factors = tried.script(1), [], []
    lifelong, episodic_part = member(twin, "rnd"), member(twin, "episode_counts")
    for t, step in enumerate(tried.steps(mixture, script)):
        mixture.track(step)
        mixture.observe(step)
        own = tried._step(episodic_part, script, t)
        episodic_part.track(own)
        error = lifelong.bonus(tried._step(lifelong, script, t)).double()
        seen.append(error)
        everything = torch.cat(seen)
        factor = (1 + (error - everything.mean()) / everything.std(correction=0)).clamp(1, 1.5)
        factors.append(factor)
        expected = factor * episodic_part.bonus(own)
        torch.testing.assert_close(mixture.bonus(step).double(), expected, rtol=2e-3, atol=1e-4)
    together = torch.cat(factors)
    assert (together == 1).any() and (together > 1).any()


def test_members_see_what_they_would_see_alone_byte_for_byte():
    tried = case("rnd+snd_vic", MEMBERS, IMAGES)
    mixture = tried.build(0)
    observations = tried.script(2).obs[0]
    packed = torch.as_tensor(mixture.view(observations))
    assert packed.dtype == torch.uint8
    views = mixture._joint.unpack(packed)  # type: ignore[union-attr,operator]
    for view, name in zip(views, MEMBERS, strict=True):
        np.testing.assert_array_equal(view.numpy(), member(mixture, name).view(observations))


def test_observations_that_all_members_see_whole_are_not_packed():
    tried = case("episode_counts+rnd", {"rnd": TINY_RND | {"frames": "all"}}, ENVIRONMENT_KINDS[1], episodic.registry())
    mixture = tried.build(0)
    observations = tried.script(2).obs[0]
    assert torch.as_tensor(mixture.view(observations)).shape[1] in (6, 6 * 4 * 2)


# What a mixture is called and may be ----------------------------------------------------------------------------------
def test_a_mixture_is_described_by_its_members():
    described = installed().method("snd_vic+rnd")
    assert isinstance(described, Mixture)
    assert described.name == "rnd+snd_vic"
    assert described.works_with == installed().method("rnd").works_with & installed().method("snd_vic").works_with
    assert installed().method("rnd+snd_vic") is described
    assert next(iter(installed().presets(described))) == "burda2018+" + next(
        iter(installed().presets(installed().method("snd_vic")))
    )
    names = {parameter.name for parameter in method_space(described, installed()).parameters}
    assert {"config.rnd.learning_rate", "config.snd_vic.learning_rate", "config.weights.rnd"} <= names


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rnd+nosuch", "unknown method 'nosuch'"),
        ("rnd+rnd", "'rnd' is in the mixture twice"),
        ("rnd*snd_vic*rnd", "a product has two members"),
    ],
)
def test_what_cannot_be_mixed_is_refused_by_name(name: str, message: str):
    with pytest.raises(UserError, match=message):
        installed().method(name)


def test_methods_that_no_learner_could_train_together_cannot_be_mixed():
    kinds = {"a": frozenset({"on_policy"}), "b": frozenset({"off_policy", "discrete"}), "c": frozenset({"off_policy"})}
    members = {name: Method(name=name, reward="x:X", config="x:Y", works_with=kinds[name]) for name in kinds}  # type: ignore[arg-type]
    assert describe_mixture("sum", [members["c"], members["b"]]).works_with == {"off_policy", "discrete"}
    with pytest.raises(UserError, match=r"'a\+c' is no mixture .* a needs on_policy, c needs off_policy"):
        describe_mixture("sum", [members["a"], members["c"]])


# In a suite -----------------------------------------------------------------------------------------------------------
def test_a_suite_names_weights_or_the_parts_of_a_product(tmp_path: Path):
    (spec,) = runs(tmp_path, "{mix: {snd_vic: 0.5, rnd: 2}}", MEMBERS)
    assert spec.reward is not None
    assert spec.reward.name == "rnd+snd_vic"
    assert spec.reward.config["weights"] == {"rnd": 2.0, "snd_vic": 0.5}
    assert spec.reward.config["rnd"]["feature_dim"] == 8  # type: ignore[index,call-overload]
    assert spec.reward.config["rnd"]["learning_rate"] == 1e-4  # type: ignore[index,call-overload]
    assert spec.reward.combine.mode == "two_critics"
    again = RunSpec.model_validate_json(spec.model_dump_json())
    assert (again, again.digest) == (spec, spec.digest)
    (same,) = runs(tmp_path, "rnd+snd_vic", {"weights": {"rnd": 2.0, "snd_vic": 0.5}, **MEMBERS})
    assert same.digest == spec.digest
    (other,) = runs(tmp_path, "{mix: {snd_vic: 0.6, rnd: 2}}", MEMBERS)
    assert other.digest != spec.digest
    (product,) = runs(tmp_path, "{product: {lifelong: rnd, episodic: snd_vic}}", {"limit": 3, **MEMBERS})
    assert product.reward is not None
    assert (product.reward.name, product.reward.config["limit"]) == ("rnd*snd_vic", 3.0)


@pytest.mark.parametrize(
    ("reward", "config", "message"),
    [
        ("{mix: {rnd: 1}}", {}, "methods.both.reward: a mixture has two members or more"),
        ("{mix: {rnd: 1, nosuch: 1}}", {}, "methods.both.reward: unknown method 'nosuch'"),
        ("{mix: {rnd: 1, snd_vic: -1}}", {}, "methods.both.reward.mix.snd_vic"),
        ("{mix: {rnd: 1, snd_vic: much}}", {}, "methods.both.reward.mix.snd_vic"),
        ("{mix: {rnd: 1, snd_vic: 1}}", {"rnd": {"epoch": 3}}, "methods.both.config.rnd.epoch: method 'rnd+snd_vic' with"),
        ("{sum: {rnd: 1, snd_vic: 1}}", {}, ": expected the name of a method, {mix:"),
        ("{product: {rnd: 1, snd_vic: 1}}", {}, ": expected the name of a method, {mix:"),
    ],
)  # fmt: skip
def test_a_mixture_that_cannot_be_is_refused_with_its_place(tmp_path: Path, reward: str, config: dict, message: str):
    assert message in refusal(tmp_path, reward, config)


def test_an_episodic_member_keeps_the_mixture_from_replay_buffers(tmp_path: Path):
    message = refusal(tmp_path, "{mix: {rnd: 1, episode_counts: 1}}", {}, registry=episodic.registry(), algorithm=SAC)
    assert "needs a learner of kind on_policy, for its bonus or its learning needs steps in the order of time" in message


# Runs -----------------------------------------------------------------------------------------------------------------
def log(results: Path, spec: RunSpec) -> list[list[str]]:
    rows = [line.split(",") for line in RunFolder.of(spec, results).progress_file.read_text().splitlines()]
    kept = [i for i, name in enumerate(rows[0]) if name not in ("time/time_elapsed", "time/fps")]
    return [[row[i] for i in kept] for row in rows]


@pytest.mark.parametrize(
    "reward", ["{mix: {rnd: 1, episode_counts: 0.5}}", "{product: {lifelong: rnd, episodic: episode_counts}}"]
)
def test_an_interrupted_mixture_goes_on_as_if_it_had_not_been(tmp_path: Path, reward: str):
    (spec,) = runs(tmp_path, reward, {"rnd": TINY_RND}, registry=episodic.registry())
    episodic.train(spec, tmp_path / "whole")
    asked = iter(range(100))
    for _ in range(3):
        episodic.train(spec, tmp_path / "broken", stop=lambda: next(asked) % 4 == 3)
    episodic.train(spec, tmp_path / "broken")
    assert log(tmp_path / "whole", spec) == log(tmp_path / "broken", spec)
    assert "intrinsic/rnd_predictor_loss" in log(tmp_path / "whole", spec)[0]
    assert "intrinsic/episode_counts_bonus" in log(tmp_path / "whole", spec)[0]
    record = json.loads(RunFolder.of(spec, tmp_path / "whole").record_file.read_text())
    assert "episodic" in record["provenance"]["plugins"]


def test_a_mixture_learns_off_policy_and_resumes(tmp_path: Path):
    config = {"rnd": SMALL_RND}
    (spec,) = runs(tmp_path, "{mix: {rnd: 0.5, encoding: 0.1}}", config, family="point_mass", algorithm=SAC,
                   registry=off_policy_registry())  # fmt: skip
    assert spec.reward is not None
    assert spec.reward.combine.mode == "sum"
    train_off_policy(spec, tmp_path / "whole")
    asked = iter(range(1000))
    for _ in range(2):
        train_off_policy(spec, tmp_path / "broken", stop=lambda: next(asked) % 30 == 29)
    train_off_policy(spec, tmp_path / "broken")
    assert log(tmp_path / "whole", spec) == log(tmp_path / "broken", spec)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "config"), [("rnd+snd_vic", MEMBERS), ("rnd*snd_vic", MEMBERS)])
def test_a_mixture_passes_the_conformance_kit(name: str, config: dict):
    failed = [f"{result.check}: {result.message}" for result in run_checks(Subject.named(name, config=config))
              if result.outcome == "failed"]  # fmt: skip
    assert not failed
