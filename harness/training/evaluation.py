"""Scoring a policy: separate environments and seeds, raw rewards, full episodes, and no trace on training."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import numpy as np

from harness.algorithms import randomness
from harness.algorithms.base import Learner
from harness.environments.base import HarnessVecEnv, StepReturn
from harness.environments.checked import AnswerCheck
from harness.errors import RunError
from harness.spec import EvaluationSpec, Purpose, derive_seeds

MAX_ENVS = 16
"""Evaluation environments that step together; more episodes than this take turns."""


FIRST_NOTICE_STEPS, FIRST_NOTICE_SECONDS = 10_000, 60.0
"""Length of an evaluation episode, and time without any end of one, at which it is told for the first time."""

_NOTICE_EVERY = 100  # steps between two looks at how long episodes are

CUT = "cut"
"""Column of evaluations.csv: 1 where ``max_steps`` has ended the episode, 0 elsewhere; only where it is set."""

OnWait = Callable[[str], None]
"""Takes a sentence that tells why an evaluation has not ended yet."""


@dataclass(frozen=True)
class Episode:
    """One evaluated episode.

    Attributes:
        episode_return: Undiscounted sum of the environment's own rewards.
        length: Number of steps.
        metrics: What the task measures beside return.
        cut: Whether `EvaluationSpec.max_steps` has ended it and not the environment; then nothing is measured.
    """

    episode_return: float
    length: int
    metrics: dict[str, float] = field(default_factory=dict[str, float])
    cut: bool = False


class Spectator(Protocol):
    """Watches one environment of an evaluation, which takes no notice of it."""

    env: int
    """The environment that is watched."""

    def begin(self, observation: np.ndarray) -> None:
        """An episode that counts begins with this observation, ``(*shape)``."""

    def see_step(self, observation: np.ndarray, reward: float, *, ended: bool) -> None:
        """A step of it came to this observation, which is its last one if it ``ended`` there."""


def number_of_envs(evaluation: EvaluationSpec) -> int:
    """How many environments an evaluation steps together."""
    return min(evaluation.episodes, MAX_ENVS)


def evaluate(
    env: HarnessVecEnv,
    learner: Learner,
    evaluation: EvaluationSpec,
    seed: int,
    index: int,
    *,
    on_wait: OnWait | None = None,
    spectator: Spectator | None = None,
) -> list[Episode]:
    """Play full episodes with the learner's policy.

    Every environment plays a number of episodes fixed in advance: taking the first that end would favour short ones.

    Args:
        env: Environments that nothing else uses.
        learner: Whose policy plays.
        evaluation: The number of episodes, their longest duration, and whether actions are sampled.
        seed: Seed of the run.
        index: The evaluation's number; it and ``seed`` determine all randomness.
        on_wait: Told now and then of an episode that has not ended after many steps.
        spectator: Shown every step of one environment; ``None`` for nobody.

    Returns:
        ``evaluation.episodes`` episodes, ordered by environment and then time.

    Raises:
        RunError: The environments return what they may not, such as a reward that is not finite.
    """
    seeds = derive_seeds(seed, Purpose.EVALUATION, index, env.num_envs + 1)
    played = _Evaluation(env, learner, evaluation, on_wait, spectator)
    try:
        with randomness.temporary_seed(seeds[-1]):
            number = 0
            while not played.complete:  # more than once only where ``max_steps`` has cut an episode and others are to follow
                draws = derive_seeds(seed, Purpose.EVALUATION, index, env.num_envs * (number + 1) + bool(number))
                played.play(draws[-env.num_envs :])
                number += 1
    except RunError as error:
        raise RunError(f"{error}, in step {played.steps:,} of an evaluation") from error
    return [episode for episodes in played.episodes for episode in episodes]


class _Evaluation:
    """The episodes of an evaluation, and how far the present ones are."""

    def __init__(
        self,
        env: HarnessVecEnv,
        learner: Learner,
        evaluation: EvaluationSpec,
        on_wait: OnWait | None,
        spectator: Spectator | None,
    ) -> None:
        n_envs = env.num_envs
        self._spectator = spectator
        self._env, self._learner, self._evaluation = env, learner, evaluation
        self._quota = [evaluation.episodes // n_envs + (i < evaluation.episodes % n_envs) for i in range(n_envs)]
        self._check = AnswerCheck(env)
        self._notices = _Notices(on_wait, "" if evaluation.max_steps else "; evaluation: {max_steps: N} bounds one")
        self.episodes: list[list[Episode]] = [[] for _ in range(n_envs)]
        self.steps = 0

    @property
    def complete(self) -> bool:
        """Whether every environment has played all of its episodes."""
        return all(self._is_done(i) for i in range(self._env.num_envs))

    def play(self, seeds: list[int]) -> None:
        """Play from new episodes until nothing is left, or nothing but environments whose episode was cut."""
        env, n_envs = self._env, self._env.num_envs
        returns, lengths = np.zeros(n_envs), np.zeros(n_envs, dtype=np.int64)
        cut = np.zeros(n_envs, dtype=bool)
        env.reseed(seeds)
        observations: Any = env.reset()
        self._check.observations(observations)
        if self._spectator and not self._is_done(self._spectator.env):
            self._spectator.begin(observations[self._spectator.env])
        state, starts = None, np.ones(n_envs, dtype=bool)
        while any(not self._is_done(i) and not cut[i] for i in range(n_envs)):
            actions, state = self._learner.predict(
                observations, deterministic=self._evaluation.deterministic, state=state, episode_starts=starts
            )
            self._check.actions(actions)
            step = cast(StepReturn, env.step(actions))
            self.steps += 1
            self._check.step(step)
            observations, rewards, dones, infos = step
            starts = dones
            returns += rewards
            lengths += 1
            was_over = self._spectator is None or cut[self._spectator.env] or self._is_done(self._spectator.env)
            for i in np.flatnonzero(dones).tolist():
                if not cut[i] and not self._is_done(i):
                    metrics = dict(infos[i].get("metrics") or {})
                    self.episodes[i].append(Episode(float(returns[i]), int(lengths[i]), metrics))
                returns[i] = lengths[i] = 0
            self._cut_long_ones(returns, lengths, cut)
            if self._spectator and not was_over:
                self._show(self._spectator, step, cut)
            if self.steps % _NOTICE_EVERY == 0:
                longest = max((int(lengths[i]) for i in range(n_envs) if not self._is_done(i) and not cut[i]), default=0)
                self._notices.consider(longest, sum(map(len, self.episodes)))

    def _show(self, spectator: Spectator, step: StepReturn, cut: np.ndarray) -> None:
        """Let the spectator see a step of an episode that counts."""
        env, (observations, rewards, dones, infos) = spectator.env, step
        ended = bool(dones[env])
        last: np.ndarray = infos[env]["terminal_observation"] if ended else cast(np.ndarray, observations)[env]
        spectator.see_step(last, float(rewards[env]), ended=ended or bool(cut[env]))
        if ended and not self._is_done(env):
            spectator.begin(cast(np.ndarray, observations)[env])

    def _cut_long_ones(self, returns: np.ndarray, lengths: np.ndarray, cut: np.ndarray) -> None:
        """End the episodes that are too long; their environments wait for the next reset of all."""
        limit = self._evaluation.max_steps
        if limit is None:
            return
        for i in np.flatnonzero((lengths >= limit) & ~cut).tolist():
            if not self._is_done(i):
                self.episodes[i].append(Episode(float(returns[i]), int(lengths[i]), cut=True))
                cut[i] = True

    def _is_done(self, env: int) -> bool:
        return len(self.episodes[env]) == self._quota[env]


class _Notices:
    """Tells of an episode that goes on and on: each time at twice as many steps, or seconds without any end, as before."""

    def __init__(self, on_wait: OnWait | None, remedy: str) -> None:
        self._on_wait, self._remedy = on_wait, remedy
        self._steps, self._seconds = FIRST_NOTICE_STEPS, FIRST_NOTICE_SECONDS
        self._ended, self._since = 0, time.monotonic()

    def consider(self, longest: int, ended: int) -> None:
        """Tell, if it is time to.

        Args:
            longest: Steps of the longest episode that is still to end.
            ended: Number of episodes that have ended.
        """
        now = time.monotonic()
        if ended != self._ended:
            self._ended, self._since = ended, now
        if self._on_wait is None or (longest < self._steps and now - self._since < self._seconds):
            return
        self._steps, self._seconds = max(self._steps, 2 * longest), max(self._seconds, 2 * (now - self._since))
        which = "the same" if ended else "its first"
        self._on_wait(f"still in {which} evaluation episode after {longest:,} steps{self._remedy}")
