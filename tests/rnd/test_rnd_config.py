"""The configuration: presets that fit it, a meaning for every field, bounds, and no torch."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from harness.spec import Combination
from harness_rnd import presets
from harness_rnd.config import RNDConfig
from harness_rnd.plugin import harness_methods


def test_defaults_are_the_first_preset_and_it_states_every_value() -> None:
    first = harness_methods()[0].presets[0]
    assert first.name == "burda2018"
    assert first.config.keys() == RNDConfig.model_fields.keys()
    assert RNDConfig(**first.config) == RNDConfig()


@pytest.mark.parametrize("preset", [presets.BURDA2018, presets.PECHAC2024, presets.CLEANRL], ids=lambda p: p.name)
def test_presets_are_valid_and_say_where_they_come_from(preset: Any) -> None:
    RNDConfig(**preset.config)
    Combination(**preset.combine)
    assert "arXiv" in preset.source or "@" in preset.source


def test_the_published_combinations_differ_in_episodes_alone() -> None:
    burda, pechac = Combination(**presets.BURDA2018.combine), Combination(**presets.PECHAC2024.combine)
    assert not burda.episodic
    assert pechac == burda.model_copy(update={"episodic": True})
    assert (burda.mode, burda.extrinsic_weight, burda.intrinsic_weight) == ("two_critics", 2, 1)


def test_every_field_has_a_meaning() -> None:
    assert [name for name, field in RNDConfig.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"eta": 0},
        {"keep": 1.5},
        {"feature_dim": 0},
        {"hidden": [64, 0]},
        {"mask": "pixel"},
        {"learning_rate": -1e-4},
        {"warm_up_steps": -1},
        {"bonus_gamma": 1.0},
        {"etta": 1.0},
    ],
    ids=str,
)
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RNDConfig(**wrong)


def test_neither_configuration_nor_plugin_imports_torch() -> None:
    program = "import sys, harness_rnd.config, harness_rnd.plugin; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
