"""An observation is what its family declares, for every algorithm and every shape: no axis is guessed, no scale is."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from stable_baselines3.common.vec_env import VecTransposeImage, is_vecenv_wrapped
from support.algorithms import SMALL_ALGORITHMS, SMALL_METHODS
from torch import nn
from training.test_run import attempts_at, content, interrupted_at

from harness import EnvironmentFamily
from harness.algorithms import randomness
from harness.errors import UserError
from harness.registry import Registry
from harness.registry.discovery import Plugin, PluginInfo, builtin_plugin, discover
from harness.spec import AlgorithmSpec, Combination, EnvironmentSpec, EvaluationSpec, RewardSpec, RunSpec
from harness.training import run
from harness.training.assembly import Assembly, assemble
from harness.training.run import train

PICTURES = EnvironmentFamily(name="pictures", make="support.pictures:make", config="support.pictures:PicturesConfig")
UNLUCKY = {(20, 7, 7): 20, (16, 42, 42): 1, (64, 42, 42): 4, (48, 40, 40): 3, (42, 40, 41): 3, (3, 64, 64): 3}
"""Images by shape, with the channels of a frame: most have their smallest axis elsewhere than where the channels are."""

NETWORKS = {"ppo": ("sb3", "minigrid", "impala"), "a2c": ("sb3", "minigrid", "impala"), "recurrent_ppo": ("sb3", "minigrid")}
"""Networks by algorithm; all others have their own alone."""


@cache
def registry() -> Registry:
    return Registry([builtin_plugin(), *discover(), Plugin(PluginInfo("pictures", "pictures", "1", "support"), (PICTURES,))])


def spec(
    algorithm: str, shape: tuple[int, ...], frame_channels: int | None, *, network: str = "sb3", reward: bool = True
) -> RunSpec:
    def complete(description: Any, values: dict[str, Any]) -> dict[str, Any]:
        return registry().config_class(description).model_validate(values).model_dump(mode="json")

    config = registry().algorithm_config(algorithm)
    action = "discrete" if "discrete" in config.actions else "continuous"
    settings = {**SMALL_ALGORITHMS[algorithm], "net_arch": None, **({"network": network} if network != "sb3" else {})}
    environment = {"shape": shape, "frame_channels": frame_channels, "action": action}
    method = complete(
        registry().method("rnd"), {**SMALL_METHODS["rnd"], "frames": "all", "feature_dim": 8, "architecture": "mlp"}
    )
    return RunSpec(
        suite="test", task="task", method="m", seed=0,
        environment=EnvironmentSpec(family="pictures", config=complete(PICTURES, environment)),
        algorithm=AlgorithmSpec(name=algorithm, config=complete(registry().algorithm(algorithm), settings)),
        reward=RewardSpec(name="rnd", config=method, combine=Combination(mode="sum")) if reward else None,
        steps=80, evaluation=EvaluationSpec(every=80, episodes=1), checkpoint_every=20,
    )  # fmt: skip


def cases() -> Iterator[Any]:
    for algorithm, (shape, frame) in product(SMALL_ALGORITHMS, UNLUCKY.items()):
        for network in NETWORKS.get(algorithm, ("sb3",)):
            if (min(shape[1:]) >= 36) != (network == "minigrid"):
                name = f"{algorithm}-{network}-{'x'.join(map(str, shape))}"
                yield pytest.param(algorithm, network, shape, frame, id=name)


def layers(module: nn.Module, kind: type[nn.Module]) -> list[nn.Module]:
    return [layer for layer in module.modules() if isinstance(layer, kind)]


def inputs_of_first(assembly: Assembly, kind: type[nn.Module], observations: np.ndarray) -> torch.Tensor:
    """What reaches the first layer of a kind when the policy acts."""
    seen: list[torch.Tensor] = []
    policy = assembly.learner.model.policy  # type: ignore[attr-defined]
    hooks = [layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0])) for layer in layers(policy, kind)]
    assembly.learner.predict(observations, deterministic=True)
    for hook in hooks:
        hook.remove()
    return seen[0]


@pytest.mark.parametrize(("algorithm", "network", "shape", "frame"), cases())
def test_policy_method_and_checkpoint_see_one_array(algorithm: str, network: str, shape: tuple[int, ...], frame: int) -> None:
    # What weights are does not matter here, and decomposing large ones takes seconds.
    with randomness.temporary_seed(0), patch.object(nn.init, "orthogonal_", lambda weight, *_, **__: weight):
        assembly = assemble(spec(algorithm, shape, frame, network=network), torch.device("cpu"), registry())
        learner, method = assembly.learner, assembly.reward
        learner.begin(80)
    model: Any = learner.model  # type: ignore[attr-defined]
    assert not is_vecenv_wrapped(model.env, VecTransposeImage)
    assert model.observation_space.shape == shape
    first = layers(model.policy, nn.Conv2d)[0]
    assert isinstance(first, nn.Conv2d)
    assert first.in_channels == shape[0]
    observations = learner.observations
    assert observations.shape == (2, *shape)
    np.testing.assert_array_equal(observations, assembly.base._pictures())  # type: ignore[attr-defined]
    assert method is not None
    assert method.view(observations).shape == observations.shape
    expected = torch.from_numpy(observations).float() / 255
    torch.testing.assert_close(inputs_of_first(assembly, nn.Conv2d, observations), expected)


@pytest.mark.parametrize("algorithm", SMALL_ALGORITHMS)
def test_what_is_not_declared_as_an_image_is_none(algorithm: str) -> None:
    """Bytes of three dimensions that are no image: flat, and not divided by anything."""
    assembly = assemble(spec(algorithm, (3, 4, 5), None, reward=False), torch.device("cpu"), registry())
    assembly.learner.begin(80)
    policy = assembly.learner.model.policy  # type: ignore[attr-defined]
    assert not layers(policy, nn.Conv2d)
    observations = assembly.learner.observations
    kind = nn.LSTM if algorithm == "recurrent_ppo" else nn.Linear
    seen = inputs_of_first(assembly, kind, observations)
    torch.testing.assert_close(seen.reshape(2, 60), torch.from_numpy(observations).float().reshape(2, 60))


@pytest.mark.parametrize("algorithm", SMALL_ALGORITHMS)
@pytest.mark.parametrize(("shape", "frame"), [((60,), 3), ((4, 40, 40), 3)])
def test_images_that_are_none_are_refused(algorithm: str, shape: tuple[int, ...], frame: int) -> None:
    with pytest.raises(UserError, match="Pictures declares images, which must be uint8 from 0 to 255, channels first"):
        assemble(spec(algorithm, shape, frame, reward=False), torch.device("cpu"), registry())


@pytest.mark.parametrize("algorithm", SMALL_ALGORITHMS)
def test_images_too_small_for_the_convolutions_are_refused(algorithm: str) -> None:
    with pytest.raises(UserError, match="images of 7x7 are too small for network sb3"):
        assemble(spec(algorithm, (20, 7, 7), 20, reward=False), torch.device("cpu"), registry())


@pytest.mark.parametrize(
    ("algorithm", "network", "shape"),
    [("ppo", "minigrid", (20, 7, 7)), pytest.param("dqn", "sb3", (64, 42, 42), marks=pytest.mark.slow)],
)
def test_unlucky_images_are_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, algorithm: str, network: str, shape: tuple[int, ...]
) -> None:
    monkeypatch.setattr(run, "REPORT_SECONDS", 0.0)
    monkeypatch.setattr(run, "installed", registry)
    one = spec(algorithm, shape, UNLUCKY[shape], network=network)
    train(one, tmp_path / "whole")
    assert attempts_at(one, tmp_path / "broken", interrupted_at([40])) == 2
    assert content(tmp_path / "whole", one) == content(tmp_path / "broken", one)
