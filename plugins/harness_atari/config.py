"""The settings of an Atari game. Imported for validation: neither torch nor the emulator is loaded here."""

from __future__ import annotations

import functools
import importlib
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from harness.config import EnvironmentConfig
from harness.errors import nearest


class AtariConfig(EnvironmentConfig):
    """An Atari 2600 game and its preprocessing; the defaults are those of RND (Burda et al. 2018, arXiv 1810.12894).

    Two things cannot be set. A reward is always the game's own: what the learner sees of it is `reward_transform`. An
    episode is always a whole game, never one life, so that returns in training and in evaluation mean the same.
    """

    task_field: ClassVar[str] = "game"

    learner_fields: ClassVar[frozenset[str]] = EnvironmentConfig.learner_fields | {
        "maxpool",
        "stack",
        "size",
        "resize",
        "grayscale",
    }

    game: str
    """ALE's name of the game, in snake_case, such as ``montezuma_revenge``; filled by the task's name if not set."""

    sticky: float = Field(default=0.25, ge=0, lt=1)
    """Probability, at each emulator frame, that the game receives its previous action again instead of the agent's."""

    frame_skip: int = Field(default=4, ge=1, le=60)
    """Emulator frames per step: the action is repeated and the rewards are added up."""

    maxpool: bool = True
    """Whether a frame is the pixel-wise maximum of a step's last two emulator frames, against flickering sprites."""

    stack: int = Field(default=4, ge=1, le=8)
    """Frames per observation, newest last; the frames before an episode's first are black."""

    size: int = Field(default=84, ge=36, le=210)
    """Height and width of a frame in pixels, made from 210 x 160: 84 in RND, 96 in SND."""

    resize: Literal["area", "bicubic"] = Field(default="area", exclude_if=lambda value: value == "area")
    """How a frame gets its size: by the mean over each new pixel's ``area`` (OpenAI's wrappers, RND), done by ALE, or by
    antialiased ``bicubic`` interpolation (Pillow's default, SND), done here."""

    grayscale: bool = True
    """One luminance channel per frame; if false, red, green and blue."""

    episode_steps: int = Field(default=4500, ge=1, le=1_000_000)
    """Steps after which an episode is cut; 4500 is 18,000 emulator frames, five minutes of play."""

    noop_max: int = Field(default=0, ge=0, le=1000)
    """An episode begins with a random number of idle frames below this one; 0 for none, as with sticky actions."""

    fire_reset: bool = False
    """Whether FIRE is pressed for one frame (which may stick) when an episode begins, for games that wait for it."""

    full_action_space: bool = False
    """Whether all 18 joystick actions are offered, or only those that the game distinguishes."""

    reward_transform: Literal["none", "sign", "positive_sign"] = "sign"
    """What the learner sees: each reward as it is, its ``sign`` (RND), or its ``positive_sign``, max(0, sign r) (SND)."""

    time_limit: Literal["truncates", "terminates"] = "terminates"
    """Whether `episode_steps` ``truncates`` (the value is bootstrapped) or ``terminates`` (RND, SND) an episode."""

    @property
    def frames_per_step(self) -> int:
        return self.frame_skip

    @property
    def episode_limit(self) -> int:
        """Steps after which a game is cut."""
        return self.episode_steps

    @property
    def actions(self) -> Literal["discrete"]:
        """Joystick positions."""
        return "discrete"

    @property
    def observations(self) -> Literal["images"]:
        """Stacked frames."""
        return "images"

    @field_validator("game")
    @classmethod
    def _check_game(cls, game: str) -> str:
        known = games()
        if game in known:
            return game
        meant = nearest(game, sorted(known), "^ale/|noframeskip")
        raise ValueError(f"unknown game {game!r}: did you mean {meant!r}? ({len(known)} games, named in snake_case)")


@functools.cache
def games() -> frozenset[str]:
    """The names of all single-player games that the installed ALE brings.

    ALE ends the process when asked for one of its ROMs that has no single-player mode; it does not register those.

    Raises:
        ValueError: If ale-py cannot be imported; the message says how to install it.
    """
    try:
        importlib.import_module("ale_py")  # registers its games with Gymnasium
    except ImportError as error:
        raise ValueError(f"ale-py is missing ({error}); pip install 'exploration-harness[atari]'") from error
    import gymnasium

    return frozenset(spec.kwargs["game"] for spec in gymnasium.registry.values() if spec.namespace == "ALE")
