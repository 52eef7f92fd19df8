"""Spaces are checked once, where environments enter: each refusal says what the author should declare instead."""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from support.scripted import ScriptedVecEnv

from harness import HarnessVecEnv
from harness.environments.gymnasium.config import GymnasiumConfig
from harness.environments.gymnasium.family import make
from harness.environments.vector.batch import GymnasiumVecEnv
from harness.errors import RunError, UserError

VECTOR = spaces.Box(-1, 1, (3,), np.float32)
TWO = spaces.Discrete(2)


def image(*shape: int) -> spaces.Box:
    return spaces.Box(0, 255, shape, np.uint8)


class Declared(HarnessVecEnv):
    """Declares what it is given and does nothing."""

    reset = step_async = step_wait = close = lambda self, *_: None  # type: ignore[assignment]


OBSERVATIONS = {
    "dict": (spaces.Dict({"a": VECTOR}), None, "observations that are a Dict; they must be one Box"),
    "tuple": (spaces.Tuple((VECTOR,)), None, "observations that are a Tuple"),
    "discrete": (TWO, None, "observations that are a Discrete"),
    "text": (spaces.Text(3), None, "observations that are a Text"),
    "graph": (spaces.Graph(VECTOR, None), None, "observations that are a Graph"),
    "sequence": (spaces.Sequence(VECTOR), None, "observations that are a Sequence"),
    "scalar": (spaces.Box(-1, 1, ()), None, r"give them a dimension: a Box of the shape \(1,\)"),
    "empty": (spaces.Box(-1, 1, (0,)), None, "there must be something to see"),
    "double": (spaces.Box(-1, 1, (3,), np.float64), None, "observations of float64, .* return vectors of float32"),
    "whole": (spaces.Box(0, 9, (3,), np.int64), None, "observations of int64"),
    "undeclared_image": (image(64, 64, 3), None, r"bytes of the shape \(64, 64, 3\) and no frame_channels"),
    "channels_last": (image(64, 64, 3), 1, r"come first: declare \(3, 64, 64\) and transpose what is returned"),
    "channels_last_oblong": (image(210, 160, 3), 3, r"declare \(3, 210, 160\)"),
    "channels_last_stack": (image(84, 84, 12), 3, r"declare \(12, 84, 84\)"),
    "broken_frames": (image(4, 40, 40), 3, "channels first, in whole frames of 3"),
    "no_frames": (image(4, 40, 40), 0, "in whole frames of 0"),
    "negative_frames": (image(4, 40, 40), -1, "in whole frames of -1"),
    "dark_image": (spaces.Box(0, 200, (3, 40, 40), np.uint8), 3, "uint8 from 0 to 255"),
    "float_image": (spaces.Box(0, 1, (3, 40, 40), np.float32), 3, "images, which must be uint8"),
    "flat_image": (image(4800), 3, "images, which must be uint8"),
    "no_pixels": (image(3, 0, 40), 3, "images, which must be uint8"),
}
ACTIONS = {
    "start": (spaces.Discrete(3, start=1), r"declare Discrete\(3\) and add 1 to each"),
    "negative_start": (spaces.Discrete(3, start=-1), r"declare Discrete\(3\) and add -1 to each"),
    "dict": (spaces.Dict({"a": TWO}), "which no algorithm learns"),
    "tuple": (spaces.Tuple((TWO, TWO)), "which no algorithm learns"),
    "text": (spaces.Text(3), "which no algorithm learns"),
    "scalar": (spaces.Box(-1, 1, ()), r"Box of the shape \(\); it needs a dimension"),
    "empty": (spaces.Box(-1, 1, (0,)), "a number in it"),
    "whole": (spaces.Box(-2, 2, (2,), np.int32), "a Box of int32, and learners give fractions"),
    "half": (spaces.Box(-1, 1, (2,), np.float16), "a Box of float16"),
    "unbounded": (spaces.Box(-np.inf, np.inf, (2,)), "without bounds"),
    "half_bounded": (spaces.Box(0, np.inf, (2,)), "without bounds"),
    "constant": (spaces.Box(np.array([-1, 2]), np.array([1, 2]), dtype=np.float32), "low must be below high"),
    "table": (spaces.MultiDiscrete([[2, 3]]), "one dimension"),
    "none": (spaces.MultiDiscrete([]), "at least one number in it"),
    "bits": (spaces.MultiBinary((2, 2)), "one dimension"),
    "later": (spaces.MultiDiscrete([2, 3], start=[1, 0]), "declare it without 'start'"),
}


@pytest.mark.parametrize("case", OBSERVATIONS)
def test_fault_f_observations_that_nothing_learns_from_are_refused_at_the_boundary(case: str) -> None:
    space, frame_channels, sentence = OBSERVATIONS[case]
    with pytest.raises(UserError, match=f"^Declared declares .*{sentence}"):
        Declared(2, space, TWO, frame_channels=frame_channels)


@pytest.mark.parametrize("case", ACTIONS)
def test_fault_f_actions_that_nothing_learns_are_refused_at_the_boundary(case: str) -> None:
    space, sentence = ACTIONS[case]
    with pytest.raises(UserError, match=f"^Declared declares actions .*{sentence}"):
        Declared(2, VECTOR, space)


