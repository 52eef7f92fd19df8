"""Settings of the methods that model states or their sequence: VAE, world model, TD-VAE and E2C."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.config import Search
from harness_curiosity.config import (
    CuriosityConfig,
    Epochs,
    Frames,
    GradientBound,
    GradientClip,
    LearningRate,
    MinibatchConfig,
    ObservationNormalisation,
    Positive,
    Scale,
    Weight,
)

Architecture = Annotated[
    Literal["auto", "conv", "mlp"],
    Field(
        description="``auto``: convolutions for images of at least 32 pixels a side, an MLP for all else. ``conv`` refuses "
        "vectors; "
        "``mlp`` takes flattened images too."
    ),
]
Likelihood = Annotated[
    Literal["squared", "half_squared", "bernoulli"],
    Field(
        description="What a wrong reconstruction costs each number: its ``squared`` error (a normal distribution of "
        "variance 1/2, but "
        "for a constant), half of it (of variance 1), or the cross-entropy of a ``bernoulli`` distribution, for numbers in "
        "[0, 1]."
    ),
]
PosteriorScale = Annotated[
    Literal["log_deviation", "log_variance", "softplus"],
    Field(
        description="What the encoder's second output is: the logarithm of the deviation or of the variance, or what "
        "softplus makes "
        "the deviation of."
    ),
]
Reduction = Annotated[Literal["sum", "mean"], Field(description="Whether errors of single numbers are summed or averaged.")]
LatentDim = Annotated[int, Field(gt=0, description="Numbers of a latent vector."), Search(choices=(2, 8, 16, 32, 64, 128))]
Hidden = Annotated[
    tuple[Positive, ...],
    Field(description="Units of each hidden layer of the MLPs, ReLU after each; the decoder's in reverse."),
]
Probability = Annotated[float, Field(ge=0, lt=1)]


class ImageModelConfig(MinibatchConfig):
    """What VAE and world model share: an auto-encoder of states and what its loss consists of."""

    frames: Frames = "newest"

    architecture: Architecture = "auto"

    hidden: Hidden = (150, 150)

    latent_dim: LatentDim = 128

    posterior_scale: PosteriorScale = "log_variance"

    likelihood: Likelihood = "squared"

    pixel_reduction: Reduction = "mean"

    batch_reduction: Annotated[
        Literal["sum", "mean"], Field(description="Whether samples of a minibatch are summed or averaged in the loss.")
    ] = "mean"

    beta: Annotated[Weight, Search(low=0.1, high=20.0, log=True)] = 0.5
    """Weight of the divergence of the posterior from the standard normal distribution."""

    kl_floor: float = Field(default=0.0, ge=0)
    """Nats per latent number below which a sample's divergence costs no less (Ha and Schmidhuber: 0.5)."""


class VAEConfig(ImageModelConfig):
    """Density of states: what a variational auto-encoder makes of the next state is the bonus."""

    bonus: Annotated[Literal["reconstruction", "elbo", "kl"], Search(choices=("reconstruction", "elbo", "kl"))] = (
        "reconstruction"
    )
    """``reconstruction``: the error at the posterior's mean; ``elbo``: that and ``beta`` times the divergence, minus the
    evidence lower bound up to constants; ``kl``: the divergence alone."""

    bonus_reduction: Reduction = "sum"

    pixel_reduction: Reduction = "sum"

    learning_rate: LearningRate = 1e-3


