"""What settings of several methods of this package have in common."""

from __future__ import annotations

from math import sqrt
from typing import Annotated, Literal

from pydantic import Field

from harness.config import BonusNormalisation, IntrinsicRewardConfig, Search

Positive = Annotated[int, Field(gt=0)]

# Fields whose default differs from method to method: bounds, search range and meaning, once -----------------------------
FeatureDim = Annotated[
    int, Field(gt=0, description="Numbers of an embedded state."), Search(choices=(32, 50, 64, 128, 256, 512, 1024))
]
LearningRate = Annotated[float, Field(gt=0, description="The optimiser's step size."), Search(low=1e-5, high=1e-2, log=True)]
Epochs = Annotated[int, Field(gt=0, description="Passes over each rollout."), Search(low=1, high=8, learner="on_policy")]
Minibatches = Annotated[
    int,
    Field(gt=0, description="Equal parts into which each pass is cut."),
    Search(choices=(1, 4, 8, 16, 32), learner="on_policy"),
]
BonusOn = Annotated[
    Literal["obs", "next_obs"],
    Field(description="State that earns a transition its bonus: ``next_obs``, where it led to, or ``obs``, where it started."),
]
Normalisation = Annotated[
    BonusNormalisation,
    Field(
        description="What bonuses are divided by: the running deviation of their discounted sum (``return_std``), or their "
        "own running deviation (``bonus_std``) or mean (``running_mean``); ``none`` for nothing."
    ),
]
Memory = Annotated[
    Positive | None,
    Field(
        description="States of its present episode that each environment remembers at most; null for a whole episode, or for "
        "5000 where nothing bounds one."
    ),
]
MEMORY_WITHOUT_LIMIT = 5000
"""States that are remembered of an episode that nothing is known to bound."""


class EpisodicConfig(IntrinsicRewardConfig):
    """What all methods of this package share."""

    frames: Literal["newest", "all"] = "newest"
    """Frames of a stack that are looked at: the ``newest`` alone, or ``all``; no effect on vectors."""

    bonus_normalisation: Normalisation = "none"

    bonus_gamma: float = Field(default=0.99, ge=0, le=1)
    """Discount of the sum whose deviation ``return_std`` divides by."""


class EmbeddingConfig(EpisodicConfig):
    """What methods share that embed states."""

    architecture: Literal["auto", "nature", "raileanu2020", "mlp"] = "auto"
    """``nature``: convolutions 8x8/4, 4x4/2, 3x3/1 with 32, 64 and 64 channels, ReLU, and a linear layer; for images of at
    least 36 pixels a side. ``raileanu2020``, for grids of cells: three times 3x3/2 with padding 1 and 32, 32 and 128 channels,
    ELU, and a linear layer unless that gives ``feature_dim`` numbers already (RIDE's 128 of 7x7 cells). ``mlp``: ``hidden``
    layers on flattened observations. ``auto``: what fits."""

    hidden: tuple[Positive, ...] = (256,)
    """Units of each hidden layer of the ``mlp``, ReLU after each."""

    feature_dim: FeatureDim = 128

    init_gain: float = Field(default=sqrt(2), gt=0)
    """Gain of the orthogonal initialisation of every layer; biases start at zero."""


class LearnedConfig(EmbeddingConfig):
    """What methods share whose networks learn from each rollout."""

    optimizer: Literal["adam", "rmsprop"] = "adam"
    """What takes the steps; RMSprop with the decay 0.99 of IMPALA."""

    learning_rate: LearningRate = 1e-4

    optimizer_epsilon: float = Field(default=1e-8, gt=0)
    """Added to the root of the running squared gradient."""

    max_grad_norm: float | None = Field(default=None, gt=0)
    """Bound on the norm of all gradients together; null for none."""

    epochs: Epochs = 1

    minibatches: Minibatches = 4

    minibatch_order: Literal["environment", "shuffled", "time"] = "shuffled"
    """What is cut: one environment's steps after another's, a permutation drawn anew for each pass, or the rollout in order of
    time."""
