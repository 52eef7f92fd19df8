"""The forecast of memory: what is watched, and what is counted."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces
from support.specs import make_spec

from harness.algorithms.rollout_storage import CompactRolloutBuffer, FrameStacks
from harness.registry import installed
from harness.training.assembly import assemble
from harness.training.memory import PeakWatch, forecast_memory, resident_bytes

MIB = 2**20


def test_memory_that_is_freed_again_was_seen() -> None:
    with PeakWatch() as watch:
        for _ in range(5):
            block = np.ones(96 * MIB, dtype=np.uint8)
            assert block[::4096].sum() > 0
            del block
    assert 90 * MIB < watch.growth < 130 * MIB


@pytest.mark.parametrize(("depth", "channels"), [(4, 1), (1, 3)])
def test_a_rollout_is_counted_as_it_is_stored(depth: int, channels: int) -> None:
    space = spaces.Box(0, 255, (depth * channels, 9, 9), np.uint8)
    small, large = (
        CompactRolloutBuffer(steps, space, spaces.Discrete(3), "cpu", n_envs=2, frame_channels=channels) for steps in (8, 80)
    )
    assert isinstance(large.observations, FrameStacks)
    assert small.nbytes_of(80) == large.nbytes_of(80) > large.observations.nbytes
    assert large.observations.nbytes_of(80) == large.observations.nbytes
    vectors = spaces.Box(-1, 1, (7,), np.float32)
    buffer = CompactRolloutBuffer(8, vectors, spaces.Discrete(3), "cpu", n_envs=2)
    assert buffer.nbytes_of(80) == 80 * 2 * (4 * 7 + 8 + 4 * 6)  # observations, an action, and six numbers of each step


def test_longer_rollouts_are_forecast_to_take_what_they_take() -> None:
    """Of a policy of vectors nothing else grows by megabytes."""
    spec = make_spec()
    run = assemble(spec, torch.device("cpu"), installed())
    try:
        run.learner.begin(spec.steps)
        run.learner.iterate()
        config = installed().algorithm_config(spec.algorithm.name).model_validate(spec.algorithm.config)
        here = forecast_memory(config, run, 0)
        assert resident_bytes() <= here < resident_bytes() + 200 * MIB
        longer = config.model_copy(update={"n_steps": 2_000_000})
        assert forecast_memory(longer, run, 0) - here > 2_000_000 * config.n_envs * 4
    finally:
        run.close()
