"""The normaliser of discounted bonus sums against OpenAI's, and what CleanRL's transposition would make of it."""

from __future__ import annotations

import numpy as np
import torch
from golden_cases import Case, cases

from harness.nn.moments import ReturnNormaliser, RunningMoments


def rollouts(case: Case) -> list[torch.Tensor]:
    """Bonuses of each rollout, (steps, envs): rollout r is (r + 1) times its input."""
    return [torch.from_numpy(x).to(case.dtype) * (r + 1) for r, x in enumerate(case.inputs("rewards of rollout"))]


@cases("reward_normaliser")
def test_golden_normaliser_runs_over_time(case: Case) -> None:
    normaliser = ReturnNormaliser(case.settings["envs"], case.settings["gamma"])
    watcher = ReturnNormaliser(case.settings["envs"], case.settings["gamma"])
    for r, (bonuses, expected) in enumerate(zip(rollouts(case), case.expected["openai"], strict=True)):
        where = f"openai[{r}]"
        case.check(expected["filtered"], watcher.discounted_sums(bonuses), f"{where}.filtered")
        case.check(expected["normalised"], normaliser.normalise_rollout(bonuses), f"{where}.normalised")
        case.check(expected["running_mean"], normaliser.moments.mean, f"{where}.running_mean")
        case.check(expected["running_var"], normaliser.moments.var, f"{where}.running_var")
        case.check(expected["running_count"], normaliser.moments.count, f"{where}.running_count")


@cases("reward_normaliser")
def test_golden_cleanrl_filters_over_environments_instead(case: Case) -> None:
    """CleanRL's numbers come out when environments and time change places and only environments are counted."""
    steps, envs, gamma = case.settings["steps"], case.settings["envs"], case.settings["gamma"]
    transposed, moments = ReturnNormaliser(steps, gamma), RunningMoments()
    right = ReturnNormaliser(envs, gamma)
    for r, (bonuses, expected) in enumerate(zip(rollouts(case), case.expected["cleanrl"], strict=True)):
        where = f"cleanrl[{r}]"
        sums = transposed.discounted_sums(bonuses.T)
        moments.merge(sums.mean(), sums.var(correction=0), envs)
        case.check(expected["filtered"], sums, f"{where}.filtered")
        case.check(expected["batch_mean"], sums.mean(), f"{where}.batch_mean")
        case.check(expected["batch_std"], sums.std(correction=0), f"{where}.batch_std")
        case.check(expected["running_mean"], moments.mean, f"{where}.running_mean")
        case.check(expected["running_var"], moments.var, f"{where}.running_var")
        case.check(expected["running_count"], moments.count, f"{where}.running_count")
        case.check(expected["normalised"], bonuses / moments.std, f"{where}.normalised")
        assert not np.allclose(right.normalise_rollout(bonuses), expected["normalised"], rtol=0.1)
