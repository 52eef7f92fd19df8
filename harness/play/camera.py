"""Watches one episode of an evaluation, and hands on a picture of each of its steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from harness.environments.base import HarnessVecEnv
from harness.errors import UserError
from harness.spec import EvaluationSpec


@dataclass(frozen=True)
class Frame:
    """A step that can be seen.

    Attributes:
        picture: What it looks like, uint8 ``(height, width, 3)``.
        step: Steps of the episode so far.
        episode_return: Sum of its rewards so far.
    """

    picture: np.ndarray
    step: int
    episode_return: float


OnFrame = Callable[[Frame], None]


class Camera:
    """A spectator (`harness.training.evaluation.Spectator`) who films one episode.

    Args:
        environments: The environments that are evaluated.
        evaluation: The number of episodes that they play.
        episode: The one that is filmed, counted from 0 in the order in which they are told.
        family: Name of the environments' family, for messages.
        on_frame: Takes each picture as soon as there is one.
    """

    def __init__(
        self, environments: HarnessVecEnv, evaluation: EvaluationSpec, episode: int, family: str, on_frame: OnFrame
    ) -> None:
        self._environments, self._family, self._on_frame = environments, family, on_frame
        self.env, self._before = _place(environments.num_envs, evaluation.episodes, episode)
        self._step, self._return = 0, 0.0

    def begin(self, observation: np.ndarray) -> None:
        """An episode begins.

        Raises:
            UserError: The environments cannot be seen.
        """
        self._step, self._return = 0, 0.0
        if self._is_filmed and not self._take(observation, self.env):
            raise UserError(
                f"these environments of family {self._family!r} show no pictures, so that there is nothing to film;"
                f" 'harness play' without --video, --strip, --show and --window plays them all the same"
            )

    def see_step(self, observation: np.ndarray, reward: float, *, ended: bool) -> None:
        """A step was made; where it was an episode's last, its environment has gone on, and only the observation is left."""
        self._step += 1
        self._return += reward
        if self._is_filmed:
            self._take(observation, None if ended else self.env)
        self._before -= ended

    @property
    def _is_filmed(self) -> bool:
        return self._before == 0

    def _take(self, observation: np.ndarray, env: int | None) -> bool:
        picture = self._environments.picture(observation, env)
        if picture is not None:
            self._on_frame(Frame(picture, self._step, self._return))
        return picture is not None


def _place(n_envs: int, episodes: int, episode: int) -> tuple[int, int]:
    """The environment that plays an episode, and how many it plays before: they are told by environment and then time."""
    for env in range(n_envs):
        own = episodes // n_envs + (env < episodes % n_envs)
        if episode < own:
            return env, episode
        episode -= own
    raise ValueError(f"there is no such episode among {episodes}")
