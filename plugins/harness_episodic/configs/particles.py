"""Settings of particle entropies: RE3 and APT.

With d_1 <= .. <= d_k the distances of an embedded state to the nearest of a bank, itself at 0 among them:

    x_i = max(d_i / scale - clip, 0);  bonus = x_k or mean_i x_i, or log(1 + that)
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.config import Search
from harness_episodic.configs.base import BonusOn, EmbeddingConfig, FeatureDim, LearnedConfig, Positive

Neighbours = Annotated[
    int,
    Field(gt=0, description="k, the nearest rows of the bank that are looked at, the state itself included if it is there."),
    Search(low=1, high=32),
]
Average = Annotated[
    Literal["kth", "mean", "mean_of_logs"],
    Field(
        description="What becomes of k distances: the largest, their mean, or the mean of their log(1 + d), which takes the "
        "place of ``log``."
    ),
]
Log = Annotated[bool, Field(description="Whether the bonus is log(1 + x) instead of x.")]
DistanceScale = Annotated[
    Literal["none", "std", "mean"],
    Field(
        description="What distances are divided by before anything else: nothing, or the running deviation or mean of all "
        "that were looked at, this batch included."
    ),
]
DistanceClip = Annotated[
    float | None,
    Field(ge=0, description="Subtracted from every scaled distance, what is below 0 being 0; null for nothing."),
]


class RE3Config(EmbeddingConfig):
    """RE3: the distance to near neighbours among what a frozen random network made of past states is the bonus."""

    feature_dim: FeatureDim = 50

    layer_norm: bool = False
    """Whether features are normalised to mean 0 and deviation 1 and passed through tanh."""

    observation_normalisation: Literal["none", "standardise"] = "none"
    """``standardise``: (x - mean) / deviation of each number, clipped at 5, by statistics of all rollouts before."""

    bonus_on: BonusOn = "next_obs"

    neighbours: Neighbours = 4

    average: Average = "kth"

    log: Log = False

    distance_scale: DistanceScale = "std"

    bank_size: Annotated[int, Search(choices=(1_000, 8_000, 20_000, 100_000))] = Field(default=20_000, gt=0)
    """Features of the newest states that are remembered, of all environments together."""


class APTConfig(EmbeddingConfig):
    """APT: the distance to near neighbours in the same batch is the bonus, an estimate of the entropy of states."""

    feature_dim: FeatureDim = 512

    representation: Literal["observations", "random"] = "observations"
    """Space of the distances: the ``observations`` themselves, or ``feature_dim`` numbers of a frozen ``random`` network."""

    bonus_on: BonusOn = "next_obs"

    neighbours: Neighbours = 12

    average: Average = "mean"

    log: Log = True

    distance_scale: DistanceScale = "mean"

    distance_clip: DistanceClip = 1e-4

    bank_size: int = Field(default=0, ge=0)
    """Embedded states of the newest batches among which neighbours are sought; 0 for the batch itself. On-policy a batch is
    one step of every environment: neighbours of few environments need a bank of some thousands."""


class ICMAPTConfig(LearnedConfig):
    """ICM-APT: APT in a space that inverse and forward dynamics learn."""

    hidden: tuple[Positive, ...] = ()
    """Units of each hidden layer before the linear layer of the ``mlp``, ReLU after each; none in URLB."""

    feature_dim: FeatureDim = 512

    hidden_dim: Annotated[int, Search(choices=(128, 256, 512, 1024))] = Field(default=1024, gt=0)
    """Units of the hidden layer of inverse and forward model, ReLU after it."""

    inverse_weight: float = Field(default=1.0, ge=0)
    """Factor on the inverse model's loss; the forward model's has 1."""

    bonus_on: BonusOn = "obs"

    neighbours: Neighbours = 12

    average: Average = "mean"

    log: Log = True

    distance_scale: DistanceScale = "none"

    distance_clip: DistanceClip = 0.0

    bank_size: int = Field(default=0, ge=0)
    """Embedded states of the newest batches among which neighbours are sought, as they were embedded then; 0 for the batch
    itself. On-policy a batch is one step of every environment: few environments need a bank of some thousands."""
