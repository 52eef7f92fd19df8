"""The settings of a ProcGen game. Imported for validation: neither torch nor a game is loaded here."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from harness.config import EnvironmentConfig, ScoreRange
from harness_procgen import qt
from harness_procgen.games import GAMES, SCORE_RANGES, SCORE_SOURCE, Mode, nearest_game, timeout

INSTALL = "pip install 'exploration-harness[procgen]'"
LAST_LEVEL = 2**31 - 2
"""Levels are numbered from 0 to this."""


class ProcGenConfig(EnvironmentConfig):
    """A game of ProcGen (Cobbe et al. 2020, arXiv 1912.01588): each episode is a level, drawn by its number.

    Defaults are the benchmark's own hard mode over all levels. Observations are the game's 64 x 64 colour frames.
    """

    task_field: ClassVar[str] = "game"

    game: str
    """ProcGen's name of the game, such as ``coinrun``; filled by the task's name if not set."""

    distribution_mode: Mode = "hard"
    """Which levels there are. ``exploration`` is one level of the hard distribution, fixed for each of eight games and chosen
    by ProcGen's authors because a policy without exploration finds no reward in it; ``memory`` and ``extreme`` exist for some
    games."""

    num_levels: int = Field(default=0, ge=0, le=LAST_LEVEL)
    """Levels that training draws from; 0 for all. Not for ``exploration``."""

    start_level: int = Field(default=0, ge=0, le=LAST_LEVEL)
    """Number of the first of them."""

    evaluation_levels: Literal["training", "held_out"] = "training"
    """Which levels evaluation draws from: those of training, or all above them, which training never sees."""

    stack: int = Field(default=1, ge=1, le=8)
    """Frames per observation, newest last; the frames before an episode's first are black. SND: 2."""

    random_action: float = Field(default=0.0, ge=0, le=1)
    """Probability that a step takes an action drawn uniformly instead of the agent's. SND: 0.01."""

    center_agent: bool = True
    """Whether the view follows the agent; if false, it shows the whole level. Not all games heed this."""

    use_backgrounds: bool = True
    """Whether backgrounds are drawn; if false, they are black."""

    use_monochrome_assets: bool = False
    """Whether sprites are plain rectangles in one colour for each kind."""

    restrict_themes: bool = False
    """Whether sprites that come in several themes always have the first."""

    use_sequential_levels: bool = False
    """Whether a solved level leads to the next one within the same episode."""

    paint_vel_info: bool = False
    """Whether the agent's velocity is painted into a corner, in games where it matters."""

    backend: Literal["auto", "envpool", "gym3"] = "auto"
    """``envpool`` steps the games in EnvPool's threads, ``gym3`` in those of the ``procgen`` package; ``auto`` takes the first
    that is installed. Levels and rewards are the same; sprites differ by single pixels. Only ``envpool`` draws the last frame
    of an episode: with ``gym3`` the terminal observation is the frame before it."""

    @property
    def frames_per_step(self) -> int:
        return 1

    @property
    def episode_limit(self) -> int | None:
        """The game's own limit; unknown where solved levels lead to the next, each with its own time."""
        return None if self.use_sequential_levels else timeout(self.game)

    @property
    def score_range(self) -> ScoreRange | None:
        """The authors' constants of the game, as games.py has them; none for modes that they give none of."""
        mode = self.distribution_mode
        if mode == "exploration":
            return ScoreRange(
                0.0, SCORE_RANGES["hard"][self.game][1], f"nothing found, and R_max of hard mode ({SCORE_SOURCE})"
            )
        if mode not in SCORE_RANGES:
            return None
        return ScoreRange(*SCORE_RANGES[mode][self.game], f"{SCORE_SOURCE}, {mode} mode")

    @property
    def actions(self) -> Literal["discrete"]:
        """Fifteen combinations of buttons."""
        return "discrete"

    @property
    def observations(self) -> Literal["images"]:
        """Stacked colour frames."""
        return "images"

    @property
    def chosen_backend(self) -> Literal["envpool", "gym3"]:
        """What steps the games here.

        Raises:
            ValueError: It is not installed; the message says how to do that.
        """
        envpool = "envpool is missing" if find_spec("envpool") is None else qt.missing_libraries()
        package = find_spec("procgen")  # a folder of that name somewhere on the path has no origin
        gym3 = "" if package and package.origin else "the package procgen is missing"
        if self.backend != "gym3" and not envpool:
            return "envpool"
        if self.backend != "envpool" and not gym3:
            return "gym3"
        wrong = {"envpool": envpool, "gym3": gym3, "auto": f"{envpool}, and {gym3}"}[self.backend]
        remedy = "see plugins/harness_procgen/README.md" if self.backend == "gym3" else INSTALL
        raise ValueError(f"{wrong}; {remedy}")

    @field_validator("game")
    @classmethod
    def _check_game(cls, game: str) -> str:
        if game in GAMES:
            return game
        raise ValueError(f"unknown game {game!r}: did you mean {nearest_game(game)!r}? (known: {', '.join(GAMES)})")

    @model_validator(mode="after")
    def _check_levels(self) -> Self:
        if self.distribution_mode not in GAMES[self.game]:
            having = ", ".join(game for game, modes in GAMES.items() if self.distribution_mode in modes)
            raise ValueError(
                f"distribution_mode: {self.game} has no levels for {self.distribution_mode!r}, only for "
                f"{', '.join(GAMES[self.game])}; games that have: {having}"
            )
        if self.distribution_mode == "exploration" and (self.num_levels or self.start_level):
            raise ValueError("num_levels, start_level: exploration has one fixed level per game; leave them out")
        if self.start_level and not self.num_levels:
            raise ValueError("start_level: has no effect without num_levels, since 0 means all levels")
        if self.evaluation_levels == "held_out" and not self.num_levels:
            raise ValueError("evaluation_levels: training on all levels holds none out; set num_levels, such as 200")
        if self.start_level + self.num_levels > LAST_LEVEL:
            raise ValueError(f"num_levels: levels end at {LAST_LEVEL}, so there are none left above start_level + num_levels")
        return self

    @model_validator(mode="after")
    def _check_installed(self) -> Self:
        _ = self.chosen_backend
        return self

    def options(self, *, held_out: bool) -> dict[str, Any]:
        """The game's options by the names that both back ends give them.

        Args:
            held_out: Whether levels are those above the training levels.
        """
        names = (
            "center_agent",
            "use_backgrounds",
            "use_monochrome_assets",
            "restrict_themes",
            "use_sequential_levels",
            "paint_vel_info",
        )
        options = {name: getattr(self, name) for name in names}
        if self.distribution_mode == "exploration":
            return options
        first, number = self.start_level, self.num_levels
        if held_out:
            first, number = first + number, LAST_LEVEL + 1 - first - number
        return {**options, "start_level": first, "num_levels": number}
