"""Counts: the bonus is the inverse root of how often a state was visited.

With n_e(s) the visits of s in the present episode of one environment, its first state included, and n(s) those of all
environments in all training, each with the present visit:

    episode   1 / sqrt(n_e(s'))          lifetime   1 / sqrt(n(s'))          product   1 / sqrt(n_e(s') n(s'))

N environments that reach the same state in one step each count before any of them is scored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from harness.nn.memo import Memo
from harness.rewards import Guarantees, Spaces, Transitions
from harness_episodic.configs.counting import CountsConfig
from harness_episodic.methods.base import EpisodicReward, fill_of
from harness_episodic.visits import LifetimeVisits, StateCoder, VisitMemory


class Counts(EpisodicReward[CountsConfig]):
    """The inverse root of visits; see the module for formulas and `CountsConfig` for every choice.

    Raises:
        UserError: When observations are not a box of numbers.
    """

    def __init__(self, config: CountsConfig, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        self.coder = StateCoder(
            self.shape,
            images=self.images,
            code=config.code,
            bin_width=config.bin_width,
            bits=config.bits,
            image_side=config.image_side,
            generator=self.generator,
        )
        self.episodes = VisitMemory(n_envs, self.memory_capacity(config.memory))
        self.lifetime = LifetimeVisits()
        self._codes: Memo | None = None
        self._began: Memo | None = None
        self.to(self.device)

    @torch.no_grad()
    def track(self, transitions: Transitions) -> None:
        """Count the states that this step led to in their episodes, and remember which episodes it began."""
        self._began = Memo.of(self.episodes.fresh[transitions.env_index], transitions.next_obs)
        self._codes = Memo.of(self.coder(transitions.next_obs), transitions.next_obs)
        self.episodes.advance(transitions, self.codes)

    @torch.no_grad()
    def observe(self, transitions: Transitions) -> None:
        """Count them, and the first states of episodes, in all training."""
        if self.config.scope == "episode":
            return
        if self._began is not None and self._began.is_valid_for(transitions.next_obs) and bool(self._began.output.any()):
            self.lifetime.add(self.coder(transitions.obs[self._began.output]))
        self.lifetime.add(self.codes(transitions.next_obs))

    @torch.no_grad()
    def bonus(self, transitions: Transitions) -> Tensor:
        """The inverse root of visits, float32 ``(B,)``."""
        visits = torch.ones(len(transitions), dtype=torch.float64, device=self.device)
        if self.config.scope != "lifetime":
            visits = visits * self.episodes.answer(transitions, self.codes)
        if self.config.scope != "episode":
            visits = visits * self.lifetime.of(self.codes(transitions.next_obs))
        return visits.rsqrt().float()

    def update(self, transitions: Transitions) -> dict[str, float]:
        """Nothing to learn beyond the counts."""
        return {}

    def diagnose(self, transitions: Transitions) -> dict[str, float]:
        """How much there is that counts as different.

        Returns:
            ``states``, codes of the rollout; ``lifetime_states``, those of all training, unless only episodes count; and what
            `fill_of` says of the memory.
        """
        found = {"states": float(len(self.coder(transitions.next_obs).unique()))} | fill_of(self.episodes.rings)
        return found if self.config.scope == "episode" else found | {"lifetime_states": float(len(self.lifetime))}

    def guarantees(self) -> Guarantees:
        """Episodes alone, or everything before; only SimHash draws random numbers."""
        reach = "episode" if self.config.scope == "episode" else "past"
        return Guarantees(depends_on=reach, deterministic=self.config.code != "simhash")

    def codes(self, states: Tensor) -> Tensor:
        """The code of each state, int64 ``(B,)``; once for the states of one step."""
        if self._codes is not None and self._codes.is_valid_for(states):
            return self._codes.output
        return self.coder(states)

    def get_extra_state(self) -> dict[str, Any]:
        """The base's, and the counts of all training."""
        return super().get_extra_state() | {"lifetime": self.lifetime.state_dict()}

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `get_extra_state` gave."""
        super().set_extra_state(state)
        self.lifetime.load_state_dict(state["lifetime"])
