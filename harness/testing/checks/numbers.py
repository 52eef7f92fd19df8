"""What comes out: shapes, types, finite numbers."""

from __future__ import annotations

import math
from typing import Any, cast

import torch

from harness.rewards import IntrinsicReward, Transitions
from harness.testing.outcomes import require, require_finite
from harness.testing.scripted_envs import constant_script
from harness.testing.subject import ConformanceCase

_EXTREMES = {"vectors": (0.0, 1e6, -1e6), "images": (0.0, 255.0)}


def bonus(case: ConformanceCase) -> None:
    """Float32 of shape ``(B,)`` on the method's device, without gradient."""
    reward = case.build()
    steps = case.steps(reward, case.script(1))
    reward.track(steps[0])
    reward.observe(steps[0])
    for batch in (steps[0], steps[0][:1], case.rollout(reward, case.script(1))):
        got = reward.bonus(batch)
        require(got.shape == (len(batch),), f"bonuses of shape ({len(batch)},)", tuple(got.shape))
        require(got.dtype == torch.float32, "bonuses of float32", got.dtype)
        require(got.device.type == case.device.type, f"bonuses on {case.device}", got.device)
        require(not got.requires_grad, "bonuses without gradient", "some with: compute them under torch.no_grad()")
        require_finite(got, "bonuses")


def finite(case: ConformanceCase) -> None:
    """Constant observations, however extreme, and ordinary ones after them."""
    for value in _EXTREMES[case.kind.observations]:
        reward = case.build()
        for script in (constant_script(case.kind, value), case.script(1)):
            for name, values in case.run_rollout(reward, script).items():
                require_finite(values, f"{name} when observations are constantly {value:g}, and after")


def metrics(case: ConformanceCase) -> None:
    """A dict of finite floats, named without prefix."""
    reward = case.build()
    rollout = _observed(case, reward)
    learnt, found = reward.update(rollout), reward.diagnose(rollout)
    for given, source in ((learnt, "update()"), (found, "diagnose()")):
        require(isinstance(cast(Any, given), dict), f"a dict of metrics from {source}", type(given).__name__)
    twice = sorted(learnt.keys() & found.keys())
    require(not twice, "each metric once", f"{', '.join(twice)} from update() and diagnose()")
    metrics: dict[Any, Any] = learnt | found
    for name, value in metrics.items():
        require(isinstance(name, str) and name and "/" not in name, "names of metrics without prefix", repr(name))
        require(type(value) is float, f"a float for metric {name!r}", type(value).__name__)
        require(math.isfinite(value), f"a finite number for metric {name!r}", value)


def _observed(case: ConformanceCase, reward: IntrinsicReward) -> Transitions:
    script = case.script(1)
    for step in case.steps(reward, script):
        reward.track(step)
        reward.observe(step)
    return case.rollout(reward, script)
