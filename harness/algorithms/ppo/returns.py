"""Generalised advantage estimation for one or several reward streams that treat the ends of episodes differently."""

from __future__ import annotations

import numpy as np


def advantages(
    rewards: np.ndarray,
    values: np.ndarray,
    next_values: np.ndarray,
    continues: np.ndarray,
    gamma: float | np.ndarray,
    gae_lambda: float,
) -> np.ndarray:
    """Generalised advantages (Schulman et al. 2016, arXiv 1506.02438, equations 11 and 16).

    ``delta_t = r_t + gamma * V'_t - V_t`` and ``A_t = delta_t + gamma * lambda * c_t * A_{t+1}``, where the caller decides
    what follows a step: ``V'_t`` is 0 after a termination, the value of the true last observation after a truncation, and
    the next step's value otherwise; ``c_t`` is 0 wherever ``V'_t`` is not the next step's value.

    Args:
        rewards: r, shape ``(T, N)`` or ``(T, N, streams)``.
        values: V, same shape.
        next_values: V', same shape.
        continues: c, same shape, bool or 0/1.
        gamma: Discount, a number or one per stream.
        gae_lambda: The lambda of generalised advantage estimation, in [0, 1].

    Returns:
        A, of the same shape and of the type of ``values``.
    """
    deltas = rewards + gamma * next_values - values
    decay = gamma * gae_lambda * continues
    result = np.empty_like(values)
    following = np.zeros_like(values[0])
    for step in reversed(range(len(values))):
        following = deltas[step] + decay[step] * following
        result[step] = following
    return result


def without_last_step(
    rewards: np.ndarray,
    values: np.ndarray,
    next_values: np.ndarray,
    continues: np.ndarray,
    gamma: np.ndarray,
    gae_lambda: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Advantages and returns as the SND repository computes them (``algorithms/PPO.py``, commit 2cada68).

    The recursion starts one step early, so the last step of every rollout keeps advantage 0 and return 0 and is trained on
    all the same. Arguments are those of `advantages`.
    """
    result = np.zeros_like(values)
    result[:-1] = advantages(rewards[:-1], values[:-1], next_values[:-1], continues[:-1], gamma, gae_lambda)
    returns = result + values
    returns[-1] = 0
    return result, returns
