"""The whole pipeline against a second one, written here frame by frame on ALE's plain interface and NumPy.

Sticky actions, frame skip, max-pooling, luminance, area resizing, stack order, raw rewards and game over: a wrong
default in any of them shows, because both see the same random stream of the same seed.
"""

from __future__ import annotations

import numpy as np
import pytest
from ale_py import ALEInterface, LoggerMode, roms
from PIL import Image

from harness_atari import exploration
from harness_atari.config import AtariConfig
from harness_atari.env import AtariVecEnv, make


class Game:
    """One game, with the preprocessing of Burda et al. 2018 spelt out."""

    def __init__(self, config: AtariConfig, seed: int) -> None:
        ALEInterface.setLoggerMode(LoggerMode.Error)
        self.config = config
        self.ale = ALEInterface()
        self.ale.setInt("random_seed", seed)
        self.ale.setFloat("repeat_action_probability", config.sticky)
        self.ale.loadROM(roms.get_rom_path(config.game))
        self.ale.reset_game()
        self.actions = self.ale.getMinimalActionSet()
        self.screen = self.ale.getScreenGrayscale if config.grayscale else self.ale.getScreenRGB
        first = self.screen()
        self.screens = [np.zeros_like(first)] * (config.stack - 1) + [first]

    def observation(self) -> np.ndarray:
        resized = bicubically_resized if self.config.resize == "bicubic" else area_resized
        return np.concatenate([resized(screen, self.config.size).astype(float) for screen in self.screens])

    def step(self, action: int) -> tuple[float, bool]:
        screens: list[np.ndarray] = []
        reward = 0.0
        for _ in range(self.config.frame_skip):
            reward += self.ale.act(self.actions[action])
            screens.append(self.screen())
            if self.ale.game_over():
                self.end(screens)
                return reward, True
        newest = np.maximum(*screens[-2:]) if self.config.maxpool else screens[-1]
        self.screens = [*self.screens[1:], newest]
        return reward, False

    def end(self, screens: list[np.ndarray]) -> None:
        """ALE's last observation: the step before once more, mixed with the last screen but one of a whole step."""
        whole = self.config.maxpool and len(screens) == self.config.frame_skip
        stale = np.maximum(self.screens[-1], screens[-2]) if whole else self.screens[-1]
        self.screens = [*self.screens[1:], stale]


def area_resized(screen: np.ndarray, size: int) -> np.ndarray:
    """Mean over the area that each new pixel covers, ``(channels, size, size)``; by way of a common multiple of both sizes."""
    height, width = screen.shape[:2]
    rows, columns = np.lcm(height, size), np.lcm(width, size)
    fine = screen.reshape(height, width, -1).repeat(rows // height, axis=0).repeat(columns // width, axis=1)
    return fine.reshape(size, rows // size, size, columns // size, -1).mean(axis=(1, 3)).transpose(2, 0, 1)


def bicubically_resized(screen: np.ndarray, size: int) -> np.ndarray:
    """Pillow's default, as in the SND repository, ``(channels, size, size)``."""
    small = np.asarray(Image.fromarray(screen.squeeze()).resize((size, size)))
    return small.reshape(size, size, -1).transpose(2, 0, 1)


@pytest.mark.parametrize(
    "config",
    [
        AtariConfig(game="breakout", sticky=0.25),
        AtariConfig(game="gravitar", sticky=0.5, size=96),
        AtariConfig(game="boxing", sticky=0, frame_skip=2, stack=2, maxpool=False, grayscale=False),
        AtariConfig(game="breakout", sticky=0.25, size=96, resize="bicubic"),
        AtariConfig(game="boxing", sticky=0, frame_skip=2, stack=2, size=36, grayscale=False, resize="bicubic"),
    ],
    ids=lambda config: f"{config.game}-{config.resize}",
)
def test_pixels_rewards_and_ends_are_those_of_the_plain_interface(config: AtariConfig):
    seeds, near = [21, 22], 1 if config.resize == "area" else 1.5  # one level of gray between torch and Pillow
    env = make(config, 2, threads=2)
    env.reseed(seeds)
    first = env.reset()
    reference = [Game(config, seed) for seed in seeds]
    assert all(np.abs(first[index] - reference[index].observation()).max() < near for index in range(2))
    running, rewarded = {0, 1}, 0
    for step, actions in enumerate(np.random.default_rng(1).integers(0, env.action_space.n, (300, 2))):
        observations, rewards, dones, infos = env.step(actions)
        for index in sorted(running):
            reward, over = reference[index].step(int(actions[index]))
            assert (rewards[index], dones[index]) == (reward, over)
            rewarded += reward != 0
            if over:
                last = infos[index]["terminal_observation"]
                assert not infos[index]["TimeLimit.truncated"]
                assert np.abs(last - reference[index].observation()).max() < near
                running.discard(index)
            elif step % 25 == 0:  # resizing in NumPy is slow
                assert np.abs(observations[index] - reference[index].observation()).max() < near
    env.close()
    assert rewarded
    assert len(running) == (0 if config.game == "breakout" else 2)


@pytest.mark.parametrize(
    "config",
    [
        AtariConfig(game="montezuma_revenge", episode_steps=60, maxpool=False),
        AtariConfig(game="breakout", sticky=0.5, noop_max=30, fire_reset=True, maxpool=False),
        AtariConfig(game="breakout", episode_steps=100, full_action_space=True, size=96, maxpool=False),
    ],
    ids=["cut", "game_over", "both"],
)
def test_the_game_whose_memory_is_read_shows_the_same_screens(config: AtariConfig, monkeypatch: pytest.MonkeyPatch):
    """Through sticky actions, idle frames, ends of both kinds, resets without seeds, and a second seeding."""
    monkeypatch.setitem(exploration.RAM_METRICS, "breakout", {"anything": 0})
    env = AtariVecEnv(config, 2)
    env.enable_metrics()
    episodes = 0
    for seeds in ([31, 32], [33, 34]):
        env.reseed(seeds)
        assert screens_differ(env, env.reset()) < 1
        for step, actions in enumerate(np.random.default_rng(2).integers(0, env.action_space.n, (200, 2))):
            observations, _, dones, _ = env.step(actions)
            episodes += dones.sum()
            if dones.any() or step % 20 == 0:
                assert screens_differ(env, observations) < 1
        assert screens_differ(env, env.reset()) < 1
    env.close()
    assert episodes >= 2


def screens_differ(env: AtariVecEnv, observations: np.ndarray) -> float:
    """The largest difference between the newest frames and what the games that are read show at this moment."""
    assert env._exploration
    size = observations.shape[-1]
    shown = [area_resized(mirror._ale.getScreenGrayscale(), size)[0] for mirror in env._exploration._mirrors]
    return float(np.abs(observations[:, -1] - np.stack(shown)).max())
