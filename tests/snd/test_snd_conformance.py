"""Every method passes the conformance kit, with small networks."""

from __future__ import annotations

from snd.small import HEADS, SMALL

from harness.testing import MethodConformance

CONFIG = {**SMALL, "minibatches": 2, "epochs": 3, "keep": 1.0, "bonus_clip": None}
"""Small networks need several passes to learn anything, and their bonuses would all be clipped."""


class TestV(MethodConformance):
    method, config = "snd_v", CONFIG


class TestSTD(MethodConformance):
    method, config = "snd_std", CONFIG


class TestVIC(MethodConformance):
    method, config = "snd_vic", CONFIG


class TestVICInOneMinibatch(MethodConformance):
    """The order of a batch does not matter then, as it promises."""

    method, config = "snd_vic", {**CONFIG, "minibatches": 1}


class TestBarlow(MethodConformance):
    method, config = "snd_barlow", CONFIG


class TestSimCLR(MethodConformance):
    method, config = "snd_simclr", {**CONFIG, **HEADS["snd_simclr"]}


class TestBYOL(MethodConformance):
    method, config = "snd_byol", {**CONFIG, **HEADS["snd_byol"]}


class TestCURL(MethodConformance):
    method, config = "snd_curl", CONFIG


class TestInverse(MethodConformance):
    method, config = "snd_inverse", CONFIG
