"""Small runs of real environments, trained once for all tests here; tests that change a folder take a copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.specs import make_spec

from harness.spec import RunSpec
from harness.training.run import train

SMALL_RND = {"warm_up_steps": 3, "feature_dim": 16, "hidden": [16], "epochs": 1, "minibatches": 1}
SHORT = {"steps": 320, "evaluate_every": 160, "checkpoint_every": 160}
CAR = {"family": "classic_control", "environment": {"task": "mountain_car", "episode_steps": 12}}


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("played") / "results"


def trained(spec: RunSpec, results: Path) -> Path:
    assert train(spec, results, device="cpu").state == "finished"
    return results / spec.path


@pytest.fixture(scope="session")
def plain(results: Path) -> Path:
    """PPO in DeepSea."""
    return trained(make_spec(**SHORT), results)


@pytest.fixture(scope="session")
def two_critics(results: Path) -> Path:
    """PPO with RND and two critics in DeepSea."""
    return trained(make_spec(reward="rnd", config=SMALL_RND, **SHORT), results)


@pytest.fixture(scope="session")
def car(results: Path) -> Path:
    """PPO in a mountain car, which EnvPool steps and draws."""
    return trained(make_spec(**CAR, **SHORT), results)


@pytest.fixture
def copied(plain: Path, tmp_path: Path) -> Path:
    """A copy of the plain run, to be damaged."""
    place = tmp_path / Path(*plain.parts[-4:])
    shutil.copytree(plain, place)
    return place
