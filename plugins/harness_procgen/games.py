"""The games of ProcGen and the distributions that each of them has, as plain data: nothing needs to be installed to look."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Literal

Mode = Literal["easy", "hard", "extreme", "memory", "exploration"]

_FURTHER_MODES: Mapping[Mode, str] = {
    "extreme": "chaser dodgeball leaper starpilot",
    "memory": "caveflyer dodgeball heist jumper maze miner",
    "exploration": "caveflyer climber coinrun heist jumper leaper maze ninja",
}
_GAME_NAMES = (
    "bigfish bossfight caveflyer chaser climber coinrun dodgeball fruitbot "
    "heist jumper leaper maze miner ninja plunder starpilot"
)

GAMES: Mapping[str, tuple[Mode, ...]] = {
    game: ("easy", "hard", *(mode for mode, games in _FURTHER_MODES.items() if game in games.split()))
    for game in _GAME_NAMES.split()
}
"""For each game, its distributions: levels are drawn from one of them. Tests hold this equal to what EnvPool registers."""

TIMEOUTS: Mapping[str, int] = {"bigfish": 6000, "bossfight": 4000, "leaper": 500, "maze": 500, "plunder": 4000}
"""Steps after which an episode is cut, for games where it is not `TIMEOUT`."""

TIMEOUT = 1000

SCORE_SOURCE = "openai/train-procgen train_procgen/constants.py"

SCORE_RANGES: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "easy": {
        "bigfish": (1.0, 40.0),
        "bossfight": (0.5, 13.0),
        "caveflyer": (3.5, 12.0),
        "chaser": (0.5, 13.0),
        "climber": (2.0, 12.6),
        "coinrun": (5.0, 10.0),
        "dodgeball": (1.5, 19.0),
        "fruitbot": (-1.5, 32.4),
        "heist": (3.5, 10.0),
        "jumper": (1.0, 10.0),
        "leaper": (1.5, 10.0),
        "maze": (5.0, 10.0),
        "miner": (1.5, 13.0),
        "ninja": (3.5, 10.0),
        "plunder": (4.5, 30.0),
        "starpilot": (2.5, 64.0),
    },
    "hard": {
        "bigfish": (0.0, 40.0),
        "bossfight": (0.5, 13.0),
        "caveflyer": (2.0, 13.4),
        "chaser": (0.5, 14.2),
        "climber": (1.0, 12.6),
        "coinrun": (5.0, 10.0),
        "dodgeball": (1.5, 19.0),
        "fruitbot": (-0.5, 27.2),
        "heist": (2.0, 10.0),
        "jumper": (1.0, 10.0),
        "leaper": (1.5, 10.0),
        "maze": (4.0, 10.0),
        "miner": (1.5, 20.0),
        "ninja": (2.0, 10.0),
        "plunder": (3.0, 30.0),
        "starpilot": (1.5, 35.0),
    },
}
"""By mode and game: returns of a trivial policy and of the best, by which its authors normalise (Cobbe et al. 2020)."""


def timeout(game: str) -> int:
    """Steps after which the game cuts an episode."""
    return TIMEOUTS.get(game, TIMEOUT)


def nearest_game(game: str) -> str:
    """The likeliest meaning of a misspelt name, or of one such as ``procgen-coinrun-v0`` or ``CoinrunHard-v0``."""
    letters = re.sub(r"procgen|-v\d+$|[^a-z]|(easy|hard|extreme|memory|exploration)(?=-v\d+$)", "", game.lower())
    return difflib.get_close_matches(letters, GAMES, n=1, cutoff=0)[0]
