"""What all methods of self-supervised network distillation have in common: every knob beside the objective's own.

Pechac, Chovanec and Farkas 2024 (arXiv 2302.11563). With z the target's features of a state, f the predictor's, D wide:

    bonus      clip(eta * 1/D sum_d (z_d - f_d)^2)
    predictor  L = sum_nd m_nd (z_nd - f_nd)^2 / sum_nd m_nd,  m_nd = 1 with probability ``keep``, else 0; z has no gradient
    target     the objective of the method, see `harness_snd.objectives`
"""

from __future__ import annotations

from math import sqrt
from typing import Annotated, Literal

from pydantic import Field

from harness.config import IntrinsicRewardConfig, Search

Positive = Annotated[int, Field(gt=0)]

# Fields whose default differs from method to method: bounds, search range and meaning, once -----------------------------
Channels = Annotated[
    tuple[Positive, ...],
    Field(min_length=1, description="Channels of each convolution: 3x3 with padding 1, stride 2 for all but the last."),
]
Activation = Annotated[Literal["relu", "elu"], Field(description="After each convolution and hidden layer.")]
Gain = Annotated[
    float,
    Field(gt=0, description="Gain of the orthogonal initialisation; biases start at zero."),
    Search(low=0.25, high=2.0),
]
Eta = Annotated[
    float,
    Field(
        gt=0,
        description="Factor on the mean squared error; ``return_std`` divides it out after the first rollouts (see RND).",
    ),
    Search(low=1e-2, high=10.0, log=True, when=("bonus_normalisation", "none")),
]
BonusClip = Annotated[
    float | None, Field(gt=0, description="Largest eta * error, before ``bonus_normalisation``; null for no bound.")
]
BonusNormalisation = Annotated[
    Literal["none", "return_std"],
    Field(description="``return_std`` divides by the running deviation of the discounted sum of bonuses, as RND does."),
]
Distillation = Annotated[
    Literal["mean", "sum"],
    Field(
        description="Whether the predictor's loss is the mean or the sum over samples and features. Adam divides a constant "
        "factor out, but for its epsilon: gradients of a mean are so small that it shortens their steps."
    ),
]
Keep = Annotated[
    float,
    Field(gt=0, le=1, description="Probability that a (sample, feature) entry counts in the predictor's loss."),
    Search(choices=(0.25, 0.5, 1.0)),
]
Probability = Annotated[float, Field(ge=0, le=1)]
AugmentationProbability = Annotated[Probability, Field(description="Probability of each change, for each sample.")]
ImageAugmentations = Annotated[
    tuple[Literal["mask", "noise", "shift"], ...],
    Field(description="Changes of images, in order: ``mask`` zeroes square tiles, ``noise`` is uniform, ``shift`` moves all."),
]
VectorAugmentations = Annotated[
    tuple[Literal["mask", "noise"], ...],
    Field(description="Changes of vectors, in order: ``mask`` zeroes single coordinates, ``noise`` is uniform."),
]
State = Literal["obs", "next_obs"]
SecondView = Annotated[
    State, Field(description="Whether the second view is of the same state or of the next one; each is augmented on its own.")
]
Projector = Annotated[
    tuple[Positive, ...],
    Field(description="Units of layers between features and objective, ReLU between them; empty: the features themselves."),
]


class SNDConfig(IntrinsicRewardConfig):
    """Self-supervised network distillation: the error in predicting a network that learns by itself is the bonus."""

    # What is looked at ------------------------------------------------------------------------------------------------
    bonus_on: State = "obs"
    """State that earns a transition its bonus and that trains the predictor: ``obs``, where it started (as published), or
    ``next_obs``, where it led to."""

    frames: Literal["newest", "all"] = "newest"
    """Frames of a stack that the networks see: the ``newest`` alone, or ``all``; no effect on vectors."""

    observation_normalisation: Literal["none", "subtract_mean", "standardise"] = "none"
    """``none``: x, images of bytes scaled to [0, 1]; ``subtract_mean``: x - mean; ``standardise``: (x - mean) / deviation,
    clipped. The statistics take in every step's states before its bonuses; on-policy algorithms only."""

    observation_clip: float = Field(default=1.0, gt=0)
    """Largest absolute value of a standardised observation."""

    # Networks ---------------------------------------------------------------------------------------------------------
    architecture: Literal["auto", "conv", "mlp"] = "auto"
    """``auto``: convolutions for images and an MLP for vectors. ``mlp`` takes flattened images too."""

    target_channels: Channels = (32, 64, 64, 128)

    predictor_channels: Channels = (32, 64, 64, 128)

    hidden: Annotated[tuple[Positive, ...], Field(min_length=1)] = (128, 128)
    """Units of each hidden layer of the MLPs."""

    activation: Activation = "relu"

    feature_dim: Annotated[int, Search(choices=(64, 128, 256, 512))] = Field(default=512, gt=1)
    """D, outputs of target and predictor."""

    predictor_layers: Annotated[int, Search(choices=(0, 1, 2))] = Field(default=2, ge=0)
    """Layers of ``feature_dim`` units, each behind an ELU, that the predictor has and the target has not."""

    target_gain: Gain = 0.5

    predictor_gain: Gain = sqrt(2)

    # Bonus ------------------------------------------------------------------------------------------------------------
    eta: Eta = 1.0

    bonus_clip: BonusClip = 1.0

    bonus_normalisation: BonusNormalisation = "none"

    bonus_gamma: float = Field(default=0.99, ge=0, lt=1)
    """Discount of that sum."""

    # Learning ---------------------------------------------------------------------------------------------------------
    distillation: Distillation = "mean"

    keep: Keep = 1.0

    learning_rate: Annotated[float, Search(low=1e-5, high=1e-2, log=True)] = Field(default=1e-4, gt=0)
    """Step size of the Adam that trains target, predictor and whatever the objective brings."""

    adam_epsilon: float = Field(default=1e-8, gt=0)
    """Adam's epsilon."""

    epochs: Annotated[int, Search(low=1, high=8, learner="on_policy")] = Field(default=1, gt=0)
    """Passes over each rollout."""

    minibatches: Annotated[int, Search(choices=(4, 8, 16, 32), learner="on_policy")] = Field(default=32, gt=0)
    """Equal parts into which each pass is cut; fewer where parts would have less than two transitions."""

    minibatch_order: Literal["time", "shuffled", "environment"] = "time"
    """What is cut: the rollout in order of time, a permutation drawn anew for each pass, or one environment's steps after
    another's."""


class AugmentedConfig(SNDConfig):
    """What objectives share that change states at random. On vectors, ``mask`` zeroes single coordinates."""

    image_augmentations: ImageAugmentations = ("mask", "noise")

    vector_augmentations: VectorAugmentations = ("mask", "noise")

    augmentation_probability: AugmentationProbability = 1.0

    mask_probability: Probability = 0.1
    """Probability that a tile or coordinate vanishes."""

    tile_sizes: Annotated[tuple[Positive, ...], Field(min_length=1)] = (1, 2, 4, 8, 12, 16)
    """Sides of tiles in pixels; for each batch one is drawn among those that divide the image."""

    noise: float = Field(default=0.2, ge=0)
    """Largest absolute value of the noise, in units of what the networks see."""

    shift: int = Field(default=4, ge=0)
    """Largest displacement of ``shift``, in pixels."""


class TwoViewsConfig(AugmentedConfig):
    """What objectives share that compare two views of a state."""

    second_view: SecondView = "obs"

    projector: Projector = ()
