"""Settings of the methods whose embedding learns from what actions do: RIDE, E3B, NGU, and its pseudo-counts alone.

With phi the embedding, N(s) visits in the present episode, C = lambda I + sum phi phi^T over the earlier states of the
episode, and d_1 .. d_k the distances to the k nearest of them:

    ride            |phi(s') - phi(s)| / sqrt(N(s'))
    e3b             phi^T C^-1 phi
    pseudo_counts   1 / s, s = sqrt(sum_i K_i) + c, K_i = eps / (max(d_i^2 / m - xi, 0) + eps); 0 where s > s_max
    ngu             pseudo_counts * clip(1 + (e - mean) / deviation, 1, L), e the error of random network distillation
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.config import Search
from harness_episodic.configs.base import BonusOn, FeatureDim, LearnedConfig, Memory, Normalisation, Positive


class DynamicsConfig(LearnedConfig):
    """What methods share whose embedding learns to tell which action led from one state to another."""

    inverse_hidden: Annotated[int, Search(choices=(64, 128, 256, 512))] = Field(default=256, gt=0)
    """Units of the inverse model's hidden layer, ReLU after it."""


class RideConfig(DynamicsConfig):
    """RIDE: how far an action moves the embedding, over the root of the visits in the episode, is the bonus."""

    episodic: Literal["visits", "kernel"] = "visits"
    """What the move is discounted by: the root of the ``visits`` of s' (the paper), or the pseudo-counts of s by their
    ``kernel``, times the mean of squared moves (RLLTE, which is another method)."""

    neighbours: int = Field(default=10, gt=0)
    """k of the ``kernel``, the nearest of the episode's earlier states that are counted; no effect on ``visits``."""

    forward_hidden: Annotated[int, Search(choices=(64, 128, 256, 512))] = Field(default=256, gt=0)
    """Units of the forward model's hidden layer, ReLU after it."""

    forward_loss: Literal["norm", "mean"] = "norm"
    """The forward model's loss: the Euclidean norm of its error (as coded), or the mean of its squares."""

    forward_weight: Annotated[float, Search(low=0.1, high=100.0, log=True)] = Field(default=10.0, ge=0)
    """Factor on the forward model's loss, which trains the embedding through both states."""

    inverse_weight: Annotated[float, Search(low=0.01, high=10.0, log=True)] = Field(default=0.1, ge=0)
    """Factor on the inverse model's loss."""

    loss_scale: float = Field(default=1.0, gt=0)
    """Factor on the mean loss. The authors' code sums over the steps of an unroll, which is 100 times the mean; RMSprop
    divides it out, ``max_grad_norm`` does not."""

    memory: Memory = None


class E3BConfig(DynamicsConfig):
    """E3B: the elliptical norm of the embedded state in the inverse covariance of its episode is the bonus."""

    feature_dim: FeatureDim = 256

    ridge: Annotated[float, Search(low=1e-3, high=1.0, log=True)] = Field(default=0.1, gt=0)
    """lambda: the covariance of an episode begins as this multiple of the identity."""

    bonus_on: BonusOn = "next_obs"

    first_bonus: Literal["zero", "keep"] = "keep"
    """What a state earns that its episode's memory is empty for: ``zero``, or all of its squared norm / ``ridge``, usually the
    most of the episode. Concerns ``bonus_on: obs`` alone: with ``next_obs`` the first state is remembered, and earns nothing
    as no transition leads to it."""

    bonus_normalisation: Normalisation = "bonus_std"


class PseudoCountsConfig(DynamicsConfig):
    """Pseudo-counts: the bonus is the inverse root of a count of similar states in the episode, as in NGU."""

    feature_dim: FeatureDim = 32

    bonus_on: BonusOn = "next_obs"

    neighbours: Annotated[int, Search(low=1, high=32)] = Field(default=10, gt=0)
    """k, the nearest of the episode's earlier states that are counted."""

    fewer_neighbours: Literal["zero", "count"] = "zero"
    """What a state earns while fewer than k earlier ones are remembered: nothing, or a bonus of those that are (RLLTE); where
    there are none at all, nothing either way."""

    kernel_epsilon: Annotated[float, Search(low=1e-5, high=1e-2, log=True)] = Field(default=1e-4, gt=0)
    """eps: half the kernel is left at this squared distance, relative to the usual one."""

    cluster_distance: Annotated[float, Search(low=1e-3, high=0.1, log=True)] = Field(default=0.008, ge=0)
    """xi: relative squared distances up to this are none."""

    count_constant: float = Field(default=1e-3, gt=0)
    """c, added to the root of the count."""

    max_similarity: Annotated[float, Search(low=1.0, high=20.0)] = Field(default=8.0, gt=0)
    """s_max: what is more familiar earns nothing."""

    distance_mean: Literal["every_query", "rollouts"] = "every_query"
    """m, the usual squared distance: the mean over all queries so far of that to the k-th neighbour, this one included (the
    paper), or of those to all k neighbours in the rollouts before this one (RLLTE). The latter is 0 in the first rollout,
    whose bonuses are therefore near 1 / c."""

    memory: Memory = None


class NGUConfig(PseudoCountsConfig):
    """Never Give Up: pseudo-counts of the episode, times a factor that grows with the lifelong novelty of the state."""

    lifelong: Literal["standardised", "scaled"] = "standardised"
    """The factor before it is clipped: 1 + (e - mean) / deviation (the paper), or 1 + e / deviation (RLLTE)."""

    max_factor: Annotated[float, Search(low=1.0, high=10.0)] = Field(default=5.0, ge=1)
    """L, the largest factor; the least is 1."""

    rnd_feature_dim: Annotated[int, Search(choices=(32, 64, 128, 256))] = Field(default=128, gt=0)
    """Outputs of the random network and of its predictor."""

    rnd_hidden: tuple[Positive, ...] = (256,)
    """Units of each hidden layer of both, if they are MLPs, ReLU after each."""

    rnd_learning_rate: Annotated[float, Search(low=1e-5, high=1e-2, log=True)] = Field(default=5e-4, gt=0)
    """Step size of the predictor."""

    rnd_observations: Literal["none", "standardise"] = "standardise"
    """Whether these two see (x - mean) / deviation of each number, clipped at 5, by statistics of all rollouts before."""
