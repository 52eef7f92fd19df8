"""Settings of the methods that predict features of the next state: ICM and disagreement.

With phi the features, f a forward model and g an inverse model, d = f(phi(s), a) - phi(s'):

    icm            bonus |d|, by ``aggregate``; L = scale ((1 - beta) |g(phi(s), phi(s')) - a| + beta |d|)
    disagreement   bonus mean_d var_k f_k(phi(s), a); each member learns its own |d_k|
"""

from __future__ import annotations

from math import sqrt
from typing import Annotated, Literal

from pydantic import Field

from harness.config import Search
from harness_curiosity.config import (
    Epochs,
    Eta,
    GradientClip,
    InitGain,
    MinibatchConfig,
    Minibatches,
    MinibatchOrder,
    ObservationNormalisation,
    Positive,
    Scale,
    WarmUpSteps,
    Weight,
)

Features = Annotated[
    Literal["inverse", "random", "vae", "pixels"],
    Field(
        description="What is predicted of a state: features that an ``inverse`` model learns, a frozen ``random`` "
        "network's, the "
        "posterior mean of a ``vae``, or the observation itself (``pixels``, vectors too)."
    ),
    Search(choices=("inverse", "random", "vae", "pixels")),
]
Convolutions = Annotated[
    Literal["pathak2017", "burda2018", "nature", "raileanu2020"],
    Field(
        description="``pathak2017``: four times 3x3/2 of 32 channels, ELU, TensorFlow's SAME padding, flattened as they are. "
        "``burda2018``: 8x8/4, 4x4/2, 3x3/1, leaky ReLU 0.2, a linear layer. ``nature``: the same sizes, ReLU, a linear "
        "layer with "
        "ReLU. ``raileanu2020``, for grids of cells: three times 3x3/2 with padding 1 and 32, 32 and 128 channels, ELU, a "
        "linear "
        "layer."
    ),
]
FeatureDim = Annotated[
    int,
    Field(
        gt=0,
        description="Numbers of the features; no effect on ``pixels``, and none on images with convolutions ``pathak2017``, "
        "whose "
        "flattened output is the features.",
    ),
    Search(choices=(50, 64, 128, 256, 288, 512)),
]
ForwardModel = Annotated[
    Literal["mlp", "residual"],
    Field(
        description="``mlp``: one hidden layer with ReLU on features and action. ``residual``: a layer, four residual "
        "blocks of two "
        "and a layer, leaky ReLU 0.2, the action joined to the input of all ten. Pixels of images take a U-Net of that kind."
    ),
]
ForwardHidden = Annotated[
    int, Field(gt=0, description="Units of the forward model's hidden layers."), Search(choices=(128, 256, 512, 1024))
]
InverseHidden = Annotated[int, Field(gt=0, description="Units of the inverse model's hidden layer, ReLU after it.")]
Aggregate = Annotated[
    Literal["half_sum", "mean", "norm"],
    Field(
        description="How the error of many features becomes one number: half the sum of squares, their mean, or the root of "
        "their "
        "sum. With ``norm`` the inverse model's error in boxes is a norm too, else the mean of squares."
    ),
]


class DynamicsConfig(MinibatchConfig):
    """What ICM and disagreement share."""

    # Features ---------------------------------------------------------------------------------------------------------
    features: Features = "inverse"

    architecture: Literal["auto", "conv", "mlp"] = "auto"
    """``auto``: convolutions for images and an MLP for vectors. ``mlp`` takes flattened images too."""

    convolutions: Convolutions = "pathak2017"

    hidden: tuple[Positive, ...] = (256,)
    """Units of each hidden layer of the MLP that encodes vectors, ReLU after each."""

    feature_dim: FeatureDim = 288

    feature_output: Literal["linear", "layer_norm_tanh"] = "linear"
    """What follows the last linear layer of the encoder: nothing, or layer normalisation and tanh (URLB's ICM-APT)."""

    # Models -----------------------------------------------------------------------------------------------------------
    forward_model: ForwardModel = "mlp"

    forward_hidden: ForwardHidden = 256

    inverse_hidden: InverseHidden = 256

    inverse_output: Literal["linear", "tanh"] = "linear"
    """What follows the inverse model's last layer for boxes of actions; ``tanh`` keeps its guess in [-1, 1] (URLB)."""

    aggregate: Aggregate = "half_sum"

    init_gain: InitGain = sqrt(2)


class ICMConfig(DynamicsConfig):
    """Intrinsic curiosity module: the error in predicting features of the next state is the bonus."""

    forward_trains_features: bool = True
    """Whether the forward model's error trains the features too, through both states; ``inverse`` features only."""

    forward_share: Annotated[Weight, Search(choices=(0.1, 0.2, 0.5, 0.8))] = Field(default=0.2, le=1)
    """beta: share of the forward model's error in the loss; the features' own loss has the rest."""

    loss_scale: float = Field(default=200.0, gt=0)
    """Factor on the loss. Adam divides it out, but for its epsilon; ``gradient_bound`` does not."""

    log1p: bool = False
    """Whether the bonus is log(1 + eta |d|) instead of eta |d|."""

    eta: Eta = 0.01

    gradient_clip: GradientClip = "norm"

    minibatches: Minibatches = 32

    minibatch_order: MinibatchOrder = "time"


class DisagreementConfig(DynamicsConfig):
    """Disagreement: the variance of an ensemble's predictions of the next state's features is the bonus."""

    observation_normalisation: ObservationNormalisation = "random_play"

    warm_up_steps: WarmUpSteps = 79

    features: Features = "random"

    convolutions: Convolutions = "burda2018"

    feature_dim: FeatureDim = 512

    forward_model: ForwardModel = "residual"

    forward_hidden: ForwardHidden = 512

    inverse_hidden: InverseHidden = 512

    aggregate: Aggregate = "mean"

    init_gain: InitGain = 1.0

    members: Annotated[int, Search(choices=(2, 3, 4, 5, 10))] = Field(default=5, gt=1)
    """K, forward models in the ensemble. They share the features and start from weights of their own."""

    unbiased: bool = False
    """Whether the variance over members divides by K - 1 instead of K, which makes the bonus K / (K - 1) times larger."""

    member_data: Literal["dropout", "round_robin", "all"] = "dropout"
    """What of each minibatch a member learns from: a random share of its samples, drawn for each member, their error divided
    by ``keep``; all of it in turn, minibatch i member i mod K; or all of it."""

    keep: Annotated[float, Search(choices=(0.5, 0.8, 1.0), when=("member_data", "dropout"))] = Field(default=0.8, gt=0, le=1)
    """Probability that a sample counts for a member, with ``dropout``."""

    bonus_normalisation: Scale = "return_std"

    epochs: Epochs = 3

    minibatches: Minibatches = 8

    minibatch_order: MinibatchOrder = "environment"
