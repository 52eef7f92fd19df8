"""Every knob of random network distillation that its paper, its authors' code and its re-implementations disagree on.

Burda, Edwards, Storkey and Klimov 2018 (arXiv 1810.12894). With f a frozen random network, g the predictor that learns to
match it, both D features wide, and x the normalised state:

    bonus      e(x) = 1/D sum_d (g_d(x) - f_d(x))^2,  divided by the running deviation of its discounted sum
    predictor  L = sum_n m_n e(x_n) / max(sum_n m_n, 1),  m_n = 1 with probability ``keep``, else 0

The defaults are the preset ``burda2018``. What differs from OpenAI's code even then is listed in this package's README.
"""

from __future__ import annotations

from math import sqrt
from typing import Annotated, Literal

from pydantic import Field

from harness.config import IntrinsicRewardConfig, Search


class RNDConfig(IntrinsicRewardConfig):
    """Random network distillation: the error in predicting a fixed random network is the bonus."""

    # What is looked at ------------------------------------------------------------------------------------------------
    bonus_on: Literal["obs", "next_obs"] = "next_obs"
    """State that earns a transition its bonus: ``next_obs``, where it led to, or ``obs``, where it started (SND)."""

    train_on: Literal["obs", "next_obs"] = "next_obs"
    """State that trains the predictor and feeds the observation statistics."""

    frames: Literal["newest", "all"] = "newest"
    """Frames of a stack that the networks see: the ``newest`` alone, or ``all``; no effect on vectors."""

    # Observation normalisation ----------------------------------------------------------------------------------------
    observation_normalisation: Literal["none", "subtract_mean", "standardise"] = "standardise"
    """``standardise``: (x - mean) / deviation, clipped; ``subtract_mean``: x - mean, unclipped; ``none``: x. Images of bytes
    are scaled to [0, 1] for the latter two."""

    observation_clip: float = Field(default=5.0, gt=0)
    """Largest absolute value of a standardised observation."""

    statistics: Literal["chan", "cumulative"] = "chan"
    """``chan``: mean and deviation of all samples, updated once per rollout after its bonuses (OpenAI). ``cumulative``: every
    step's batch counts once, before its bonuses (SND's repository); on-policy algorithms only."""

    warm_up_steps: int = Field(default=6400, ge=0)
    """Random steps in each environment that start the observation statistics before training."""

    # Networks ---------------------------------------------------------------------------------------------------------
    architecture: Literal["auto", "conv", "mlp"] = "auto"
    """``auto``: convolutions for images and an MLP for vectors. ``mlp`` takes flattened images too."""

    convolutions: Literal["burda2018", "pechac2024", "raileanu2020"] = "burda2018"
    """``burda2018``: 8x8/4, 4x4/2, 3x3/1 without padding, leaky ReLU. ``pechac2024``: 8x8/4, 3x3/2, 3x3/1 with padding 2, 1,
    1, ELU. Both have 32, 64 and 64 channels. ``raileanu2020``, for grids of cells: three times 3x3/2 with padding 1 and 32, 32
    and 128 channels, ELU."""

    leaky_slope: float = Field(default=0.2, ge=0, lt=1)
    """Slope below zero after ``burda2018`` convolutions: 0.2 is TensorFlow's default (OpenAI), 0.01 torch's (CleanRL)."""

    hidden: tuple[Annotated[int, Field(gt=0)], ...] = (128, 128)
    """Units of each hidden layer of the MLPs, ReLU after each."""

    feature_dim: Annotated[int, Search(choices=(64, 128, 256, 512))] = Field(default=512, gt=0)
    """D, outputs of target and predictor."""

    predictor_layers: Annotated[int, Search(choices=(0, 1, 2))] = Field(default=2, ge=0)
    """Layers of ``feature_dim`` units that the predictor has and the target has not."""

    init_gain: Annotated[float, Search(low=0.5, high=2.0)] = Field(default=sqrt(2), gt=0)
    """Gain of the orthogonal initialisation of every layer; biases start at zero."""

    # Bonus ------------------------------------------------------------------------------------------------------------
    aggregation: Literal["mean", "half_sum"] = "mean"
    """Whether the D squared errors become one number as their mean or as half their sum, which is D / 2 times larger."""

    eta: Annotated[float, Search(low=1e-3, high=10.0, log=True, when=("bonus_normalisation", "none"))] = Field(
        default=1.0, gt=0
    )
    """Factor on the error. ``return_std`` divides it out again, but for the first rollouts: its moments begin with a prior of
    variance 1, whatever the size of the bonus."""

    bonus_clip: float | None = Field(default=None, gt=0)
    """Largest eta * error, before ``bonus_normalisation``; null for no bound."""

    bonus_normalisation: Literal["return_std", "none"] = "return_std"
    """``return_std`` divides by the running standard deviation of the discounted sum of bonuses."""

    bonus_gamma: float = Field(default=0.99, ge=0, lt=1)
    """Discount of that sum; the intrinsic return's in all published runs."""

    # Predictor --------------------------------------------------------------------------------------------------------
    mask: Literal["sample", "element", "none"] = "sample"
    """What the loss leaves out at random: whole samples, single (sample, feature) entries, or nothing."""

    keep: Annotated[float | None, Search(choices=(None, 0.25, 0.5, 1.0), when=("mask", "sample", "element"))] = Field(
        default=None, gt=0, le=1
    )
    """Probability of not being left out; null for the paper's min(1, 32 / environments), a constant effective batch."""

    learning_rate: Annotated[float, Search(low=1e-5, high=1e-2, log=True)] = Field(default=1e-4, gt=0)
    """Adam's step size."""

    adam_epsilon: float = Field(default=1e-8, gt=0)
    """Adam's epsilon."""

    epochs: Annotated[int, Search(low=1, high=8, learner="on_policy")] = Field(default=4, gt=0)
    """Passes over each rollout."""

    minibatches: Annotated[int, Search(choices=(1, 4, 16, 32), learner="on_policy")] = Field(default=4, gt=0)
    """Equal parts into which each pass is cut."""

    minibatch_order: Literal["environment", "shuffled", "time"] = "environment"
    """What is cut: one environment's steps after another's (OpenAI), a permutation drawn anew for each pass (CleanRL), or the
    rollout in order of time (SND)."""
