"""The configurations and presets: complete, sourced, bounded, and light."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from harness import Method
from harness.config import Search
from harness.spec import Combination
from harness_snd import configs, presets
from harness_snd.config import SNDConfig
from harness_snd.plugin import harness_methods

METHODS = {method.name: method for method in harness_methods()}
PUBLISHED = ("snd_v", "snd_std", "snd_vic")


def config_class(method: Method) -> type[SNDConfig]:
    return getattr(configs, method.config.partition(":")[2])


every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


@pytest.mark.parametrize("name", PUBLISHED)
def test_defaults_are_the_first_preset_and_it_states_every_value(name: str) -> None:
    model, first = config_class(METHODS[name]), METHODS[name].presets[0]
    assert first.name == "pechac2024_corrected"
    assert first.config.keys() == model.model_fields.keys()
    assert model(**first.config) == model()


@every_method
def test_presets_are_valid_and_say_where_they_come_from(method: Method) -> None:
    for preset in method.presets:
        config_class(method)(**preset.config)
        combination = Combination(**preset.combine)
        assert (combination.mode, combination.extrinsic_weight, combination.intrinsic_weight) == ("two_critics", 2, 1)
        assert combination.episodic
        assert combination.last_step == ("zero" if preset.name in ("pechac2024", "pechac2024_procgen") else "bootstrap")
        assert "arXiv" in preset.source
    assert "arXiv" in method.paper


@pytest.mark.parametrize("name", PUBLISHED)
def test_only_the_last_step_is_corrected(name: str) -> None:
    corrected, published, _ = METHODS[name].presets
    assert corrected.config == published.config
    assert {**corrected.combine, "last_step": "zero"} == published.combine


def test_procgen_ends_in_64_channels_but_for_the_predictor_of_vic() -> None:
    channels = {
        name: [
            config_class(METHODS[name])(**METHODS[name].presets[2].config).model_dump()[f"{net}_channels"][-1]
            for net in ("target", "predictor")
        ]
        for name in PUBLISHED
    }
    assert channels == {"snd_v": [64, 64], "snd_std": [64, 64], "snd_vic": [64, 128]}


def test_eta_of_every_game() -> None:
    games = set(presets.ETA["snd_std"])
    assert len(games) == 10
    for name in PUBLISHED:
        assert set(presets.ETA[name]) == games
        model, (_, atari, procgen) = config_class(METHODS[name]), METHODS[name].presets
        assert model(**atari.config).eta == presets.ETA[name]["montezuma_revenge"]
        assert model(**procgen.config).eta == presets.ETA[name]["jumper"]


@every_method
def test_every_field_has_a_meaning(method: Method) -> None:
    assert [name for name, field in config_class(method).model_fields.items() if not field.description] == []


@every_method
def test_what_matters_most_is_searched(method: Method) -> None:
    fields = config_class(method).model_fields
    searched = {name for name, field in fields.items() if any(isinstance(item, Search) for item in field.metadata)}
    assert {"eta", "learning_rate", "feature_dim", "predictor_gain"} <= searched


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("snd_v", {"eta": 0}),
        ("snd_v", {"keep": 0}),
        ("snd_v", {"keep": 1.5}),
        ("snd_v", {"close_share": 2}),
        ("snd_v", {"tile_sizes": []}),
        ("snd_v", {"image_augmentations": ["rotate"]}),
        ("snd_v", {"vector_augmentations": ["shift"]}),
        ("snd_std", {"softmax_over": "positions"}),
        ("snd_std", {"local_layer": 0}),
        ("snd_std", {"norm_weight": -1}),
        ("snd_vic", {"variance_epsilon": 0}),
        ("snd_vic", {"target_channels": []}),
        ("snd_vic", {"hidden": [64, 0]}),
        ("snd_byol", {"decay": 1.5}),
        ("snd_simclr", {"temperature": 0}),
        ("snd_inverse", {"second_view": "obs"}),
        ("snd_vic", {"etta": 1.0}),
    ],
    ids=str,
)
def test_nonsense_is_refused(name: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config_class(METHODS[name])(**wrong)


def test_neither_configurations_nor_plugin_import_torch() -> None:
    program = "import sys, harness_snd.configs, harness_snd.plugin; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
