"""Double DQN after van Hasselt et al. (2016, arXiv 1509.06461).

The largest of several noisy values is too large on average, and DQN learns from the largest value of each next state.
Double DQN lets one network choose the next action and another value it:

    target = r + gamma (1 - terminated) Q'(s', argmax_a Q(s', a))

with the trained network Q and the target network Q'.
"""

from __future__ import annotations

import torch
from stable_baselines3 import DQN
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from torch import Tensor, nn
from torch.nn import functional as F

from harness.algorithms.off_policy.epsilon_greedy import EpsilonGreedyLearner
from harness_double_dqn.config import DoubleDqnConfig


class DoubleDQN(DQN):
    """Stable-Baselines3 explores, fills the replay and updates the target; what is learned from a batch is here."""

    def train(self, gradient_steps: int, batch_size: int = 32) -> None:
        """Take gradient steps, each on a batch of its own."""
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        for _ in range(gradient_steps):
            batch = self.replay_buffer.sample(batch_size)
            values = self.q_net(batch.observations).gather(1, batch.actions.long())
            loss = F.smooth_l1_loss(values, self.targets(batch))
            self.policy.optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.policy.parameters(), self.max_grad_norm)
            self.policy.optimizer.step()
            self._n_updates += 1
            self.logger.record_mean("train/loss", loss.item())
            self.logger.record_mean("train/value_mean", values.mean().item())

    @torch.no_grad()
    def targets(self, batch: ReplayBufferSamples) -> Tensor:
        """What the values of the actions in a batch should be, ``(B, 1)``; a bonus is in its rewards already."""
        chosen = self.q_net(batch.next_observations).argmax(1, keepdim=True)
        following = self.q_net_target(batch.next_observations).gather(1, chosen)
        return batch.rewards + self.gamma * (1 - batch.dones) * following


class Learner(EpsilonGreedyLearner[DoubleDQN, DoubleDqnConfig]):
    """Drives it in a run, with and without a bonus, and saves and restores it.

    `EpsilonGreedyLearner` does all of this for algorithms of DQN's kind; override `state_dict` and `load_state_dict`
    where yours keeps more than networks, optimiser, replay, counters and the schedule of exploration.
    """

    model_class = DoubleDQN
    networks = {"critics": ("q_net", "q_net_target")}  # what a phase with ``reset: [critics]`` begins anew
    arguments = (*EpsilonGreedyLearner.arguments, "max_grad_norm")
