"""The harness's own checks, one test each; the target; learning, and resuming to the same numbers."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import gymnasium
import pytest
import torch
from stable_baselines3.common.type_aliases import ReplayBufferSamples

from harness.testing import AlgorithmConformance
from harness_double_dqn.learner import DoubleDQN

SUITE = Path(__file__).parents[1] / "suites" / "double_dqn.yaml"
TIMES = ("time/time_elapsed", "time/fps")


class TestConformance(AlgorithmConformance):
    algorithm = "double_dqn"


def test_one_network_chooses_and_the_other_values() -> None:
    model = DoubleDQN("MlpPolicy", gymnasium.make("CartPole-v1"), gamma=0.5, buffer_size=8)
    model.q_net.forward = lambda obs: torch.tensor([[2.0, 1.0], [2.0, 1.0]])
    model.q_net_target.forward = lambda obs: torch.tensor([[4.0, 8.0], [4.0, 8.0]])
    zeros, rewards, ends = torch.zeros(2, 4), torch.tensor([[1.0], [1.0]]), torch.tensor([[0.0], [1.0]])
    batch = ReplayBufferSamples(zeros, torch.zeros(2, 1), zeros, ends, rewards)
    expected = torch.tensor([[1 + 0.5 * 4], [1.0]])  # DQN: 1 + 0.5 * 8 where no episode ended
    assert torch.equal(model.targets(batch), expected)


def command(results: Path, method: str, *options: str) -> list[str]:
    run = [sys.executable, "-m", "harness", "run", str(SUITE), "--task", "n4", "--method", method, "--seeds", "1"]
    return [*run, "--workers", "1", "--no-report", "--results", str(results), *options]


def record(results: Path) -> Path:
    (found,) = results.rglob("run.json")
    return found


def table(results: Path) -> list[dict[str, str]]:
    with (record(results).parent / "progress.csv").open() as file:
        return [{name: value for name, value in row.items() if name not in TIMES} for row in csv.DictReader(file)]


def test_it_solves_a_small_sea(tmp_path: Path) -> None:
    subprocess.run(command(tmp_path, "plain", "--steps", "10_240"), check=True)
    assert json.loads(record(tmp_path).read_text())["status"]["score"] > 0.9


@pytest.mark.parametrize("method", ["plain", "with_rnd"])
def test_interrupted_and_resumed_equals_unbroken(tmp_path: Path, method: str) -> None:
    options = ("--steps", "6_144", "--set", "checkpoint.every=512", "--set", "algorithm.log_every=512")
    subprocess.run(command(tmp_path / "unbroken", method, *options), check=True)
    with subprocess.Popen(command(tmp_path / "broken", method, *options)) as first:
        while first.poll() is None and not list((tmp_path / "broken").rglob("state.json")):
            time.sleep(0.01)
        first.send_signal(signal.SIGINT)
    subprocess.run(command(tmp_path / "broken", method, *options), check=True)
    assert table(tmp_path / "broken") == table(tmp_path / "unbroken")
    assert len(table(tmp_path / "broken")) == 6_144 // 512
