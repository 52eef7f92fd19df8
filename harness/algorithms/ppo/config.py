"""Configuration of the base algorithms. Imported for validation: no torch here."""

from __future__ import annotations

from math import ceil
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from harness.config import Config, Search


class PPOConfig(Config):
    """Proximal policy optimisation (Schulman et al. 2017, arXiv 1707.06347) as Stable-Baselines3 implements it.

    Defaults are those of Stable-Baselines3 unless a field says otherwise.
    """

    combine_modes: ClassVar[frozenset[str]] = frozenset({"sum", "two_critics"})
    """Ways to combine a bonus with the extrinsic reward."""

    resettable_parts: ClassVar[frozenset[str]] = frozenset({"actor", "critics", "optimizers"})
    """What a phase may reset."""

    architecture_fields: ClassVar[frozenset[str]] = frozenset({"n_envs", "network", "net_arch"})
    """Settings that shape what a checkpoint holds: a run begins only from one that agrees in them."""

    family_defaults: ClassVar[frozenset[str]] = frozenset({"n_envs"})
    """Settings whose default is the environment family's own."""

    n_envs: int = Field(default=8, gt=0)
    """N, environments that step together; the family's own number if neither suite nor preset says."""

    n_steps: int = Field(default=128, gt=0)
    """T, steps per environment and rollout; Stable-Baselines3's default is 2048."""

    batch_size: int = Field(default=256, gt=1)
    """Transitions per minibatch; Stable-Baselines3's default is 64."""

    n_epochs: Annotated[int, Search(low=1, high=10)] = Field(default=4, gt=0)
    """Passes over each rollout; Stable-Baselines3's default is 10."""

    learning_rate: Annotated[float, Search(low=1e-5, high=1e-2, log=True)] = Field(default=3e-4, gt=0)
    """Adam's step size."""

    learning_rate_schedule: Literal["constant", "linear"] = "constant"
    """``linear`` anneals the step size to zero over the run."""

    adam_epsilon: float = Field(default=1e-5, gt=0)
    """Adam's epsilon; 1e-5 is Stable-Baselines3's, 1e-8 torch's."""

    gamma: Annotated[float, Search(choices=(0.98, 0.99, 0.995, 0.998, 0.999))] = Field(default=0.99, ge=0, le=1)
    """Discount of the extrinsic return."""

    gae_lambda: Annotated[float, Search(low=0.8, high=1.0)] = Field(default=0.95, ge=0, le=1)
    """Lambda of generalised advantage estimation, for both streams."""

    clip_range: Annotated[float, Search(choices=(0.1, 0.2, 0.3))] = Field(default=0.2, gt=0)
    """Clipping of the probability ratio."""

    clip_range_vf: float | None = Field(default=None, gt=0)
    """Clipping of the value update; null for none."""

    normalize_advantage: bool = True
    """Whether each minibatch's (mixed) advantages are standardised."""

    ent_coef: Annotated[float, Search(low=1e-4, high=0.1, log=True)] = Field(default=0.0, ge=0)
    """Weight of the entropy bonus."""

    vf_coef: float = Field(default=0.5, ge=0)
    """Weight of the value loss (of the sum of both, with two critics)."""

    max_grad_norm: float | None = Field(default=0.5, gt=0)
    """Largest gradient norm; null for no clipping."""

    network: str = "sb3"
    """``sb3`` is Stable-Baselines3's own (NatureCNN for images, MLP otherwise); plugins provide others by name."""

    net_arch: list[int] | None = None
    """Hidden units of policy and value MLP on top of the features; null for Stable-Baselines3's default."""

    threads: int = Field(default=1, gt=0)
    """CPU threads of torch and of the environments. Part of a run's identity, since sums depend on it."""

    @property
    def stored_transitions(self) -> int:
        """Transitions in memory at most: one rollout."""
        return self.n_envs * self.n_steps

    @property
    def steps_per_iteration(self) -> int:
        """Steps between two rows of the log, over all environments."""
        return self.n_envs * self.n_steps

    def probe_settings(self, n_envs: int, n_steps: int) -> dict[str, Any]:
        """Settings of the same run at a small scale, to be timed for about ``n_steps`` steps."""
        n_envs = min(self.n_envs, n_envs)
        n_steps = min(self.n_steps, ceil(n_steps / n_envs))
        return {"n_envs": n_envs, "n_steps": n_steps, "batch_size": min(self.batch_size, n_envs * n_steps)}

    @model_validator(mode="after")
    def _fits(self) -> Self:
        rollout = self.n_envs * self.n_steps
        if self.batch_size > rollout:
            raise ValueError(f"batch_size {self.batch_size} is larger than a rollout of n_envs x n_steps = {rollout} steps")
        if self.net_arch is not None and self.network != "sb3":
            raise ValueError(f"net_arch goes with network sb3; {self.network} has its own layers")
        return self
