"""Each algorithm that is installed, without a bonus and with two: killed and resumed to the same numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.algorithms import SMALL_ALGORITHMS, small_spec
from training.test_run import attempts_at, content, interrupted_at

from harness.registry import installed
from harness.runs import segments
from harness.training import run
from harness.training.run import train

REWARDS = (None, "rnd", "snd_vic")
WHOLE = ("ppo", "sac")
"""Algorithms of either kind that are tried with and without each bonus every day, and the others with RND."""

PAIRS = [
    pytest.param(name, reward, marks=() if reward == "rnd" or name in WHOLE else pytest.mark.slow)
    for name in SMALL_ALGORITHMS
    for reward in REWARDS
]


@pytest.fixture(autouse=True)
def _every_iteration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "REPORT_SECONDS", 0.0)
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 4000)  # several files for each checkpoint


def test_every_installed_algorithm_is_tried_here() -> None:
    own = {name for name, found in installed().algorithms.items() if found.plugin.distribution == "exploration-harness"}
    assert own == SMALL_ALGORITHMS.keys()


@pytest.mark.parametrize(("algorithm", "reward"), PAIRS)
def test_an_interrupted_run_ends_like_an_unbroken_one(tmp_path: Path, algorithm: str, reward: str | None) -> None:
    spec = small_spec(algorithm, reward)
    train(spec, tmp_path / "whole")
    assert attempts_at(spec, tmp_path / "broken", interrupted_at([20, 60, 100])) == 4
    assert content(tmp_path / "whole", spec) == content(tmp_path / "broken", spec)


ALIKE = ("a2c", "qr_dqn", "td3", "tqc")
"""Algorithms that act in evaluations as another one does, which is tried every day."""


@pytest.mark.parametrize(
    "algorithm", [pytest.param(name, marks=pytest.mark.slow if name in ALIKE else ()) for name in SMALL_ALGORITHMS]
)
def test_sampled_evaluation_leaves_no_trace_on_training(tmp_path: Path, algorithm: str) -> None:
    often = small_spec(algorithm, deterministic=False)
    seldom = often.model_copy(update={"evaluation": often.evaluation.model_copy(update={"every": 10_000})})
    for spec in (often, seldom):
        train(spec, tmp_path)
    tables = [content(tmp_path, spec)["progress.csv"] for spec in (often, seldom)]
    assert tables[0] == tables[1]


@pytest.mark.parametrize("algorithm", SMALL_ALGORITHMS)
def test_presets_are_valid_and_name_their_source(algorithm: str) -> None:
    description = installed().algorithm(algorithm)
    presets = installed().presets(description)
    assert presets
    for preset in presets.values():
        assert preset.source
        installed().algorithm_config(algorithm).model_validate(dict(preset.config))
