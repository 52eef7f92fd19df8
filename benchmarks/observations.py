"""What policy, method and checkpoint see of every family's observations, and what reaches the first layer of every network.

    python benchmarks/observations.py                              # writes tests/fidelity/observations.csv, in some minutes
    python benchmarks/observations.py --variants minigrid vizdoom  # only these, by the beginning of their names

Every pair of a network and an algorithm that may learn a task is built as a run builds it, with RND as the method. Nothing is
taken from what anybody says of himself: a hook on the layer that is called first sees its input, the method's own view is
recorded while the learner steps, and a checkpoint is written, read again and loaded. A row is made only if all of them saw the
declared array, divided by 255 where the family declares images and by nothing where it does not.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import nn

from harness import HarnessVecEnv, Transitions
from harness.algorithms import randomness
from harness.algorithms.spaces import NATURE_CNN_SIDE, describe_action_kind
from harness.errors import UserError
from harness.registry import installed
from harness.runs.files import csv_text, read_csv_rows, write_text_atomic
from harness.spec import AlgorithmSpec, Combination, EnvironmentSpec, EvaluationSpec, RewardSpec, RunSpec
from harness.training import checkpoints
from harness.training.assembly import Assembly, assemble

TABLE = Path(__file__).parents[1] / "tests" / "fidelity" / "observations.csv"
LAYERS = (nn.Conv2d, nn.Linear, nn.LSTM)
STEPS = 12

_EXAMPLES = {name: (name, dict(installed().environment(name).example)) for name in installed().environments}
_OTHERS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "atari, 8 in colour, 40 px": ("atari", {"game": "pong", "episode_steps": 30, "size": 40, "grayscale": False, "stack": 8}),
    "classic_control, continuous": ("classic_control", {"task": "mountain_car_continuous", "episode_steps": 30}),
    "dm_control, pixels": ("dm_control", {"task": "reacher_hard", "episode_steps": 20, "from_pixels": True}),
    "dm_control, 16 of 40 px": (
        "dm_control",
        {"task": "reacher_hard", "episode_steps": 20, "from_pixels": True, "size": 40, "stack": 16},
    ),
    "gymnasium, one-hot": ("gymnasium", {"id": "FrozenLake-v1"}),
    "gymnasium, hwc image": (
        "gymnasium",
        {"id": "MiniGrid-Empty-5x5-v0", "import": "minigrid", "observation": "hwc", "keys": ["image"], "frame_stack": 3},
    ),
    "manipulation, Adroit": ("manipulation", {"task": "adroit_door", "episode_steps": 20}),
    "manipulation, MetaWorld": ("manipulation", {"task": "metaworld_door_open", "episode_steps": 20}),
    "mazes, an ant": ("mazes", {"task": "ant_umaze", "episode_steps": 20}),
    "minigrid, direction": ("minigrid", {"task": "DoorKey-5x5", "episode_steps": 30, "direction": True}),
    "minigrid, flat": ("minigrid", {"task": "DoorKey-5x5", "episode_steps": 30, "observation": "flat"}),
    "minigrid, image": ("minigrid", {"task": "DoorKey-5x5", "episode_steps": 30, "observation": "image"}),
    "minigrid, MultiRoom": ("minigrid", {"task": "MultiRoom-N2-S4", "episode_steps": 30}),
    "procgen, 8 frames": ("procgen", {"game": "bossfight", "stack": 8}),
    "vizdoom, 16 in colour, 42 px": (
        "vizdoom",
        {"task": "my_way_home", "episode_steps": 30, "grayscale": False, "size": 42, "stack": 16},
    ),
}
VARIANTS = dict(sorted({**_EXAMPLES, **_OTHERS}.items()))
"""A small task of every installed family, and others whose observations have another form: lucky ones and unlucky ones."""

_OFF_POLICY = {"n_envs": 2, "buffer_size": 40, "learning_starts": 30, "batch_size": 8, "log_every": 8}
_ROLLOUT = {"n_envs": 2, "n_steps": 4}
SMALL: Mapping[str, dict[str, Any]] = {
    "a2c": _ROLLOUT,
    "ppo": _ROLLOUT | {"batch_size": 8, "n_epochs": 1},
    "recurrent_ppo": _ROLLOUT | {"batch_size": 8, "n_epochs": 1},
}
"""Settings of algorithms that make a row quick; all others have `_OFF_POLICY`. Networks keep their published sizes."""

METHOD = {"warm_up_steps": 0, "feature_dim": 8, "hidden": [8], "epochs": 1, "minibatches": 1, "architecture": "mlp"}


@dataclass(frozen=True)
class Row:
    """What one network of one algorithm was found to see of one kind of observation.

    Attributes:
        variant: Key of `VARIANTS`.
        network: Name of the network.
        algorithm: Name of the algorithm.
        declared: Space that the family declares, and channels of a frame if it declares images.
        policy: Shape of the array that the learner acts on and that its first layer gets, row by row if it takes vectors.
        method: Shape of the array that the method's transitions hold.
        checkpoint: Shape of the array that a checkpoint gave back.
        layer: Kind of the first layer, and the shape of its weight.
        scale: What numbers are divided by on the way.
        low: Least number that reached the first layer in some steps of random actions.
        high: Greatest.
        refused: Why the pair is refused, if it is; then nothing else is known.
    """

    variant: str
    network: str
    algorithm: str
    declared: str = ""
    policy: str = ""
    method: str = ""
    checkpoint: str = ""
    layer: str = ""
    scale: str = ""
    low: str = ""
    high: str = ""
    refused: str = ""


def pairs(variant: str) -> Iterator[tuple[str, str]]:
    """Networks and algorithms that may learn a variant: those that take its actions; networks where there is a choice.

    The network ``minigrid``, which is for cells, is left out for pictures, where it would have tens of millions of weights.
    """
    known = installed()
    action_kind, shape = _kinds(variant)
    pictures = len(shape) == 3 and min(shape[1:]) >= NATURE_CNN_SIDE
    for algorithm in sorted(known.algorithms):
        config = known.algorithm_config(algorithm)
        if action_kind in config.actions:
            for network in sorted(known.networks) if "network" in config.model_fields else ["sb3"]:
                if not (pictures and network == "minigrid"):
                    yield network, algorithm


@cache
def _kinds(variant: str) -> tuple[str, tuple[int, ...]]:
    """Kind of a variant's actions and shape of its observations."""
    known, (name, settings) = installed(), VARIANTS[variant]
    family = known.environment(name)
    env: HarnessVecEnv = known.load(family.make)(known.config_class(family).model_validate(settings), 1, threads=1)
    try:
        return describe_action_kind(env.action_space), env.observation_space.shape or ()
    finally:
        env.close()


