"""The methods' configurations: what each objective adds to `SNDConfig`, and the defaults that it changes."""

from __future__ import annotations

from math import sqrt
from typing import Annotated, Literal

from pydantic import Field

from harness.config import Search
from harness_snd.config import (
    Activation,
    AugmentationProbability,
    AugmentedConfig,
    BonusClip,
    BonusNormalisation,
    Channels,
    Distillation,
    Eta,
    Gain,
    ImageAugmentations,
    Keep,
    Positive,
    Probability,
    Projector,
    SecondView,
    SNDConfig,
    State,
    TwoViewsConfig,
    VectorAugmentations,
)

Weight = Annotated[float, Field(ge=0)]


class SNDVConfig(AugmentedConfig):
    """SND-V: augmented pairs of equal states at distance 0, of random states at distance 1."""

    target_channels: Channels = (16, 32, 64, 64)
    predictor_channels: Channels = (16, 32, 64, 64)
    activation: Activation = "elu"
    target_gain: Gain = sqrt(2)
    eta: Eta = 0.5
    keep: Keep = 0.25
    augmentation_probability: AugmentationProbability = 0.5

    pair_share: Annotated[float, Search(choices=(0.125, 0.25, 0.5, 1.0))] = Field(default=0.125, gt=0)
    """Pairs drawn from the whole rollout for each minibatch, per transition of the minibatch."""

    close_share: Probability = 0.5
    """Probability that a pair is twice the same state; otherwise its second state is any of the rollout."""

    magnitude_threshold: float = Field(default=200.0, ge=0)
    """Sum of both members' mean squared features from where on it is penalised."""


class SNDSTDConfig(SNDConfig):
    """SND-STD: spatio-temporal InfoNCE between consecutive states (ST-DIM), with two regularisers."""

    predictor_gain: Gain = 0.5
    distillation: Distillation = "sum"

    local_layer: int | None = Field(default=None, gt=0)
    """Convolution or hidden layer that gives the local features, counted from 1; null for the last but one."""

    predicts: State = "obs"
    """State whose local features are predicted, from global and local features of the other one: ``obs`` from the next state
    (as published, and in ST-DIM), or ``next_obs`` from the state before."""

    softmax_over: Literal["predictions", "patches"] = "predictions"
    """Among what the right one must be found: the ``predictions`` of other samples for a given patch (as published), or the
    ``patches`` of other samples for a given prediction (ST-DIM)."""

    deviation_weight: Weight = 1e-4
    """beta_1: weight of minus the deviation over features of a state's features."""

    norm_weight: Weight = 1e-4
    """beta_2: weight of the norm of the logits."""


class SNDVICConfig(TwoViewsConfig):
    """SND-VIC: variance, invariance and covariance of the features of consecutive states (VICReg)."""

    eta: Eta = 0.25
    second_view: SecondView = "next_obs"
    image_augmentations: ImageAugmentations = ()
    vector_augmentations: VectorAugmentations = ()

    invariance_weight: Weight = 1.0
    """Weight of the mean squared difference of the two views."""

    variance_weight: Annotated[Weight, Search(low=0.1, high=10.0, log=True)] = 1.0
    """Weight of the hinge on each feature's deviation, summed over the views (the official code takes half that sum)."""

    covariance_weight: Annotated[Weight, Search(low=1e-3, high=1.0, log=True)] = 1 / 25
    """Weight of the squared covariances of different features."""

    variance_epsilon: float = Field(default=1e-4, gt=0)
    """Added to the variance under the root."""


class BeyondThePaperConfig(TwoViewsConfig):
    """What the objectives share that no publication has combined with this bonus: nothing bounds their features, hence."""

    bonus_clip: BonusClip = None
    bonus_normalisation: BonusNormalisation = "return_std"


class SNDBarlowConfig(BeyondThePaperConfig):
    """Barlow Twins: the cross-correlation of two views should be the identity."""

    off_diagonal_weight: Annotated[Weight, Search(low=1e-4, high=1e-1, log=True)] = 5e-3
    """lambda: weight of the correlations between different features."""


class SNDSimCLRConfig(BeyondThePaperConfig):
    """SimCLR: of all other views in the batch, the one of the same state must be found."""

    projector: Projector = (512, 128)

    temperature: Annotated[float, Search(low=0.05, high=1.0, log=True)] = Field(default=0.1, gt=0)
    """tau: divides the cosines."""


class SNDBYOLConfig(BeyondThePaperConfig):
    """BYOL: a slow copy's projection of one view is predicted from the other."""

    projector: Projector = (512, 256)

    prediction_hidden: int = Field(default=512, gt=0)
    """Units of the hidden layer that predicts the slow projection."""

    decay: Annotated[Probability, Search(choices=(0.99, 0.996, 0.999))] = 0.996
    """Share of itself that the slow copy keeps after each minibatch."""


class SNDCURLConfig(BeyondThePaperConfig):
    """CURL: of all slow keys in the batch, the one of the same state must be found by a learnt similarity."""

    image_augmentations: ImageAugmentations = ("shift",)

    decay: Annotated[Probability, Search(choices=(0.9, 0.95, 0.99, 0.999))] = 0.95
    """Share of itself that the slow key encoder keeps after each minibatch."""


class SNDInverseConfig(SNDConfig):
    """Inverse dynamics: the action must be found from the features of the states before and after it."""

    bonus_clip: BonusClip = None
    bonus_normalisation: BonusNormalisation = "return_std"

    inverse_hidden: tuple[Positive, ...] = (256,)
    """Units of each hidden layer between the two states' features and the action, ReLU after each."""
