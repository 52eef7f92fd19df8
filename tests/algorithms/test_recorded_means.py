"""What an algorithm gives to the logger's ``record_mean`` is averaged over one row of the log, not over the whole run."""

from __future__ import annotations

import pytest
from stable_baselines3 import A2C, DQN
from support.algorithms import SMALL_ALGORITHMS

from harness import Algorithm
from harness.algorithms.off_policy.config import EpsilonGreedyConfig
from harness.algorithms.off_policy.epsilon_greedy import EpsilonGreedyLearner
from harness.algorithms.on_policy.config import OnPolicyConfig
from harness.algorithms.on_policy.learner import OnPolicyLearner
from harness.registry import Registry
from harness.registry.discovery import Plugin, PluginInfo, builtin_plugin
from harness.testing import AlgorithmSubject


class CountingA2C(A2C):
    def train(self) -> None:
        self._n_updates += 1
        self.logger.record_mean("train/update", float(self._n_updates))


class CountingDQN(DQN):
    def train(self, gradient_steps: int, batch_size: int = 100) -> None:
        self._n_updates += gradient_steps
        self.logger.record_mean("train/update", float(self._n_updates))


class OnPolicy(OnPolicyLearner[CountingA2C, OnPolicyConfig]):
    model_class = CountingA2C
    arguments = ("n_steps",)


class OffPolicy(EpsilonGreedyLearner[CountingDQN, EpsilonGreedyConfig]):
    model_class = CountingDQN
    networks = {"critics": ("q_net", "q_net_target")}  # noqa: RUF012  a ClassVar of the base


@pytest.mark.parametrize(
    ("learner", "config", "small"), [(OnPolicy, OnPolicyConfig, "a2c"), (OffPolicy, EpsilonGreedyConfig, "dqn")]
)
def test_means_start_anew_with_every_row(learner: type, config: type, small: str) -> None:
    learner_path = f"{__name__}:{learner.__name__}"
    algorithm = Algorithm(name="counting", learner=learner_path, config=f"{config.__module__}:{config.__name__}")
    registry = Registry([builtin_plugin(), Plugin(PluginInfo("counting", "counting", "1", "counting"), (algorithm,))])
    subject = AlgorithmSubject.named("counting", config=SMALL_ALGORITHMS[small], registry=registry)
    run = next(iter(subject.cases)).build()
    updates = [0.0]
    for row in run.iterate(4):
        updates.append(row["train/n_updates"] if small == "dqn" else updates[-1] + 1)
        first, last = updates[-2] + 1, updates[-1]
        if last >= first:
            assert row["train/update"] == pytest.approx((first + last) / 2)
    assert updates[-1] >= 4