def spec_of(variant: str, network: str, algorithm: str) -> RunSpec:
    """A run of a few steps."""
    known, (family, environment) = installed(), VARIANTS[variant]
    env_config = known.config_class(known.environment(family)).model_validate(environment)
    settings = {**SMALL.get(algorithm, _OFF_POLICY), **({"network": network} if network != "sb3" else {})}
    learner = known.config_class(known.algorithm(algorithm)).model_validate(settings)
    method = known.config_class(known.method("rnd")).model_validate(METHOD)
    return RunSpec(
        suite="observations",
        task=variant,
        method=algorithm,
        seed=0,
        environment=EnvironmentSpec(family=family, config=env_config.model_dump(mode="json")),
        algorithm=AlgorithmSpec(name=algorithm, config=learner.model_dump(mode="json")),
        reward=RewardSpec(name="rnd", config=method.model_dump(mode="json"), combine=Combination(mode="sum")),
        steps=1000,
        evaluation=EvaluationSpec(every=1000, episodes=2),
        checkpoint_every=1000,
    )


def look(variant: str, network: str, algorithm: str) -> Row:
    """Build a pair, step it, save it, and say what was seen.

    Raises:
        AssertionError: Not everybody saw the declared array.
    """
    try:
        # What weights are does not matter here, and decomposing large ones takes seconds.
        with randomness.temporary_seed(0), patch.object(nn.init, "orthogonal_", lambda weight, *_, **__: weight):
            assembly = assemble(spec_of(variant, network, algorithm), torch.device("cpu"), installed())
    except UserError as refused:
        return Row(variant, network, algorithm, refused=str(refused))
    try:
        base = assembly.base
        base.reseed(range(base.num_envs))
        viewed = _views_while_stepping(assembly)
        restored = _through_a_checkpoint(assembly)
        layer, low, high = _inputs_of_first_layer(assembly)
    finally:
        assembly.close()
    shape, frame = base.observation_space.shape or (), base.frame_channels
    return Row(
        variant, network, algorithm,
        declared=_describe_space(base),
        policy=_sizes(shape),
        method=_sizes(viewed),
        checkpoint=_sizes(restored),
        layer=layer,
        scale="1" if frame is None else "255",
        low=f"{low:.3g}",
        high=f"{high:.3g}",
    )  # fmt: skip


def _views_while_stepping(assembly: Assembly) -> tuple[int, ...]:
    """The shape of what the method sees of the array that the learner has after an iteration; they are one array."""
    learner, reward = assembly.learner, assembly.reward
    assert reward is not None
    seen: list[Transitions] = []
    observe = reward.observe
    reward.observe = lambda transitions: (seen.append(transitions), observe(transitions))[1]  # type: ignore[method-assign]
    learner.begin(1000)
    learner.iterate()
    reward.observe = observe  # type: ignore[method-assign]
    going_on = (~seen[-1].done).numpy()
    shown, viewed = learner.observations[going_on], seen[-1].next_obs.numpy()[going_on]
    frame = assembly.base.frame_channels
    expected = shown if frame is None else shown[:, -frame:]
    np.testing.assert_array_equal(viewed, expected)
    assert viewed.dtype == shown.dtype == assembly.base.observation_space.dtype
    assert learner.observations.shape[1:] == assembly.base.observation_space.shape
    return viewed.shape[1:]


