"""Oracles that play a batch of the harness's environments."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from harness import HarnessVecEnv
from harness_minigrid.config import MiniGridConfig
from harness_minigrid.environment import make
from support.minigrid.oracle import Oracle
from support.minigrid.world import Player, PlayerView, read_flat

VIEW = {"observation": "flat", "mission": "words", "direction": True}
"""The settings of what oracles read: all that MiniGrid shows."""


@dataclass
class Episode:
    """What happened from an episode's first observation to its last.

    Attributes:
        player: What was seen.
        player_views: All observations.
        actions: One between each two.
        rewards: One for each action.
        terminated: Whether the episode ended by itself.
    """

    player: Player = field(default_factory=Player)
    player_views: list[PlayerView] = field(default_factory=list)
    actions: list[int] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    terminated: bool = False

    @property
    def solved(self) -> bool:
        """Whether it has earned anything."""
        return max(self.rewards) > 0


def play(
    task: str, episodes: int, *, engine: str = "auto", random_actions: float = 0.0, n_envs: int = 20, limit: int | None = None
) -> list[Episode]:
    """Whole episodes, as many in each environment.

    Args:
        task: The harness's name.
        episodes: How many at least.
        engine: What steps them.
        random_actions: Probability that an action is drawn instead of planned.
        n_envs: How many environments step together.
        limit: Steps after which an episode is cut, if not after the task's own number.
    """
    settings = {"task": task, "engine": engine, "episode_steps": limit, **VIEW}
    return play_in(make(MiniGridConfig.model_validate(settings), n_envs), task, episodes, random_actions)


def play_in(env: HarnessVecEnv, task: str, episodes: int, random_actions: float = 0.0) -> list[Episode]:
    """The same in environments that show `VIEW`; they are closed."""
    n_envs = env.num_envs
    env.reseed(list(range(n_envs)))
    rng, rounds = np.random.default_rng(0), -(-episodes // n_envs)
    running = [_begun(row, task) for row in np.asarray(env.reset())]
    played: list[list[Episode]] = [[] for _ in range(n_envs)]
    n_actions = int(env.action_space.n)  # type: ignore[attr-defined]
    while min(map(len, played)) < rounds:
        drawn = rng.random(n_envs) < random_actions
        actions = [
            0 if len(done) >= rounds else int(rng.integers(n_actions)) if random else oracle.act()
            for (_, oracle), done, random in zip(running, played, drawn, strict=True)
        ]
        shown, rewards, dones, infos = env.step(np.array(actions))
        for i, (episode, _) in enumerate(running):
            if len(played[i]) >= rounds:
                continue
            last = infos[i]["terminal_observation"] if dones[i] else np.asarray(shown)[i]
            _continue(episode, actions[i], last, float(rewards[i]))
            if dones[i]:
                episode.terminated = not infos[i]["TimeLimit.truncated"]
                played[i].append(episode)
                running[i] = _begun(np.asarray(shown)[i], task)
    env.close()
    return [episode for one in played for episode in one]


def _begun(row: np.ndarray, task: str) -> tuple[Episode, Oracle]:
    episode, player_view = Episode(), read_flat(row)
    episode.player_views.append(player_view)
    episode.player.begin(player_view)
    return episode, Oracle(episode.player, task)


def _continue(episode: Episode, action: int, row: np.ndarray, reward: float) -> None:
    player_view = read_flat(row)
    episode.player_views.append(player_view)
    episode.actions.append(action)
    episode.rewards.append(reward)
    episode.player.follow(action, player_view)
