"""Configurations of RecurrentPPO, TQC and QR-DQN. Imported for validation: neither torch nor sb3-contrib is loaded here."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from harness import Search
from harness.algorithms.off_policy.config import EpsilonGreedyConfig
from harness.algorithms.ppo.config import PPOConfig
from harness.algorithms.sac.config import SACConfig
from harness.config import require


def _require_contrib() -> None:
    require("sb3_contrib", "sb3_contrib")


class RecurrentPPOConfig(PPOConfig):
    """Proximal policy optimisation with an LSTM (Schulman et al. 2017, Pleines et al. 2022), as sb3-contrib implements it.

    Defaults are those of the harness's PPO unless a field says otherwise. Minibatches are whole sequences, padded.
    """

    sequences: ClassVar[bool] = True
    combine_modes: ClassVar[frozenset[str]] = frozenset({"sum"})
    architecture_fields: ClassVar[frozenset[str] | None] = frozenset(
        {"n_envs", "network", "net_arch", "lstm_hidden_size", "n_lstm_layers", "enable_critic_lstm"}
    )

    network: str = "sb3"
    """What lies under the LSTM. ``sb3``: NatureCNN for images, nothing otherwise; of other networks, the shared features."""

    net_arch: list[int] | None = None
    """Hidden units of policy and value MLP on top of the LSTM; null for Stable-Baselines3's [64, 64], none on images."""

    lstm_hidden_size: int = Field(default=256, gt=0)
    """Units of each LSTM."""

    n_lstm_layers: int = Field(default=1, gt=0)
    """Layers of each LSTM."""

    enable_critic_lstm: bool = True
    """Whether values have an LSTM of their own; if not, they remember nothing."""

    @model_validator(mode="after")
    def _check_installed(self) -> Self:
        _require_contrib()
        return self


class TQCConfig(SACConfig):
    """Truncated quantile critics (Kuznetsov et al. 2020, arXiv 2005.04269) as sb3-contrib implements them.

    Defaults are those of sb3-contrib unless a field says otherwise.
    """

    architecture_fields: ClassVar[frozenset[str] | None] = frozenset(
        {"net_arch", "critic_net_arch", "trunk_dim", "n_quantiles", "n_critics"}
    )

    critic_net_arch: list[int] | None = None
    """Hidden units of the critics where they are not `net_arch`; goes with it."""

    n_quantiles: int = Field(default=25, gt=0)
    """Quantiles that each critic predicts."""

    n_critics: int = Field(default=2, gt=0)
    """Critics."""

    top_quantiles_to_drop_per_net: Annotated[int, Search(low=0, high=5)] = Field(default=2, ge=0)
    """Largest quantiles that are left out of the target, for each critic."""

    @model_validator(mode="after")
    def _check_critics(self) -> Self:
        if self.top_quantiles_to_drop_per_net >= self.n_quantiles:
            raise ValueError(
                f"top_quantiles_to_drop_per_net {self.top_quantiles_to_drop_per_net} leaves none of {self.n_quantiles}"
            )
        if self.critic_net_arch is not None and self.net_arch is None:
            raise ValueError("critic_net_arch goes with net_arch, the actor's layers: set both")
        return self

    @model_validator(mode="after")
    def _check_installed(self) -> Self:
        _require_contrib()
        return self


class QRDQNConfig(EpsilonGreedyConfig):
    """Quantile regression DQN (Dabney et al. 2018, arXiv 1710.10044) as sb3-contrib implements it.

    Defaults are those of sb3-contrib unless a field says otherwise.
    """

    architecture_fields: ClassVar[frozenset[str] | None] = frozenset({"net_arch", "n_quantiles"})

    learning_rate: Annotated[float, Search(low=1e-5, high=1e-2, log=True)] = Field(default=5e-5, gt=0)
    """Adam's step size; its epsilon is 0.01 / batch_size."""

    exploration_fraction: Annotated[float, Search(low=0.005, high=0.5, log=True)] = Field(default=0.005, gt=0, le=1)
    """Share of the run in which the probability of a random action falls, linearly."""

    exploration_final_eps: Annotated[float, Search(low=0.01, high=0.2, log=True)] = Field(default=0.01, ge=0, le=1)
    """Probability of a random action after that share of the run."""

    n_quantiles: int = Field(default=200, gt=0)
    """Quantiles of each action's return."""

    max_grad_norm: float | None = Field(default=None, gt=0)
    """Largest gradient norm; null for no clipping."""

    net_arch: list[int] | None = None
    """Hidden units of the network on top of the features; null for Stable-Baselines3's [64, 64], none on images."""

    @model_validator(mode="after")
    def _check_installed(self) -> Self:
        _require_contrib()
        return self
