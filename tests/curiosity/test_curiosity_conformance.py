"""Every method passes the conformance kit, with small networks that learn fast enough for it."""

from __future__ import annotations

import pytest
from support.conformance import QuickConformance

from harness.testing import CHECKS, Check, MethodConformance, Subject

SMALL = {
    "convolutions": "raileanu2020",
    "frames": "newest",
    "hidden": [16],
    "feature_dim": 8,
    "forward_hidden": 16,
    "learning_rate": 1e-2,
    "minibatches": 1,
}
FLAT = {**SMALL, "architecture": "mlp"}
"""Without convolutions, which take most of the time."""


class TestICM(QuickConformance):
    method, config = "icm", {**FLAT, "inverse_hidden": 16}


@pytest.mark.slow
class TestICMWithConvolutions(MethodConformance):
    method, config = "icm", {**SMALL, "inverse_hidden": 16}


@pytest.mark.slow
class TestICMOfVAE(MethodConformance):
    method, preset, config = "icm", "burda2018_vae", {**FLAT, "warm_up_steps": 3, "epochs": 1}


class TestDisagreement(QuickConformance):
    method, config = "disagreement", {**FLAT, "warm_up_steps": 3, "members": 3, "epochs": 1}


CODES = {"hidden": [16], "latent_dim": 4, "architecture": "mlp", "minibatches": 1}
GENERATIVE = {
    "vae": CODES,
    "world_model": {**CODES, "recurrent": 16, "components": 2, "learning_rate": 1e-2, "segment": 4, "epochs": 1},
    "td_vae": {"processed_dim": 16, "belief_dim": 16, "latent_dim": 4, "hidden": 16, "segment": 4, "epochs": 1},
    "e2c": {"encoder_hidden": [32], "decoder_hidden": [32], "transition_hidden": [32], "minibatches": 2},
}


class Generative(MethodConformance):
    """Everything but that rare states are told from others: models of states need more rounds for that than there is time."""

    def test_conforms(self, check: Check) -> None:
        if check.name == "learns":
            pytest.skip("see test_models_of_states_learn")
        super().test_conforms(check)


class QuickGenerative(Generative, QuickConformance):
    """The same, where what takes seconds is among the slow tests."""


class TestVAE(QuickGenerative):
    method, config = "vae", GENERATIVE["vae"]


class TestWorldModel(Generative):
    method, config = "world_model", GENERATIVE["world_model"]


class TestTDVAE(QuickGenerative):
    method, config = "td_vae", GENERATIVE["td_vae"]


class TestE2C(QuickGenerative):
    method, config = "e2c", GENERATIVE["e2c"]


@pytest.mark.slow
@pytest.mark.parametrize("method", GENERATIVE)
def test_models_of_states_learn(method: str) -> None:
    (learns,) = [check for check in CHECKS if check.name == "learns"]
    learns.run(Subject.named(method, config={"architecture": "mlp"} if method == "world_model" else {}))