class WorldModelConfig(ImageModelConfig):
    """World model: how improbable the next latent state was to a recurrent mixture model is the bonus."""

    observation_normalisation: ObservationNormalisation = "auto"

    latent_dim: LatentDim = 32

    pixel_reduction: Reduction = "sum"

    beta: Annotated[Weight, Search(low=0.1, high=20.0, log=True)] = 1.0
    """Weight of the divergence of the posterior from the standard normal distribution."""

    kl_floor: float = Field(default=0.5, ge=0)
    """Nats per latent number below which a sample's divergence costs no less."""

    recurrent: Annotated[int, Search(choices=(64, 128, 256, 512))] = Field(default=256, gt=0)
    """Units of the LSTM over actions and latent states."""

    components: Annotated[int, Search(choices=(1, 3, 5, 8))] = Field(default=5, gt=0)
    """K, normal distributions in the mixture."""

    mixture: Literal["shared", "per_dimension"] = "per_dimension"
    """``shared``: one weight for each component, a mixture of diagonal normal distributions (ctallec). ``per_dimension``: a
    mixture for each latent number by itself (Ha and Schmidhuber)."""

    predict_reward: bool = False
    """Whether the reward is predicted too, its squared error added to the loss."""

    predict_done: bool = False
    """Whether the end of episodes is predicted too, its cross-entropy added to the loss."""

    segment: Annotated[int, Search(choices=(8, 16, 32))] = Field(default=32, gt=1)
    """Steps of each piece of an episode that the recurrent model learns from, from an empty memory."""

    segments_per_batch: Annotated[int, Search(choices=(4, 16, 64))] = Field(default=16, gt=0)
    """Pieces in each minibatch of the recurrent model."""

    bonus_normalisation: Scale = "return_std"

    gradient_clip: GradientClip = "value"

    gradient_bound: GradientBound = 1.0

    learning_rate: LearningRate = 1e-3

    epochs: Epochs = 4


class TDVAEConfig(CuriosityConfig):
    """TD-VAE: how surprising the step between two beliefs was is the bonus."""

    frames: Frames = "newest"

    observation_normalisation: ObservationNormalisation = "auto"

    processed_dim: int = Field(default=50, gt=0)
    """Units of both layers between an observation and the LSTM."""

    belief_dim: Annotated[int, Search(choices=(32, 50, 128, 256))] = Field(default=50, gt=0)
    """Units of the LSTM, whose output is the belief."""

    latent_dim: LatentDim = 8

    hidden: int = Field(default=50, gt=0)
    """Units of each gated block and of the decoder's two layers."""

    likelihood: Literal["auto", "bernoulli", "half_squared"] = "auto"
    """What a wrong reconstruction costs each number; ``auto``: ``bernoulli`` where all are in [0, 1], else half the squared
    error."""

    subtract_floor: bool = True
    """Whether a bonus is less by what no decoder can cost less, the entropy of grey pixels as probabilities (ankitkv/TD-VAE);
    ``bernoulli`` only. It says how grey a picture is, not how new."""

    segment: Annotated[int, Search(choices=(8, 16, 32))] = Field(default=16, gt=1)
    """Steps of each piece of an episode that is learnt from, the belief empty before it."""

    segments_per_batch: Annotated[int, Search(choices=(4, 16, 32))] = Field(default=32, gt=0)
    """Pieces in each minibatch."""

    bonus_normalisation: Scale = "return_std"

    gradient_clip: GradientClip = "value"

    gradient_bound: GradientBound = 10.0

    learning_rate: LearningRate = 5e-4

    epochs: Epochs = 4


class E2CConfig(MinibatchConfig):
    """Embed to control: how far a locally linear model's prediction was from the next state's code is the bonus."""

    frames: Frames = "newest"

    observation_normalisation: ObservationNormalisation = "auto"

    latent_dim: LatentDim = 2

    encoder_hidden: Hidden = (150, 150, 150)

    transition_hidden: Hidden = (100, 100)

    decoder_hidden: Hidden = (200, 200)

    likelihood: Literal["auto", "bernoulli", "half_squared"] = "auto"
    """What a wrong reconstruction costs each number; ``auto``: ``bernoulli`` where all are in [0, 1], else half the squared
    error."""

    transition_weight: Annotated[Weight, Search(low=0.05, high=2.0, log=True)] = 0.25
    """lambda: weight of the divergence between the predicted and the inferred distribution of the next code."""

    bonus: Annotated[Literal["divergence", "prediction"], Search(choices=("divergence", "prediction"))] = "divergence"
    """``divergence``: that divergence itself; ``prediction``: what the next state's reconstruction from the predicted code
    costs."""

    bonus_normalisation: Scale = "return_std"

    adam_beta1: Probability = 0.1
    """Decay of Adam's running mean of gradients."""

    adam_beta2: Probability = 0.1
    """Decay of Adam's running mean of squared gradients."""