def _through_a_checkpoint(assembly: Assembly) -> tuple[int, ...]:
    """The shape of the array that a written and read checkpoint gives to learner and method, which is the learner's own."""
    learner, bonus_env = assembly.learner, assembly.bonus_env
    assert bonus_env is not None
    shown = learner.observations.copy()
    with tempfile.TemporaryDirectory() as folder:
        checkpoints.save(Path(folder) / "checkpoint", learner.step, {"observations": learner.observations})
        loaded = checkpoints.load(Path(folder) / "checkpoint")
    assert loaded is not None
    restored = loaded[1]["observations"]
    assert restored.dtype == shown.dtype
    np.testing.assert_array_equal(restored, shown)
    learner.load_state_dict(learner.state_dict(), restored)
    bonus_env.resume_from(restored)
    np.testing.assert_array_equal(learner.observations, shown)
    return restored.shape[1:]


def _inputs_of_first_layer(assembly: Assembly) -> tuple[str, float, float]:
    """The first layer with its weight's shape, and the range of its input while the policy acts in other environments."""
    env, learner, rng = assembly.evaluation_env, assembly.learner, np.random.default_rng(0)
    calls: list[tuple[nn.Module, torch.Tensor]] = []
    policy: nn.Module = learner.model.policy  # type: ignore[attr-defined]
    hooks = [
        layer.register_forward_pre_hook(lambda layer, inputs: calls.append((layer, inputs[0])))
        for layer in policy.modules()
        if isinstance(layer, LAYERS)
    ]
    env.reseed(range(100, 100 + env.num_envs))
    observations, lows, highs = env.reset(), [], []
    layer: nn.Module | None = None
    for _ in range(STEPS):
        calls.clear()
        assert isinstance(observations, np.ndarray)
        learner.predict(observations, deterministic=True)
        layer, inputs = calls[0]
        _check_inputs(layer, inputs, observations, assembly.base)
        lows.append(float(inputs.min()))
        highs.append(float(inputs.max()))
        env.action_space.seed(int(rng.integers(2**31)))
        observations, _, _, _ = env.step(np.stack([env.action_space.sample() for _ in range(env.num_envs)]))
    for hook in hooks:
        hook.remove()
    assert layer is not None
    weight = layer.weight_ih_l0 if isinstance(layer, nn.LSTM) else layer.weight
    assert isinstance(weight, torch.Tensor)
    # Layers of our own are kinds of torch's.
    kind = next(one.__name__ for one in type(layer).__mro__ if one.__module__.startswith("torch."))
    return f"{kind} {_sizes(weight.shape)}", min(lows), max(highs)


def _check_inputs(layer: nn.Module, inputs: torch.Tensor, observations: np.ndarray, base: HarnessVecEnv) -> None:
    """Hold the input against the declared array: divided by 255 if it is an image, and every number in its place."""
    shape = base.observation_space.shape
    assert shape is not None
    expected = torch.from_numpy(observations).float() / (1 if base.frame_channels is None else 255)
    if isinstance(layer, nn.Conv2d):
        assert base.frame_channels is not None, "convolutions over what is not declared as an image"
        assert layer.in_channels == shape[0]
    else:
        inputs, expected = inputs.reshape(len(observations), -1), expected.reshape(len(observations), -1)
    torch.testing.assert_close(inputs, expected, rtol=0, atol=1e-7)


def _describe_space(env: HarnessVecEnv) -> str:
    space: Any = env.observation_space
    low, high = space.low.min(), space.high.max()
    kind = "vector" if env.frame_channels is None else f"image, {env.frame_channels} channels a frame"
    return f"{kind}: {_sizes(space.shape)} {space.dtype} from {low:.3g} to {high:.3g}"


def _sizes(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def read_table() -> list[Row]:
    """The rows that were recorded."""
    return [Row(**row) for row in read_csv_rows(TABLE)[1]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", nargs="+", metavar="NAME", help="only those whose names begin so; other rows stay")
    options = parser.parse_args()
    chosen = [name for name in VARIANTS if not options.variants or name.startswith(tuple(options.variants))]
    kept: dict[str, list[Row]] = {}
    for row in read_table():
        kept.setdefault(row.variant, []).append(row)
    for variant in chosen:
        kept[variant] = [look(variant, network, algorithm) for network, algorithm in pairs(variant)]
        lines = [astuple(row) for name in VARIANTS for row in kept.get(name, ())]
        write_text_atomic(TABLE, csv_text([[field.name for field in fields(Row)], *lines]))
        print(f"{variant}: {len(kept[variant])} pairs", flush=True)


if __name__ == "__main__":
    main()
