"""The configurations: presets that fit them, a meaning for every field, bounds, and no torch."""

from __future__ import annotations

import importlib
import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from harness.config import IntrinsicRewardConfig
from harness.spec import Combination
from harness_curiosity.plugin import harness_methods

METHODS = {method.name: method for method in harness_methods()}
PRESETS = [(method.name, preset) for method in METHODS.values() for preset in method.presets]


def config_class(name: str) -> type[IntrinsicRewardConfig]:
    module, _, attribute = METHODS[name].config.partition(":")
    return getattr(importlib.import_module(module), attribute)


def test_all_methods_are_there() -> None:
    assert list(METHODS) == ["icm", "disagreement", "vae", "world_model", "td_vae", "e2c"]
    off_policy = [name for name, method in METHODS.items() if "off_policy" in method.works_with]
    assert off_policy == ["icm", "disagreement", "vae", "e2c"]


@pytest.mark.parametrize("name", METHODS)
def test_defaults_are_the_first_preset_and_it_states_every_value(name: str) -> None:
    first = METHODS[name].presets[0]
    assert first.config.keys() == config_class(name).model_fields.keys()
    assert config_class(name)(**first.config) == config_class(name)()


@pytest.mark.parametrize(("name", "preset"), PRESETS, ids=lambda value: getattr(value, "name", value))
def test_presets_are_valid_and_say_where_they_come_from(name: str, preset: Any) -> None:
    config = config_class(name)(**preset.config)
    Combination(**preset.combine)
    assert "arXiv" in preset.source or "@" in preset.source
    assert config.normalises_bonus == (preset.config["bonus_normalisation"] != "none")


@pytest.mark.parametrize("name", METHODS)
def test_every_field_has_a_meaning(name: str) -> None:
    assert [field for field, info in config_class(name).model_fields.items() if not info.description] == []


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("icm", {"forward_share": 1.5}),
        ("icm", {"features": "words"}),
        ("icm", {"eta": 0}),
        ("icm", {"hidden": [0]}),
        ("disagreement", {"members": 1}),
        ("disagreement", {"keep": 0}),
        ("vae", {"beta": -1}),
        ("vae", {"likelihood": "poisson"}),
        ("world_model", {"segment": 1}),
        ("world_model", {"components": 0}),
        ("td_vae", {"minibatches": 4}),
        ("e2c", {"adam_beta1": 1.0}),
    ],
    ids=str,
)
def test_nonsense_is_refused(name: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config_class(name)(**wrong)


def test_neither_configurations_nor_plugin_import_torch() -> None:
    modules = {method.config.partition(":")[0] for method in METHODS.values()}
    program = f"import sys, harness_curiosity.plugin, {', '.join(modules)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
