"""Suites with phases, over an environment family that has domains."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.domains import install_domains

from harness.registry import installed

SUITE = """
suite: ocean
environment: {family: reef, size: 4}
tasks:
  stand: {normalise: {low: 0, high: 0.99}}
  walk: {normalise: {low: 0, high: 0.99}}
  run: {environment: {domain: cave, size: 5}, normalise: {low: 0, high: 0.99}}
algorithm: {name: ppo, n_envs: 4, n_steps: 8, batch_size: 16, n_epochs: 1}
methods:
  ppo: {}
  rnd:
    reward: rnd
    config: {warm_up_steps: 4, feature_dim: 8, hidden: [8], minibatch_order: shuffled}
    combine: {mode: sum, intrinsic_weight: 0.5}
    phases:
      explore: {share: 0.5, extrinsic_weight: 0, intrinsic_weight: 1, once_per: domain}
      exploit: {train_reward: false, reset: [critics, optimizers]}
seeds: 2
steps: 512
evaluation: {every: 128, episodes: 2}
checkpoint: {every: 64}
"""


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An empty working directory with the suite in it, where this process and new ones know the family ``reef``."""
    path = install_domains(tmp_path / "site")
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    installed.cache_clear()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    Path("ocean.yaml").write_text(SUITE)
    yield tmp_path / "work"
    installed.cache_clear()
