"""Every method passes the conformance kit, with small networks that learn fast enough for it."""

from __future__ import annotations

import pytest
from snd.small import HEADS, SMALL
from support.conformance import QuickConformance

from harness.testing import CHECKS, MethodConformance, Subject

QUICK = {**SMALL, "minibatches": 2, "learning_rate": 3e-3, "keep": 1.0}
SLOW = {**SMALL, "minibatches": 2, "epochs": 3, "keep": 1.0, "bonus_clip": None}
"""For targets that run away from small predictors at first."""


class TestV(QuickConformance):
    method, config = "snd_v", SLOW


class TestSTD(QuickConformance):
    method, config = "snd_std", SLOW


class TestVIC(MethodConformance):
    method, config = "snd_vic", QUICK


class TestBarlow(QuickConformance):
    method, config = "snd_barlow", QUICK


class TestSimCLR(QuickConformance):
    method, config = "snd_simclr", {**QUICK, **HEADS["snd_simclr"]}


class TestBYOL(QuickConformance):
    method, config = "snd_byol", {**QUICK, **HEADS["snd_byol"]}


class TestCURL(QuickConformance):
    method, config = "snd_curl", QUICK


class TestInverse(QuickConformance):
    method, config = "snd_inverse", QUICK


@pytest.mark.parametrize("method", ["snd_std", "snd_vic", "snd_inverse"])
def test_one_minibatch_has_no_order(method: str) -> None:
    """What they promise then, and only then."""
    (check,) = [check for check in CHECKS if check.name == "update_order"]
    subject = Subject.named(method, config={**SMALL, "minibatches": 1})
    assert all(case.guarantees.any_order for case in subject.cases)
    check.run(subject)
