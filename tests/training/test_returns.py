"""Generalised advantages: the reference numbers, and a recursion written another way."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from golden.protocol import make_input
from hypothesis import given
from hypothesis import strategies as st

from harness.training.returns import advantages, without_last_step

FOLDERS = [Path(__file__).parents[1] / "golden", *map(Path, filter(None, [os.environ.get("HARNESS_GOLDEN")]))]
CASES = [file for folder in FOLDERS for file in sorted(folder.glob("gae_two_stream*.json"))]


def inputs(case: dict, dtype: type) -> dict[str, np.ndarray]:
    kinds = {entry["name"]: entry for entry in case["inputs"]}
    return {
        name: make_input(case["seed"], entry["j"], entry["shape"], entry["kind"]).astype(dtype)
        for name, entry in kinds.items()
    }


def streams(case: dict, dtype: type, *, episodic: bool, stream: str) -> tuple[np.ndarray, ...]:
    given_ = inputs(case, dtype)
    values, last = given_[f"{stream} values"], given_[f"{stream} value after the last step"]
    done = np.array(case["expected"]["done_after"]).astype(bool)
    continues = ~done if episodic else np.ones_like(done)
    following = np.concatenate([values[1:], last[None]])
    return given_[f"{stream} rewards"], values, np.where(continues, following, 0).astype(dtype), continues


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
@pytest.mark.parametrize(("stream", "short"), [("extrinsic", "ext"), ("intrinsic", "int")])
def test_golden_returns_with_bootstrap(file: Path, stream: str, short: str, dtype: type) -> None:
    case = json.loads(file.read_text())
    expected = case["expected"]["cleanrl"]
    rewards, values, next_values, continues = streams(case, dtype, episodic=short == "ext", stream=stream)
    result = advantages(rewards, values, next_values, continues, expected[f"gamma_{short}"], case["settings"]["gae_lambda"])
    tolerance = 1e-9 if dtype is np.float64 else 1e-5
    np.testing.assert_allclose(result, expected[f"{short}_advantages"], atol=tolerance, rtol=tolerance)
    np.testing.assert_allclose(result + values, expected[f"{short}_returns"], atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
@pytest.mark.parametrize(("stream", "short"), [("extrinsic", "ext"), ("intrinsic", "int")])
def test_golden_returns_of_the_snd_repository(file: Path, stream: str, short: str) -> None:
    case = json.loads(file.read_text())
    expected = case["expected"]["snd"]
    arguments = streams(case, np.float64, episodic=True, stream=stream)
    gamma, gae_lambda = expected[f"gamma_{short}"], case["settings"]["gae_lambda"]
    result, returns = without_last_step(*arguments, gamma, gae_lambda)
    np.testing.assert_allclose(result, expected[f"{short}_advantages"], atol=1e-9)
    np.testing.assert_allclose(returns, expected[f"{short}_returns"], atol=1e-9)
    if short == "ext":
        other = case["expected"]["snd_gamma_0.999"]
        np.testing.assert_allclose(without_last_step(*arguments, 0.999, gae_lambda)[1], other["ext_returns"], atol=1e-9)


def as_a_sum(rewards, values, next_values, continues, gamma, gae_lambda) -> np.ndarray:
    """The definition: a discounted sum of one-step errors up to where the stream stops."""
    deltas = rewards + gamma * next_values - values
    result = np.zeros_like(values)
    for t, n in np.ndindex(values.shape):
        weight = 1.0
        for k in range(t, len(values)):
            result[t, n] += weight * deltas[k, n]
            if not continues[k, n]:
                break
            weight *= gamma * gae_lambda
    return result


@given(st.integers(1, 9), st.integers(1, 5), st.integers(0, 2**32 - 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_equals_the_definition(n_steps: int, n_envs: int, seed: int, gamma: float, gae_lambda: float, p_end: float) -> None:
    rng = np.random.default_rng(seed)
    shape = (n_steps, n_envs)
    rewards, values, next_values = rng.normal(size=(3, *shape))
    continues = rng.random(shape) > p_end
    arguments = (rewards, values, next_values, continues, gamma, gae_lambda)
    np.testing.assert_allclose(advantages(*arguments), as_a_sum(*arguments), atol=1e-9)


def test_streams_may_have_their_own_discounts() -> None:
    rng = np.random.default_rng(0)
    rewards, values, next_values = rng.normal(size=(3, 6, 4, 2))
    continues = rng.random((6, 4, 2)) > 0.3
    both = advantages(rewards, values, next_values, continues, np.array([0.999, 0.9]), 0.95)
    for stream, gamma in enumerate([0.999, 0.9]):
        alone = advantages(*(array[..., stream] for array in (rewards, values, next_values, continues)), gamma, 0.95)
        np.testing.assert_array_equal(both[..., stream], alone)
