"""An Atari configuration refuses what ALE cannot play, in words that help, and costs little to import."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from harness_atari.config import AtariConfig, games
from harness_atari.plugin import harness_environments

SIX = ["montezuma_revenge", "gravitar", "venture", "private_eye", "pitfall", "solaris"]


def test_defaults_are_those_of_rnd():
    config = AtariConfig(game="venture")
    assert (config.sticky, config.frame_skip, config.maxpool) == (0.25, 4, True)
    assert (config.stack, config.size, config.grayscale) == (4, 84, True)
    assert config.episode_steps * config.frame_skip == 18_000
    assert (config.noop_max, config.fire_reset, config.full_action_space) == (0, False, False)
    assert (config.reward_transform, config.time_limit) == ("sign", "terminates")


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("montezuma_revnge", "montezuma_revenge"),
        ("montezuma", "montezuma_revenge"),
        ("ALE/MontezumaRevenge-v5", "montezuma_revenge"),
        ("PrivateEyeNoFrameskip-v4", "private_eye"),
        ("Pitfall", "pitfall"),
    ],
)
def test_unknown_game_is_answered_with_the_nearest(given: str, meant: str):
    with pytest.raises(ValidationError) as caught:
        AtariConfig(game=given)
    (error,) = caught.value.errors()
    assert error["loc"] == ("game",)
    assert f"unknown game {given!r}" in error["msg"]
    assert f"did you mean {meant!r}?" in error["msg"]


def test_games_without_a_single_player_mode_are_unknown():
    # ALE would end the whole process on loading one of these.
    assert not {"combat", "joust", "maze_craze", "warlords"} & games()
    assert set(SIX) <= games()
    assert len(games()) > 100


@pytest.mark.parametrize(
    "wrong",
    [
        {"sticky": 1.0},
        {"sticky": -0.1},
        {"frame_skip": 0},
        {"stack": 0},
        {"size": 20},
        {"episode_steps": 0},
        {"noop_max": -1},
        {"reward_transform": "clip"},
        {"time_limit": "ends"},
        {"stiky": 0.25},
    ],
)
def test_impossible_settings_are_refused(wrong: dict):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        AtariConfig.model_validate({"game": "pong", **wrong})


def test_every_field_has_a_meaning():
    undocumented = [name for name, field in AtariConfig.model_fields.items() if not field.description]
    assert undocumented == []


def test_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    games.cache_clear()
    monkeypatch.setitem(sys.modules, "ale_py", None)
    try:
        with pytest.raises(ValidationError, match=r"ale-py is missing .*pip install 'exploration-harness\[atari\]'"):
            AtariConfig(game="pong")
    finally:
        games.cache_clear()


HEAVY = "('torch', 'stable_baselines3', 'ale_py', 'gymnasium', 'numpy')"


def loaded_by(program: str) -> list[str]:
    program += f"; import sys; print(*(name for name in {HEAVY} if name in sys.modules))"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()


def test_importing_plugin_and_config_loads_nothing_heavy():
    assert loaded_by("import harness_atari.plugin, harness_atari.config") == []


def test_validation_does_not_load_torch():
    loaded = loaded_by("from harness_atari.config import AtariConfig; AtariConfig(game='pong')")
    assert "ale_py" in loaded and "torch" not in loaded


def test_plugin_names_what_exists():
    (family,) = harness_environments()
    module, _, name = family.config.partition(":")
    assert family.name == "atari"
    assert (module, name) == (AtariConfig.__module__, AtariConfig.__name__)
    assert family.make == "harness_atari.env:make"