@pytest.mark.parametrize(
    ("observation", "frame_channels"),
    [
        (VECTOR, None),
        (spaces.Box(-np.inf, np.inf, (2, 3), np.float32), None),
        (image(7), None),
        (image(3, 64, 64), 3),
        (image(12, 84, 84), 3),
        (image(20, 7, 7), 20),
        (image(64, 42, 42), 4),
        (image(1, 1, 1), 1),
    ],
)
@pytest.mark.parametrize(
    "action",
    [
        TWO,
        spaces.Discrete(1),
        spaces.MultiDiscrete([2, 3]),
        spaces.MultiBinary(3),
        spaces.Box(-1, 1, (2,)),
        spaces.Box(-1, 5, (2, 2), np.float64),
    ],
)
def test_what_can_be_learnt_is_accepted(observation: spaces.Box, frame_channels: int | None, action: spaces.Space) -> None:
    env = Declared(2, observation, action, frame_channels=frame_channels)
    assert (env.observation_space, env.action_space) == (observation, action)


class Counting(gymnasium.Env[Any, Any]):
    """Refuses actions that are not its own; an episode has three steps."""

    def __init__(self, action_space: spaces.Space[Any]) -> None:
        self.observation_space, self.action_space, self.seen = VECTOR, action_space, []

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        return np.zeros(3, np.float32), {}

    def step(self, action: Any) -> Any:
        assert self.action_space.contains(action), action
        self.seen.append(np.asarray(action).tolist())
        return np.zeros(3, np.float32), 0.0, len(self.seen) % 3 == 0, False, {}


@pytest.mark.parametrize(
    ("space", "agent", "actions", "seen"),
    [
        (spaces.Discrete(3, start=1), spaces.Discrete(3), [0, 2], [1, 3]),
        (spaces.Discrete(3, start=-1), spaces.Discrete(3), [0, 2], [-1, 1]),
        (spaces.MultiDiscrete([2, 3], start=[1, 0]), spaces.MultiDiscrete([2, 3]), [[0, 2], [1, 0]], [[1, 2], [2, 0]]),
    ],
)
def test_fault_f_a_batch_of_gymnasium_environments_maps_the_first_action_exactly(
    space: Any, agent: Any, actions: list[Any], seen: list[Any]
) -> None:
    made = [Counting(space) for _ in actions]
    env = GymnasiumVecEnv([partial(lambda one: one, one) for one in made], VECTOR, space)
    assert env.action_space == agent
    env.reset()
    env.step(np.array(actions))
    assert [one.seen for one in made] == [[action] for action in seen]
    with pytest.raises(ValueError, match="actions must be"):
        env.step(np.array(actions) + 1)


def test_fault_f_a_dictionary_in_a_batch_is_refused_before_anything_is_made() -> None:
    with pytest.raises(UserError, match="GymnasiumVecEnv declares observations that are a Dict"):
        GymnasiumVecEnv([], spaces.Dict({"a": VECTOR}), TWO)  # type: ignore[arg-type]


SPACES = "support.gymnasium_envs"


@pytest.mark.parametrize(
    ("seen", "layout", "sentence"),
    [
        (image(64, 64, 3), "chw", "hardly an image of layout chw; set 'observation: hwc'"),
        (image(3, 64, 64), "hwc", "hardly an image of layout hwc; set 'observation: chw'"),
        (image(0, 64, 3), "hwc", "which has no pixels"),
    ],
)
def test_fault_f_an_image_of_the_other_layout_is_told(
    monkeypatch: pytest.MonkeyPatch, seen: spaces.Box, layout: str, sentence: str
) -> None:
    from support import gymnasium_envs

    monkeypatch.setitem(gymnasium_envs.SPACES, "odd", (seen, TWO))
    config = GymnasiumConfig.model_validate(
        {"id": "harness_tests/Spaces-v0", "import": SPACES, "kwargs": {"spaces_of": "odd"}, "observation": layout}
    )
    with pytest.raises(UserError, match=f"Spaces-v0: observation .*{sentence}"):
        make(config, 1)


def test_fault_f_empty_actions_of_a_registered_environment_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from support import gymnasium_envs

    monkeypatch.setitem(gymnasium_envs.SPACES, "odd", (VECTOR, spaces.Box(-1, 1, (0,))))
    config = GymnasiumConfig.model_validate(
        {"id": "harness_tests/Spaces-v0", "import": SPACES, "kwargs": {"spaces_of": "odd"}}
    )
    with pytest.raises(UserError, match="leaves nothing to do"):
        make(config, 1)


def test_environments_of_the_tests_are_themselves_good() -> None:
    assert ScriptedVecEnv(np.zeros((1, 2), bool), np.zeros((1, 2), bool)).num_envs == 2


class Odd(Counting):
    """Shows something else than it declares."""

    def __init__(self, shown: Any) -> None:
        super().__init__(TWO)
        self.shown = shown

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        return self.shown, {}


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        (np.zeros(1, np.float32), r"of shape \(1,\), declared is \(3,\)"),
        (0.0, r"of shape \(\), declared is \(3,\)"),
        (np.zeros((3, 1), np.float32), r"of shape \(3, 1\)"),
        (np.zeros(3, complex), "of complex128, declared is float32"),
        ("word", "of <U4, declared is float32"),
        (np.zeros(3, np.float64), ""),
        ([0, 0, 0], ""),
    ],
)
def test_fault_f_an_observation_is_not_stretched_to_what_is_declared(shown: Any, sentence: str) -> None:
    env = GymnasiumVecEnv([partial(Odd, shown)] * 2, VECTOR, TWO)
    if not sentence:
        assert env.reset().dtype == np.float32
        return
    with pytest.raises(RunError, match=f"environment 0 returned an observation {sentence}"):
        env.reset()
