"""Generalised advantages: the reference numbers, and a recursion written another way."""

from __future__ import annotations

import numpy as np
import torch
from golden_cases import Case, cases
from hypothesis import given
from hypothesis import strategies as st

from harness.algorithms.ppo.returns import advantages, without_last_step


def stream(case: Case, name: str, *, episodic: bool) -> tuple[np.ndarray, ...]:
    """One stream's rewards, values, next values and continuations."""
    dtype = np.float64 if case.dtype == torch.float64 else np.float32
    values, last = case.input(f"{name} values").astype(dtype), case.input(f"{name} value after").astype(dtype)
    done = np.array(case.expected["done_after"], dtype=bool)
    continues = ~done if episodic else np.ones_like(done)
    following = np.where(continues, np.concatenate([values[1:], last[None]]), 0).astype(dtype)
    return case.input(f"{name} rewards").astype(dtype), values, following, continues


@cases("gae_two_stream")
def test_golden_returns_with_bootstrap(case: Case) -> None:
    expected, mixed = case.expected["cleanrl"], 0
    for name, short, weight in (("extrinsic", "ext", 2), ("intrinsic", "int", 1)):
        arguments = stream(case, name, episodic=short == "ext")
        result = advantages(*arguments, expected[f"gamma_{short}"], case.settings["gae_lambda"])
        case.check(expected[f"{short}_advantages"], result, f"cleanrl.{short}_advantages")
        case.check(expected[f"{short}_returns"], result + arguments[1], f"cleanrl.{short}_returns")
        mixed = mixed + weight * result
    case.check(expected["combined_advantages_1int_2ext"], mixed, "cleanrl.combined_advantages_1int_2ext")


@cases("gae_two_stream")
def test_golden_returns_of_the_snd_repository(case: Case) -> None:
    for block in ("snd", "snd_gamma_0.999"):
        expected = case.expected[block]
        for name, short in (("extrinsic", "ext"), ("intrinsic", "int")):
            if f"{short}_returns" not in expected:
                continue
            gamma = expected.get(f"gamma_{short}", 0.999)
            result, returns = without_last_step(*stream(case, name, episodic=True), gamma, case.settings["gae_lambda"])
            case.check(expected[f"{short}_advantages"], result, f"{block}.{short}_advantages")
            case.check(expected[f"{short}_returns"], returns, f"{block}.{short}_returns")


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
