"""What all methods of this package have in common: what they look at, how they learn, and how a bonus is scaled."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.config import BonusNormalisation, IntrinsicRewardConfig, Search

Positive = Annotated[int, Field(gt=0)]
Widths = tuple[Positive, ...]
Weight = Annotated[float, Field(ge=0)]

# Fields whose default differs from method to method: bounds, search range and meaning, once -----------------------------
Frames = Annotated[
    Literal["newest", "all"],
    Field(description="Frames of a stack that the networks see: the ``newest`` alone, or ``all``; no effect on vectors."),
]
ObservationNormalisation = Annotated[
    Literal["none", "random_play", "standardise", "auto"],
    Field(
        description="``none``: x, images of bytes scaled to [0, 1]. ``random_play``: (x - mean) / deviation of the warm-up "
        "steps, the "
        "deviation one number, the mean over pixels. ``standardise``: (x - mean) / deviation of each element, clipped, of all "
        "states so far. ``auto``: ``none`` for images and for numbers in [0, 1], ``standardise`` for others."
    ),
]
WarmUpSteps = Annotated[
    int, Field(ge=0, description="Random steps in each environment that the statistics of observations see before training.")
]
LearningRate = Annotated[float, Field(gt=0, description="Adam's step size."), Search(low=1e-5, high=1e-2, log=True)]
GradientClip = Annotated[
    Literal["none", "norm", "value"],
    Field(description="Whether ``gradient_bound`` bounds the norm of all gradients together or every entry."),
]
GradientBound = Annotated[float, Field(gt=0, description="Largest norm or absolute value of gradients.")]
Epochs = Annotated[int, Field(gt=0, description="Passes over each rollout."), Search(low=1, high=8, learner="on_policy")]
Minibatches = Annotated[
    int,
    Field(gt=0, description="Equal parts into which each pass is cut."),
    Search(choices=(1, 4, 8, 16, 32), learner="on_policy"),
]
MinibatchOrder = Annotated[
    Literal["time", "shuffled", "environment"],
    Field(
        description="What is cut: the rollout in order of time, a permutation drawn anew for each pass, or one environment's "
        "steps after another's."
    ),
]
Eta = Annotated[
    float,
    Field(gt=0, description="Factor on the bonus; what divides by a running scale divides it out after the first rollouts."),
    Search(low=1e-3, high=10.0, log=True, when=("bonus_normalisation", "none")),
]
Scale = Annotated[
    BonusNormalisation,
    Field(
        description="What bonuses are divided by: ``return_std``, the running deviation of their discounted sum; "
        "``bonus_std``, "
        "their own; ``running_mean``, their mean; ``none``, nothing."
    ),
]
InitGain = Annotated[
    float,
    Field(gt=0, description="Gain of the orthogonal initialisation of every layer; biases start at zero."),
    Search(low=0.5, high=2.0),
]


class CuriosityConfig(IntrinsicRewardConfig):
    """What all methods of this package share."""

    # What is looked at ------------------------------------------------------------------------------------------------
    frames: Frames = "all"

    observation_normalisation: ObservationNormalisation = "none"

    observation_clip: float = Field(default=5.0, gt=0)
    """Largest absolute value of an observation that ``standardise`` gives."""

    warm_up_steps: WarmUpSteps = 0

    # Networks ---------------------------------------------------------------------------------------------------------
    init_gain: InitGain = 1.0

    # Bonus ------------------------------------------------------------------------------------------------------------
    eta: Eta = 1.0

    bonus_normalisation: Scale = "none"

    bonus_gamma: float = Field(default=0.99, ge=0, lt=1)
    """Discount of the sum whose deviation ``return_std`` divides by."""

    # Learning ---------------------------------------------------------------------------------------------------------
    learning_rate: LearningRate = 1e-4

    adam_epsilon: float = Field(default=1e-8, gt=0)
    """Adam's epsilon."""

    gradient_clip: GradientClip = "none"

    gradient_bound: GradientBound = 40.0

    epochs: Epochs = 1


class MinibatchConfig(CuriosityConfig):
    """What methods share that learn from transitions one by one."""

    minibatches: Minibatches = 8

    minibatch_order: MinibatchOrder = "shuffled"
