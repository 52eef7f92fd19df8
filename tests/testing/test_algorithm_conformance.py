"""The kit for algorithms: everything that is installed passes it, and what is wrong with an algorithm is found."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import product
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from support.algorithms import SMALL_ALGORITHMS

from harness import Algorithm
from harness.algorithms.ppo.config import PPOConfig
from harness.algorithms.ppo.learner import PPOLearner
from harness.registry import Registry
from harness.registry.discovery import Plugin, PluginInfo, builtin_plugin
from harness.testing import ALGORITHM_CHECKS, AlgorithmSubject, Check, CheckFailed, NotApplicable

WHOLE = ("ppo", "sac")
"""Algorithms that go through the whole kit every day, one on-policy and of discrete actions, one off-policy and continuous."""

QUICK = ("config", "presets", "spaces", "trains", "predict")
"""Checks that the others go through every day; they are resumed with bonuses in ``algorithms/test_every_algorithm.py``."""


def pairs() -> Iterator[Any]:
    for name, check in product(SMALL_ALGORITHMS, ALGORITHM_CHECKS):
        every_day = name in WHOLE or check.name in QUICK
        yield pytest.param(name, check, id=f"{name}-{check.name}", marks=() if every_day else pytest.mark.slow)


@pytest.mark.parametrize(("algorithm", "check"), pairs())
def test_installed_algorithms_conform(algorithm: str, check: Check) -> None:
    settings = {key: value for key, value in SMALL_ALGORITHMS[algorithm].items() if key != "net_arch"}
    try:
        check.run(AlgorithmSubject.named(algorithm, config=settings))
    except NotApplicable as reason:
        pytest.skip(str(reason))


class _Broken(PPOLearner):
    """Something is wrong with it."""


class Amnesiac(_Broken):
    def load_state_dict(self, state: Mapping[str, Any], observations: np.ndarray) -> None:
        super().load_state_dict({**state, "optimizer": self.model.policy.optimizer.state_dict()}, observations)


class Restless(_Broken):
    def predict(self, observations: np.ndarray, **arguments: Any) -> tuple[np.ndarray, Any]:
        self.model._last_episode_starts = np.ones(len(observations), dtype=bool)
        np.random.rand()
        self.model.policy.optimizer.param_groups[0]["eps"] *= 2
        return super().predict(observations, **arguments)


class Careless(_Broken):
    def reset(self, parts: Collection[str], seed: int) -> None:
        torch.rand(1)
        super().reset(parts, seed)


class Miscounting(_Broken):
    def iterate(self) -> dict[str, float]:
        return {**super().iterate(), "time/iterations": 0}


class Omnivorous(PPOConfig):
    actions: ClassVar[frozenset[str]] = frozenset({"continuous"})


class Anything(_Broken):
    def _require_actions(self, config: Any, context: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("learner", "config", "check", "message"),
    [
        (Amnesiac, PPOConfig, "resume", "expected the same numbers"),
        (Restless, PPOConfig, "predict", "whether or not actions were predicted in between"),
        (Careless, PPOConfig, "reset", "numbers drawn from the global stream of torch"),
        (Miscounting, PPOConfig, "trains", "for time/iterations and time/total_timesteps"),
        (Anything, Omnivorous, "spaces", "expected discrete actions to be refused by a UserError"),
    ],
)
def test_what_is_wrong_with_an_algorithm_is_found(learner: type, config: type, check: str, message: str) -> None:
    name = "testing.test_algorithm_conformance"
    algorithm = Algorithm(name="odd", learner=f"{name}:{learner.__name__}", config=f"{name}:{config.__name__}")
    registry = Registry([builtin_plugin(), Plugin(PluginInfo("odd", "odd", "1", "odd"), (algorithm,))])
    subject = AlgorithmSubject.named("odd", config=SMALL_ALGORITHMS["ppo"], registry=registry)
    (found,) = [one for one in ALGORITHM_CHECKS if one.name == check]
    with pytest.raises(CheckFailed, match=message):
        found.run(subject)
