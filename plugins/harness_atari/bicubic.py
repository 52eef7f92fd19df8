"""Frames made small bicubically, which ALE's vector environment cannot: it averages areas, whatever it is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from ale_py import ALEInterface, roms
from ale_py.vector_env import AtariVectorEnv
from torch.nn import functional as F

Step = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]


class BicubicStacks:
    """What `AtariVecEnv` uses of ALE's vector environment, with frames of another size and stacked here.

    ALE gives single frames at the console's own size. They are made small all at once, by antialiased bicubic interpolation
    with a = -0.5, which is Pillow's ``resize`` to within one level of gray.

    Args:
        ale: The games, with ``stack_num=1`` and frames of the console's size.
        stack: Frames per observation, newest last; those before an episode's first are black.
        size: Their height and width.
    """

    def __init__(self, ale: AtariVectorEnv, stack: int, size: int) -> None:
        self._games, self._stack, self._size = ale, stack, size
        self._stacks = np.empty(0, np.uint8)

    @property
    def ale(self) -> Any:
        """ALE's own interface."""
        return self._games.ale

    def send(self, actions: np.ndarray) -> None:
        """Begin a step."""
        self._games.send(actions)

    def recv(self) -> Step:
        """Finish a step; arrays are those of ALE, ``final_obs`` included."""
        frames, rewards, terminated, truncated, info = self._games.recv()
        self._stacks = np.concatenate([self._stacks[:, 1:], self._resized(frames)], axis=1)
        if terminated.any():
            last = self._stacks.copy()
            last[terminated, -1:] = self._resized(info["final_obs"][terminated])
            info = {**info, "final_obs": last}
            self._stacks[terminated, :-1] = 0
        return self._stacks, rewards, terminated, truncated, info

    def reset(self, *, seed: np.ndarray | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, Any]:
        """Begin new games, everywhere or where ``reset_mask`` says so."""
        frames, info = self._games.reset(seed=seed, options=options)
        begun = np.ones(len(frames), bool) if options is None else options["reset_mask"]
        small = self._resized(frames)
        stacks = np.zeros((len(small), self._stack, *small.shape[2:]), np.uint8)
        if not begun.all():
            stacks[~begun] = self._stacks[~begun]
        stacks[begun, -1:] = small[begun]
        self._stacks = stacks
        return stacks, info

    def _resized(self, frames: np.ndarray) -> np.ndarray:
        """Single frames ``(B, 1, H, W)`` or ``(B, 1, H, W, 3)``, in the size that is wanted."""
        images = torch.from_numpy(frames if frames.ndim == 4 else np.moveaxis(frames[:, 0], -1, 1))
        small = F.interpolate(images, (self._size, self._size), mode="bicubic", antialias=True).numpy()
        return small if frames.ndim == 4 else np.moveaxis(small, 1, -1)[:, None]


def screen_size(game: str) -> tuple[int, int]:
    """Height and width of a game's screen, in pixels: 210 and 160 for most."""
    emulator = ALEInterface()
    emulator.loadROM(str(roms.get_rom_path(game)))
    height, width = emulator.getScreenDims()
    return height, width
