"""A ProcGen configuration refuses what the games do not have, in words that help, and costs little to import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from harness_procgen import config as config_module
from harness_procgen import qt
from harness_procgen.config import LAST_LEVEL, ProcGenConfig
from harness_procgen.games import GAMES, timeout
from harness_procgen.plugin import harness_algorithm_presets, harness_environments, harness_networks


def test_games_distributions_and_limits_are_those_of_envpool():
    import envpool

    qt.load()
    registered = set(envpool.list_all_envs())
    for game, modes in GAMES.items():
        for mode in ("easy", "hard", "extreme", "memory", "exploration"):
            assert (f"{game.capitalize()}{mode.capitalize()}-v0" in registered) == (mode in modes)
    for game in ("bigfish", "bossfight", "coinrun", "leaper", "maze", "plunder", "jumper", "climber", "caveflyer"):
        assert envpool.make_spec(f"{game.capitalize()}Hard-v0").config.max_episode_steps == timeout(game)


@pytest.mark.parametrize(
    ("given", "meant"), [("coin_run", "coinrun"), ("procgen-jumper-v0", "jumper"), ("CaveflyerHard-v0", "caveflyer")]
)
def test_unknown_game_is_answered_with_the_nearest(given: str, meant: str):
    with pytest.raises(ValidationError, match=rf"did you mean '{meant}'\?"):
        ProcGenConfig(game=given)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"distribution_mode": "exploration", "game": "starpilot"}, "games that have: caveflyer, climber, coinrun, heist"),
        ({"distribution_mode": "exploration", "num_levels": 200}, "one fixed level"),
        ({"distribution_mode": "exploration", "start_level": 3}, "one fixed level"),
        ({"start_level": 3}, "no effect without num_levels"),
        ({"evaluation_levels": "held_out"}, "holds none out"),
        ({"num_levels": LAST_LEVEL, "start_level": 1}, "none left above"),
        ({"stack": 0}, "stack"),
        ({"random_action": 1.1}, "random_action"),
        ({"backend": "gym"}, "backend"),
    ],
)
def test_impossible_settings_are_refused(wrong: dict, says: str):
    with pytest.raises(ValidationError, match=says):
        ProcGenConfig.model_validate({"game": "coinrun", **wrong})


def test_held_out_levels_are_all_that_training_never_sees():
    config = ProcGenConfig(game="coinrun", num_levels=200, start_level=30)
    training, held_out = (config.options(held_out=which) for which in (False, True))
    assert (training["start_level"], training["num_levels"]) == (30, 200)
    assert held_out["start_level"] == 230 and held_out["start_level"] + held_out["num_levels"] == LAST_LEVEL + 1


def test_what_is_missing_is_said_with_the_remedy(monkeypatch: pytest.MonkeyPatch):
    real = config_module.find_spec
    absent = {"procgen"}
    monkeypatch.setattr(config_module, "find_spec", lambda name: None if name in absent else real(name))
    assert ProcGenConfig(game="coinrun").chosen_backend == "envpool"
    with pytest.raises(ValidationError, match=r"package procgen is missing; see plugins/harness_procgen/README\.md"):
        ProcGenConfig(game="coinrun", backend="gym3")
    monkeypatch.setattr(qt, "_wheel", lambda: None)
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    for backend in ("envpool", "auto"):
        with pytest.raises(ValidationError, match=r"Qt 5 .*pip install PyQt5-Qt5, or .*apt install libqt5gui5"):
            ProcGenConfig.model_validate({"game": "coinrun", "backend": backend})
    absent.add("envpool")
    with pytest.raises(ValidationError, match=r"envpool is missing, and .*pip install 'exploration-harness\[procgen\]'"):
        ProcGenConfig(game="coinrun")


def test_importing_plugin_and_config_loads_nothing_heavy():
    program = "import harness_procgen.plugin, harness_procgen.config as c; c.ProcGenConfig(game='maze'); import sys; "
    program += "print(*({'torch', 'stable_baselines3', 'envpool', 'numpy', 'gymnasium'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split() == []


def test_every_field_has_a_meaning_and_the_plugin_names_what_exists():
    assert all(field.description for field in ProcGenConfig.model_fields.values())
    (family,), (network,), (preset,) = harness_environments(), harness_networks(), harness_algorithm_presets()
    assert (family.name, network.name, preset.preset.name) == ("procgen", "impala", "cobbe2020")
    assert (Path(qt.__file__).parent / "README.md").exists()
