"""Stable-Baselines3 opens what was exported, where nothing of the harness can be imported, and acts as our policy does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from play.conftest import SHORT, trained
from support.algorithms import small_spec
from support.small_proto_rl import SMALL as SMALL_PROTO_RL
from support.specs import make_spec

from harness import experiment
from harness.cli import main
from harness.errors import UserError
from harness.play.opened import opened_run
from harness.registry import installed
from harness.spec import Precision

_OPEN = """
import json, sys
alone = sys.argv[5] == "alone"
if alone:
    class Refuse:
        def find_spec(self, name, path=None, target=None):
            if name.startswith("harness"):
                raise ImportError(f"{name} is not to be needed")
    sys.meta_path.insert(0, Refuse())
import importlib
import numpy as np
model = getattr(importlib.import_module(sys.argv[1]), sys.argv[2]).load(sys.argv[3], device="cpu")
actions, _ = model.predict(np.load(sys.argv[4]), deterministic=True)
print(json.dumps([np.asarray(actions).tolist(), model.num_timesteps]))
"""


def opened_elsewhere(file: Path, observations: Path, module: str, name: str, alone: bool) -> list:
    command = [sys.executable, "-W", "ignore", "-c", _OPEN, module, name, str(file), str(observations)]
    done = subprocess.run([*command, "alone" if alone else ""], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def check(folder: Path, tmp_path: Path, *, module: str = "stable_baselines3", name: str = "PPO", alone: bool = True) -> None:
    exported = experiment.export(folder, tmp_path / "policy.zip")
    assert (exported.module, exported.algorithm) == (module, name)
    assert (exported.needs == ()) == alone
    with opened_run(folder, installed(), device="cpu") as run:
        space = run.assembly.base.observation_space
        space.seed(0)
        observations = np.stack([space.sample() for _ in range(64)])
        expected, _ = run.assembly.learner.predict(observations, deterministic=True)
        step = run.step
    np.save(tmp_path / "observations.npy", observations)
    actions, steps = opened_elsewhere(exported.file, tmp_path / "observations.npy", module, name, alone)
    np.testing.assert_allclose(actions, expected, rtol=1e-5, atol=1e-6)
    assert steps == step
    assert not alone or len(np.unique(expected, axis=0)) > 1  # of a network that has hardly learned, one may be the likeliest


def test_ppo_opens_where_there_is_no_harness(plain: Path, tmp_path: Path) -> None:
    check(plain, tmp_path)


def test_a_policy_of_bf16_opens_in_float32_which_is_said(tmp_path: Path) -> None:
    spec = make_spec(**SHORT).model_copy(update={"precision": Precision(policy="bf16")})
    exported = experiment.export(trained(spec, tmp_path / "results"), tmp_path / "policy.zip")
    assert (exported.needs, exported.notes) == ((), ("its networks computed in bf16 here and compute in float32 there",))


def test_of_two_critics_the_extrinsic_one_goes_along(two_critics: Path, tmp_path: Path) -> None:
    check(two_critics, tmp_path)
    from stable_baselines3 import PPO

    model = PPO.load(tmp_path / "policy.zip", device="cpu")
    with opened_run(two_critics, installed(), device="cpu") as run:
        observations = np.eye(36, dtype=np.float32)
        ours = run.assembly.learner.model.policy  # type: ignore[attr-defined]
        both = ours.predict_values(ours.obs_to_tensor(observations)[0]).detach().numpy()
    theirs = model.policy.predict_values(model.policy.obs_to_tensor(observations)[0]).detach().numpy()
    np.testing.assert_allclose(theirs[:, 0], both[:, 0], rtol=1e-5, atol=1e-7)
    assert not np.allclose(both[:, 0], both[:, 1])


OTHERS = {
    "a2c": ("stable_baselines3", "A2C"),
    "dqn": ("stable_baselines3", "DQN"),
    "sac": ("stable_baselines3", "SAC"),
    "td3": ("stable_baselines3", "TD3"),
    "tqc": ("sb3_contrib", "TQC"),
    "qr_dqn": ("sb3_contrib", "QRDQN"),
    "recurrent_ppo": ("sb3_contrib", "RecurrentPPO"),
}
EVERY_TIME = {"a2c", "sac"}


@pytest.mark.parametrize(
    "algorithm", [pytest.param(name, marks=() if name in EVERY_TIME else pytest.mark.slow) for name in OTHERS]
)
def test_other_algorithms_open_too(algorithm: str, tmp_path: Path) -> None:
    module, name = OTHERS[algorithm]
    check(trained(small_spec(algorithm), tmp_path / "results"), tmp_path, module=module, name=name)


def test_a_published_network_needs_the_package_that_it_comes_from(tmp_path: Path) -> None:
    spec = make_spec(family="minigrid", environment={"task": "Empty-5x5"}, algorithm={"network": "minigrid"}, **SHORT)
    check(trained(spec, tmp_path / "results"), tmp_path, alone=False)


def test_a_policy_on_learned_features_is_refused(tmp_path: Path) -> None:
    spec, registry = small_spec("sac", "rnd"), installed()
    config = registry.config_class(registry.method("proto_rl")).model_validate(SMALL_PROTO_RL).model_dump(mode="json")
    assert spec.reward
    reward = spec.reward.model_copy(update={"name": "proto_rl", "config": config})
    folder = trained(spec.model_copy(update={"reward": reward, "method": "proto"}), tmp_path / "results")
    with pytest.raises(UserError, match="acts on features that the method 'proto_rl' learns"):
        experiment.export(folder, tmp_path / "policy.zip")
    assert not (tmp_path / "policy.zip").exists()
    assert experiment.play(folder, device="cpu").agrees


def test_the_command_says_what_opens_the_file(plain: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(plain)]) == 0
    assert "stable_baselines3.PPO.load('task-none-seed-0.zip')" in capsys.readouterr().out
    assert (tmp_path / "task-none-seed-0.zip").exists()
    assert main(["export", str(plain), "--json", "--out", "other.zip"]) == 0
    assert json.loads(capsys.readouterr().out)["class"] == "stable_baselines3.PPO"
    with pytest.raises(UserError, match="there is no folder"):
        experiment.export(plain, tmp_path / "nowhere" / "policy.zip")
