"""SAC as bare torch loops, in the sizes of a run: what its iterations would take if there were nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from clock import median_seconds
from torch import Tensor, nn
from torch.nn import functional as F

from harness.training.assembly import Assembly

Clock = Callable[[], float]
TAU, GAMMA = 0.005, 0.99


def sac_ceiling(run: Assembly, clock: Clock, repetitions: int) -> float:
    """Seconds of one iteration of bare loops: environments step with random actions, actor and critics learn as SAC does.

    Args:
        run: A run of SAC on vectors without a bonus.
        clock: A clock in seconds.
        repetitions: How often each loop is timed; the median counts.
    """
    learner: Any = run.learner
    config = learner.config
    steps = config.cycles_per_iteration * config.train_freq
    updates = config.cycles_per_iteration * config.gradient_steps
    actions = [np.array([run.base.action_space.sample() for _ in range(run.base.num_envs)]) for _ in range(8)]
    stepping = median_seconds(lambda: [run.base.step(action) for action in actions], clock, repetitions) / len(actions)
    bare = _BareSAC(learner.fresh_policy(0), np.asarray(learner.observations), actions[0], learner.model.batch_size)
    inference, learning = (median_seconds(work, clock, repetitions) for work in (bare.infer, bare.learn))
    return steps * (stepping + inference) + updates * learning


class _BareSAC:
    """One actor and its critics with a learned entropy coefficient, on a batch that stays the same.

    Args:
        policy: SB3's, whose networks are taken.
        observations: What the environments show, ``(N, n)``.
        actions: Actions in them, ``(N, m)``.
        rows: Transitions in a batch.
    """

    def __init__(self, policy: Any, observations: np.ndarray, actions: np.ndarray, rows: int) -> None:
        self.actor, self.critic, self.target = policy.actor, policy.critic, policy.critic_target
        self.now = torch.as_tensor(observations)
        self.observations = torch.as_tensor(np.resize(observations, (rows, *observations.shape[1:])))
        self.actions = torch.as_tensor(np.resize(actions, (rows, *actions.shape[1:])))
        self.log_alpha = nn.Parameter(torch.zeros(1))
        groups: tuple[Any, ...] = (self.actor.parameters(), self.critic.parameters(), [self.log_alpha])
        self.optimizers = [torch.optim.Adam(group, lr=1e-9, fused=True) for group in groups]

    def infer(self) -> None:
        """Actions for what the environments show."""
        with torch.inference_mode():
            self.actor.action_log_prob(self.now)

    def learn(self) -> None:
        """One gradient step of each (Haarnoja et al. 2018), and of the targets towards the critics."""
        of_actor, of_critic, of_alpha = self.optimizers
        actions, log_prob = self.actor.action_log_prob(self.observations)
        alpha = self.log_alpha.detach().exp()
        _step(of_alpha, -(self.log_alpha * (log_prob.detach() - self.actions.shape[1])).mean())
        with torch.no_grad():
            following, its_log_prob = self.actor.action_log_prob(self.observations)
            targets = GAMMA * (_smaller(self.target, self.observations, following) - alpha * its_log_prob.unsqueeze(1))
        values = self.critic(self.observations, self.actions)
        _step(of_critic, torch.stack([F.mse_loss(value, targets) for value in values]).sum())
        _step(of_actor, (alpha * log_prob.unsqueeze(1) - _smaller(self.critic, self.observations, actions)).mean())
        with torch.no_grad():
            pairs = zip(self.target.parameters(), self.critic.parameters(), strict=True)
            for old, new in pairs:
                old.lerp_(new, TAU)


def _smaller(critic: Any, observations: Tensor, actions: Tensor) -> Tensor:
    """The smaller of the critics' values, ``(B, 1)``."""
    return torch.cat(critic(observations, actions), dim=1).min(dim=1, keepdim=True).values


def _step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
