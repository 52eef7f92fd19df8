"""Every method passes the conformance kit, with small networks that learn fast enough for it."""

from __future__ import annotations

import pytest

from harness.testing import CHECKS, MethodConformance, Subject

SMALL = {
    "convolutions": "raileanu2020",
    "hidden": [16],
    "feature_dim": 8,
    "forward_hidden": 16,
    "learning_rate": 1e-2,
    "minibatches": 1,
}
FLAT = {**SMALL, "architecture": "mlp"}
"""Without convolutions, which take most of the time: those of the first method are enough."""


class TestICM(MethodConformance):
    method, config = "icm", {**SMALL, "inverse_hidden": 16}


class TestICMOfVAE(MethodConformance):
    method, preset, config = "icm", "burda2018_vae", {**FLAT, "warm_up_steps": 3, "epochs": 1}


class TestICMOfURLB(MethodConformance):
    method, preset, config = "icm", "urlb", {"forward_hidden": 16, "inverse_hidden": 16, "learning_rate": 1e-2}


class TestDisagreement(MethodConformance):
    method, config = "disagreement", {**FLAT, "warm_up_steps": 3, "members": 3, "epochs": 1}
