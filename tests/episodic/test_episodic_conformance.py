"""Every method of the package passes the conformance kit, with small networks that learn fast enough for it."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from support.conformance import QuickConformance

from harness.testing import MethodConformance

SMALL: dict[str, Any] = {"hidden": [32], "feature_dim": 16, "learning_rate": 1e-3, "minibatches": 2}
INVERSE: dict[str, Any] = SMALL | {"inverse_hidden": 32}


class TestEpisodicCounts(MethodConformance):
    method = "counts"


@pytest.mark.slow
class TestProductOfCounts(MethodConformance):
    method, preset = "counts", "product"
    config: ClassVar = {"code": "bins"}


@pytest.mark.slow
class TestSimHashCounts(MethodConformance):
    method, preset = "counts", "simhash"


@pytest.mark.slow
class TestNovelD(MethodConformance):
    method = "noveld"
    config: ClassVar = SMALL | {"predictor_layers": 1}


@pytest.mark.slow
class TestE3B(MethodConformance):
    method = "e3b"
    config: ClassVar = INVERSE


class TestCompactE3B(QuickConformance):
    method, preset = "e3b", "compact"
    config: ClassVar = INVERSE


@pytest.mark.slow
class TestRide(MethodConformance):
    method = "ride"
    config: ClassVar = INVERSE | {"forward_hidden": 32}


@pytest.mark.slow
class TestRideOfRLLTE(MethodConformance):
    method, preset = "ride", "rllte"
    config: ClassVar = INVERSE | {"forward_hidden": 32}


@pytest.mark.slow
class TestPseudoCounts(MethodConformance):
    method = "pseudo_counts"
    config: ClassVar = INVERSE | {"neighbours": 3}


class TestNGU(QuickConformance):
    method = "ngu"
    config: ClassVar = INVERSE | {"neighbours": 3, "rnd_hidden": [32], "rnd_feature_dim": 16}


@pytest.mark.slow
class TestNGUOfRLLTE(MethodConformance):
    method, preset = "ngu", "rllte"
    config: ClassVar = INVERSE | {"rnd_hidden": [32], "rnd_feature_dim": 16}


@pytest.mark.slow
class TestRE3(MethodConformance):
    method = "re3"
    config: ClassVar = {"feature_dim": 16, "bank_size": 256}


@pytest.mark.slow
class TestRE3OnPixels(MethodConformance):
    method, preset = "re3", "seo2021_rad"
    config: ClassVar = {"bank_size": 256}


@pytest.mark.slow
class TestAPT(MethodConformance):
    method = "apt"


@pytest.mark.slow
class TestAPTWithBank(MethodConformance):
    method, preset = "apt", "on_policy"
    config: ClassVar = {"feature_dim": 16, "bank_size": 64}


@pytest.mark.slow
class TestICMAPT(MethodConformance):
    method = "icm_apt"
    config: ClassVar = {"feature_dim": 16, "hidden_dim": 32, "learning_rate": 1e-3}


@pytest.mark.slow
class TestICMAPTWithBank(MethodConformance):
    method, preset = "icm_apt", "on_policy"
    config: ClassVar = {"feature_dim": 16, "hidden_dim": 32, "bank_size": 64, "learning_rate": 1e-3}
