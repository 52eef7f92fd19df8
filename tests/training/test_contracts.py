"""What a plugin names is refused by name where it does not meet its contract, with the plugin that it comes from."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from harness import Algorithm, AlgorithmConfig, Config, EnvironmentConfig, EnvironmentFamily, IntrinsicReward, Method, Network
from harness.algorithms.networks import load_network
from harness.errors import PluginError
from harness.registry import Registry
from harness.registry.discovery import Plugin, PluginInfo
from harness.training.contracts import check_learner, load_learner, load_reward, make_environments

HERE = "training.test_contracts"


class PlainConfig(Config):
    n_envs: int = 1


class UndeclaredConfig(AlgorithmConfig):
    pass


class DeclaredConfig(AlgorithmConfig):
    kind: ClassVar[Any] = "on_policy"


class HalfLearner:
    def begin(self, total_steps: int) -> None: ...


class ForgetfulLearner:
    """Everything is there, and `predict` takes no memory."""

    replay = None
    step = observations = property(lambda self: 0)

    def begin(self, total_steps: int) -> None: ...

    iterate = reset = start_from = state_dict = load_state_dict = wrap_envs = begin

    def predict(self, observations: np.ndarray, *, deterministic: bool) -> np.ndarray: ...


class SilentReward(IntrinsicReward[Any]):
    def bonus(self, transitions: Any) -> torch.Tensor: ...


def make_nothing(config: EnvironmentConfig, n_envs: int, *, threads: int = 1) -> object:
    return object()


def registry_of(*descriptions: Any) -> Registry:
    return Registry([Plugin(PluginInfo("odd", "odd-plugin", "1.0", HERE), descriptions)])


def algorithm(learner: str = "HalfLearner", config: str = "DeclaredConfig") -> tuple[Registry, Algorithm]:
    found = Algorithm(name="odd", learner=f"{HERE}:{learner}", config=f"{HERE}:{config}")
    return registry_of(found), found


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("PlainConfig", "must be a subclass of harness.AlgorithmConfig"),
        ("UndeclaredConfig", "must say what it is: kind = 'on_policy' or 'off_policy', as a ClassVar"),
    ],
)
def test_a_configuration_that_declares_nothing(config: str, reason: str) -> None:
    with pytest.raises(PluginError) as refused:
        algorithm(config=config)[0].algorithm_config("odd")
    assert str(refused.value) == f"'{HERE}:{config}' of plugin 'odd' (odd-plugin 1.0) {reason}"


@pytest.mark.parametrize(
    ("learner", "reason"),
    [
        (
            "HalfLearner",
            "it lacks iterate(), load_state_dict(), observations, predict(), reset(), start_from(), state_dict(), step",
        ),
        ("ForgetfulLearner", "must take state, episode_starts in predict()"),
        ("make_nothing", "must be a class that meets harness.algorithms.base.Learner"),
    ],
)
def test_a_learner_that_lacks_something(learner: str, reason: str) -> None:
    with pytest.raises(PluginError, match="of plugin 'odd'") as refused:
        load_learner(*algorithm(learner))
    assert reason in str(refused.value)


def test_a_learner_that_does_not_say_how_far_an_iteration_goes() -> None:
    with pytest.raises(PluginError, match="must have a vector_steps_per_iteration from 1, not None"):
        check_learner(*algorithm("ForgetfulLearner"), ForgetfulLearner())


@pytest.mark.parametrize(
    ("name", "reason"),
    [("HalfLearner", "must be a subclass of harness.rewards.IntrinsicReward"), ("SilentReward", r"must define update\(\)")],
)
def test_a_reward_that_is_none(name: str, reason: str) -> None:
    method = Method(name="odd", reward=f"{HERE}:{name}", config=f"{HERE}:PlainConfig")
    with pytest.raises(PluginError, match=rf"{name}' of plugin 'odd' .* {reason}"):
        load_reward(registry_of(method), method)


def test_a_network_that_is_none() -> None:
    network = Network(name="odd", build=f"{HERE}:HalfLearner")
    with pytest.raises(PluginError, match=r"must be a subclass of harness\.algorithms\.networks\.ActorCriticNetwork"):
        load_network(registry_of(network), "odd")


@pytest.mark.parametrize(
    ("make", "reason"), [("make_nothing", r"must make a harness\.HarnessVecEnv, not object"), ("HERE", "must be a function")]
)
def test_environments_that_are_none(make: str, reason: str) -> None:
    family = EnvironmentFamily(name="odd", make=f"{HERE}:{make}", config=f"{HERE}:PlainConfig")
    with pytest.raises(PluginError, match=rf"of plugin 'odd' .*{reason}"):
        make_environments(registry_of(family), family, EnvironmentConfig(), 1, 1)
