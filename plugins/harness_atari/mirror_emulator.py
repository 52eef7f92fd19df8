"""A game played a second time where its memory can be read, which ALE's vector environment does not allow."""

from __future__ import annotations

import numpy as np
from ale_py import Action, ALEInterface, roms

from harness_atari.config import AtariConfig


class MirrorEmulator:
    """Follows one game of the vector environment frame by frame on ALE's plain interface.

    Both draw their sticky actions from equal random streams: a seed begins the stream, a new game continues it. Only the
    number of idle frames at a game's start comes from a stream of the vector environment's own; it shows in the number
    of the frame that the game has reached.

    Args:
        config: That of the game to follow.
    """

    def __init__(self, config: AtariConfig) -> None:
        self._rom = str(roms.get_rom_path(config.game))
        self._full, self._fire, self._frame_skip = config.full_action_space, config.fire_reset, config.frame_skip
        self._ale = ALEInterface()
        self._ale.setFloat("repeat_action_probability", config.sticky)
        self._actions: list[Action] = []

    def seed(self, seed: int) -> None:
        """Load the game anew with the seed that the vector environment is given."""
        self._ale.setInt("random_seed", seed)
        self._ale.loadROM(self._rom)
        self._actions = self._ale.getLegalActionSet() if self._full else self._ale.getMinimalActionSet()

    def begin(self, frame_number: int) -> None:
        """Begin the next game and play its idle frames.

        Args:
            frame_number: Emulator frames since the seed, as the vector environment counts them after its reset.
        """
        self._ale.reset_game()
        if self._fire and Action.FIRE in self._actions:
            self._ale.act(Action.FIRE)
        while self._ale.getFrameNumber() < frame_number:
            self._ale.act(Action.NOOP)
            if self._ale.game_over():
                self._ale.reset_game()

    def step(self, action: int) -> tuple[int, bool]:
        """Play one step; returns its reward and whether the game is over."""
        reward = 0
        for _ in range(self._frame_skip):
            reward += self._ale.act(self._actions[action])
            if self._ale.game_over():
                return reward, True
        return reward, False

    def ram(self) -> np.ndarray:
        """The console's memory, uint8 ``(128,)``: byte 0 is at address 0x80."""
        return self._ale.getRAM()
