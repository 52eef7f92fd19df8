"""E3B (Henaff, Raileanu, Jiang and Rocktaeschel 2022, arXiv 2210.05805).

With phi an embedding that inverse dynamics train, and C = lambda I + the sum of phi phi^T over the earlier states of the
episode:

    bonus       phi^T C^-1 phi
    embedding   L = mean cross-entropy of the action, guessed from phi(s) and phi(s')
"""

from __future__ import annotations

import torch
from torch import Tensor

from harness.rewards import Guarantees, Spaces, Transitions
from harness_episodic.configs.dynamics import E3BConfig
from harness_episodic.elliptical import EllipticalMemory
from harness_episodic.methods.dynamics import DynamicsReward


class E3B(DynamicsReward[E3BConfig]):
    """The elliptical norm of the embedded state; see the module for formulas and `E3BConfig` for every choice.

    Raises:
        UserError: When observations are not a box of numbers, actions neither discrete nor a box, or the architecture does not
            fit.
    """

    name = "e3b"

    def __init__(self, config: E3BConfig, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        keep = config.first_bonus == "keep"
        self.episodes = EllipticalMemory(n_envs, config.feature_dim, config.ridge, first_bonus=keep)
        self.start_learning(self.dynamics.parameters())

    def track(self, transitions: Transitions) -> None:
        """Score this step's states against their episodes, then let them join."""
        self.episodes.advance(transitions, self.embed, self.config.bonus_on)

    def bonus(self, transitions: Transitions) -> Tensor:
        """The elliptical norm, float32 ``(B,)``."""
        return self.episodes.answer(transitions, self.embed, self.config.bonus_on).float()

    def diagnose(self, transitions: Transitions) -> dict[str, float]:
        """What `DynamicsReward.diagnose` returns, and what the memory holds.

        Returns:
            Its metrics; ``episode_states``, how many states present episodes remember, the mean over environments;
            ``directions``, how many directions they fill: the trace of I - lambda C^-1.
        """
        inverse = self.episodes.inverse
        used = inverse.shape[1] - self.config.ridge * inverse.diagonal(dim1=1, dim2=2).sum(1)
        states = {"episode_states": float(self.episodes.counts.double().mean()), "directions": float(used.mean())}
        return super().diagnose(transitions) | states

    def guarantees(self) -> Guarantees:
        """Between updates a bonus depends on its episode."""
        return Guarantees(depends_on="episode")
