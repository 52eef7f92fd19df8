"""The configuration and its presets: valid, sourced, bounded, and without torch."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from harness.spec import Combination
from harness_proto_rl import presets
from harness_proto_rl.config import ProtoRLConfig
from harness_proto_rl.plugin import harness_algorithm_presets, harness_methods


def test_defaults_are_the_first_preset_and_it_states_every_value() -> None:
    first = harness_methods()[0].presets[0]
    assert first.name == "yarats2021"
    assert first.config.keys() == ProtoRLConfig.model_fields.keys()
    assert ProtoRLConfig(**first.config) == ProtoRLConfig()


@pytest.mark.parametrize("preset", [presets.YARATS2021, presets.LASKIN2021], ids=lambda p: p.name)
def test_presets_are_valid_and_say_where_they_come_from(preset: Any) -> None:
    ProtoRLConfig(**preset.config)
    combination = Combination(**preset.combine)
    assert (combination.mode, combination.extrinsic_weight, combination.intrinsic_weight) == ("sum", 1, 0.2)
    assert "arXiv" in preset.source and "@" in preset.source


def test_every_field_has_a_meaning() -> None:
    assert [name for name, field in ProtoRLConfig.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"neighbours": 0},
        {"neighbours": 5, "queue_size": 4},
        {"prototypes": 0},
        {"temperature": 0},
        {"sinkhorn_iterations": 0},
        {"target_rate": 1.5},
        {"update_every": 0},
        {"shift": -1},
        {"hidden": []},
        {"encoder": "cnn"},
        {"protos": 512},
    ],
    ids=str,
)
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ProtoRLConfig(**wrong)


def test_too_many_neighbours_name_both_settings() -> None:
    with pytest.raises(ValidationError, match=r"neighbours = 5 .* queue_size = 4"):
        ProtoRLConfig(neighbours=5, queue_size=4)


def test_the_published_phases() -> None:
    """The bonus alone while the representation learns; then the task, with the representation as it is."""
    for phases, share, weight in ((presets.PHASES_YARATS2021, 1 / 2, 0.2), (presets.PHASES_LASKIN2021, 20 / 21, 0.0)):
        first, second = phases.values()
        assert (first["share"], first["extrinsic_weight"], first["intrinsic_weight"]) == (share, 0, 1)
        assert (second["train_reward"], second["extrinsic_weight"], second["intrinsic_weight"]) == (False, 1, weight)
        assert {"optimizers", "replay"} <= {*second["reset"]} <= {"critics", "optimizers", "replay"}, "the actor goes on"


def test_the_published_sac() -> None:
    (given,) = harness_algorithm_presets()
    config = given.preset.config
    assert (given.algorithm, given.preset.name) == ("sac", "yarats2021")
    assert (config["batch_size"], config["buffer_size"], config["learning_starts"]) == (512, 100_000, 1000)
    assert (config["ent_coef"], config["tau"], config["target_update_interval"]) == ("auto_0.1", 0.01, 2)


def test_neither_configuration_nor_plugin_imports_torch() -> None:
    program = "import sys, harness_proto_rl.config, harness_proto_rl.plugin; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
