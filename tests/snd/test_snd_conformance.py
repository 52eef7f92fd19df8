"""Every method passes the conformance kit, with small networks that learn fast enough for it."""

from __future__ import annotations

import pytest
from snd.small import HEADS, SMALL
from support.conformance import LONG, QuickConformance

from harness.testing import CHECKS, Subject

QUICK = {**SMALL, "minibatches": 2, "learning_rate": 3e-3, "keep": 1.0}
SLOW = {**SMALL, "minibatches": 2, "epochs": 3, "keep": 1.0, "bonus_clip": None}
"""For targets that run away from small predictors at first."""


class Sibling(QuickConformance):
    """What ``test_snd_reward.py`` tries of every method each day is left to the slow tests as well."""

    long = LONG | {"learns", "resume", "seed", "off_policy"}


class TestV(Sibling):
    method, config = "snd_v", SLOW


class TestSTD(Sibling):
    method, config = "snd_std", SLOW


class TestVIC(QuickConformance):
    long = frozenset({"fresh_process"})
    method, config = "snd_vic", QUICK


class TestBarlow(Sibling):
    method, config = "snd_barlow", QUICK


class TestSimCLR(Sibling):
    method, config = "snd_simclr", {**QUICK, **HEADS["snd_simclr"]}


class TestBYOL(Sibling):
    method, config = "snd_byol", {**QUICK, **HEADS["snd_byol"]}


class TestCURL(Sibling):
    method, config = "snd_curl", QUICK


class TestInverse(Sibling):
    method, config = "snd_inverse", QUICK


@pytest.mark.parametrize("method", ["snd_std", "snd_vic", "snd_inverse"])
def test_one_minibatch_has_no_order(method: str) -> None:
    """What they promise then, and only then."""
    (check,) = [check for check in CHECKS if check.name == "update_order"]
    subject = Subject.named(method, config={**SMALL, "minibatches": 1})
    assert all(case.guarantees.any_order for case in subject.cases)
    check.run(subject)
