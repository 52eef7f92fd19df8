"""A small suite of a real environment, and the command line in this process."""

from __future__ import annotations

import pytest
from support.in_process import InProcess

from harness.cli import main

SUITE = """
suite: small
description: For tests.
environment: {family: deep_sea}
tasks:
  n4: {environment: {size: 4}, normalise: {low: 0, high: 0.99, source: its optimum}}
  n5: {environment: {size: 5}}
algorithm: {name: ppo, n_envs: 4, n_steps: 16, batch_size: 32}
methods:
  ppo: {}
  rnd: {reward: rnd, config: {warm_up_steps: 8, feature_dim: 16, hidden: [16], epochs: 1, minibatches: 2}}
seeds: 2
steps: 2048
evaluation: {every: 512, episodes: 2}
profiles:
  tiny: {steps: 512, seeds: 1}
"""


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty working directory with one good suite in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SUITE)
    return tmp_path


@pytest.fixture
def built_here(monkeypatch):
    """What is built before anything is started is built in this process, which has loaded the libraries already."""
    monkeypatch.setattr("harness.execution.rehearsal.WorkerPool", lambda place, device, train: InProcess(place, train))


@pytest.fixture
def harness(capsys):
    """Run a command in this process: ``code, output, errors = harness("list", "methods")``."""

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call
