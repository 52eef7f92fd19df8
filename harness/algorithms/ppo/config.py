"""Configuration of proximal policy optimisation. Imported for validation: no torch here."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from harness.algorithms.on_policy.config import ENTROPY_COEFFICIENTS, OnPolicyConfig
from harness.config import Search


class PPOConfig(OnPolicyConfig):
    """Proximal policy optimisation (Schulman et al. 2017, arXiv 1707.06347) as Stable-Baselines3 implements it.

    Defaults are those of Stable-Baselines3 unless a field says otherwise.
    """

    combine_modes: ClassVar[frozenset[str]] = frozenset({"sum", "two_critics"})

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

    ent_coef: Annotated[float, Search(choices=ENTROPY_COEFFICIENTS)] = Field(default=0.0, ge=0)
    """Weight of the entropy bonus."""

    vf_coef: float = Field(default=0.5, ge=0)
    """Weight of the value loss (of the sum of both, with two critics)."""

    max_grad_norm: float | None = Field(default=0.5, gt=0)
    """Largest gradient norm; null for no clipping."""

    @property
    def transitions_per_update(self) -> int:
        """Transitions in each gradient step."""
        return self.batch_size

    def probe_settings(self, n_envs: int, n_steps: int) -> dict[str, Any]:
        """Settings of the same run at a small scale, to be timed for about ``n_steps`` steps."""
        smaller = super().probe_settings(n_envs, n_steps)
        return {**smaller, "batch_size": min(self.batch_size, smaller["n_envs"] * smaller["n_steps"])}

    @model_validator(mode="after")
    def _check_batch_size(self) -> Self:
        rollout = self.n_envs * self.n_steps
        if self.batch_size > rollout:
            raise ValueError(f"batch_size {self.batch_size} is larger than a rollout of n_envs x n_steps = {rollout} steps")
        return self
