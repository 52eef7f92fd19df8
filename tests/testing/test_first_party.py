"""Every method that comes with the harness passes its own conformance kit."""

from __future__ import annotations

import pytest

from harness.registry import registry
from harness.testing import Subject, examine

SMALL = {
    "feature_dim": 64,
    "target_channels": [8, 8, 8, 16],
    "predictor_channels": [8, 8, 8, 16],
    "channels": 8,
    "projection_dim": 16,
    "prototypes": 32,
    "queue_size": 128,
    "minibatches": 4,
    "warm_up_steps": 8,
    "learning_rate": 1e-3,
}
"""Settings that make networks small, for methods that have them."""

METHODS = sorted(name for name, method in registry().methods.items() if method.plugin.distribution == "exploration-harness")


def failures(subject: Subject) -> list[str]:
    return [f"{result.check}: {result.message}" for result in examine(subject) if result.outcome == "failed"]


@pytest.mark.parametrize("name", METHODS)
def test_method_passes_with_small_networks(name: str) -> None:
    fields = registry().config_class(registry().method(name)).model_fields
    assert failures(Subject.named(name, config={key: value for key, value in SMALL.items() if key in fields})) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_method_passes_as_a_suite_would_run_it(name: str) -> None:
    assert failures(Subject.named(name)) == []
