"""Configurations of A2C, DQN and TD3. Imported for validation: no torch here."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from harness import Search
from harness.algorithms.off_policy.config import EpsilonGreedyConfig, OffPolicyConfig
from harness.algorithms.on_policy.config import ENTROPY_COEFFICIENTS, OnPolicyConfig


class A2CConfig(OnPolicyConfig):
    """Advantage actor-critic (Mnih et al. 2016, arXiv 1602.01783), synchronous, as Stable-Baselines3 implements it.

    Defaults are those of Stable-Baselines3 unless a field says otherwise. A method learns from rollouts as short as these are.
    """

    n_steps: int = Field(default=5, gt=0)
    """T, steps per environment and rollout, from which one gradient step is made."""

    learning_rate: Annotated[float, Search(low=1e-5, high=1e-2, log=True)] = Field(default=7e-4, gt=0)
    """The optimiser's step size."""

    learning_rate_schedule: Literal["constant", "linear"] = "constant"
    """``linear`` anneals the step size to zero over the run."""

    optimizer: Literal["rmsprop", "rmsprop_tf", "adam"] = "rmsprop"
    """``rmsprop`` is torch's, ``rmsprop_tf`` TensorFlow's, which begins with squares of 1 and adds epsilon under the root."""

    optimizer_epsilon: float = Field(default=1e-5, gt=0)
    """The optimiser's epsilon."""

    gamma: Annotated[float, Search(choices=(0.98, 0.99, 0.995, 0.998, 0.999))] = Field(default=0.99, ge=0, le=1)
    """Discount of the return; both rewards are in it."""

    gae_lambda: Annotated[float, Search(low=0.8, high=1.0)] = Field(default=1.0, ge=0, le=1)
    """Lambda of generalised advantage estimation; 1 is the n-step return of the paper."""

    normalize_advantage: bool = False
    """Whether a rollout's advantages are standardised."""

    ent_coef: Annotated[float, Search(choices=ENTROPY_COEFFICIENTS)] = Field(default=0.0, ge=0)
    """Weight of the entropy bonus."""

    vf_coef: float = Field(default=0.5, ge=0)
    """Weight of the value loss."""

    max_grad_norm: float | None = Field(default=0.5, gt=0)
    """Largest gradient norm; null for no clipping."""


class DQNConfig(EpsilonGreedyConfig):
    """Deep Q-networks (Mnih et al. 2015, doi 10.1038/nature14236) as Stable-Baselines3 implements them.

    Defaults are those of Stable-Baselines3 unless a field says otherwise.
    """

    learning_rate: Annotated[float, Search(low=1e-5, high=1e-2, log=True)] = Field(default=1e-4, gt=0)
    """Adam's step size."""

    max_grad_norm: float = Field(default=10.0, gt=0)
    """Largest gradient norm."""

    net_arch: list[int] | None = None
    """Hidden units of the network on top of the features; null for Stable-Baselines3's [64, 64], none on images."""


class TD3Config(OffPolicyConfig):
    """Twin delayed deep deterministic policy gradient (Fujimoto et al. 2018, arXiv 1802.09477), as Stable-Baselines3 has it.

    Defaults are those of Stable-Baselines3 unless a field says otherwise.
    """

    actions: ClassVar[frozenset[str]] = frozenset({"continuous"})

    learning_rate: Annotated[float, Search(low=1e-5, high=1e-2, log=True)] = Field(default=1e-3, gt=0)
    """Adam's step size for actor and critics."""

    batch_size: Annotated[int, Search(choices=(100, 128, 256, 512, 1024))] = Field(default=256, gt=1)
    """Transitions per gradient step."""

    exploration_noise: Annotated[float, Search(low=0.05, high=0.5, log=True)] = Field(default=0.1, ge=0)
    """Standard deviation of the Gaussian noise on actions scaled to [-1, 1]; the paper's, Stable-Baselines3 adds none."""

    policy_delay: int = Field(default=2, gt=0)
    """Gradient steps of the critics for each of the actor and of the targets, counted over the whole run."""

    target_policy_noise: float = Field(default=0.2, ge=0)
    """Standard deviation of the noise on the target's actions."""

    target_noise_clip: float = Field(default=0.5, ge=0)
    """Largest absolute value of that noise."""

    net_arch: list[int] | None = None
    """Hidden units of actor and critics on top of the features; null for Stable-Baselines3's [400, 300], none on images."""
