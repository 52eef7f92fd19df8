"""Settings of the methods that count visits: counts, and NovelD.

With n(s) the visits of a state, the present one included, and e(s) = |g(s) - f(s)| the error of a predictor g of a frozen
random network f:

    counts   1 / sqrt(n(s')), with n of all training, of the present episode, or the product of both bonuses
    noveld   max(e(s') - alpha e(s), 0) where s' is visited for the first time in its episode, else 0
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.config import Search
from harness_episodic.configs.base import EpisodicConfig, LearnedConfig, Memory, Normalisation

Code = Annotated[
    Literal["bytes", "bins", "simhash"],
    Field(
        description="What makes two states one. ``bytes``: being equal. ``bins``: falling into the same bin in every number. "
        "``simhash``: the same signs of ``bits`` random projections. For the latter two images are averaged down to "
        "``image_side`` pixels a side and scaled to [0, 1]."
    ),
    Search(choices=("bytes", "bins", "simhash")),
]
BinWidth = Annotated[
    float,
    Field(gt=0, description="Width of a bin, in units of what is observed."),
    Search(low=1e-2, high=1.0, log=True, when=("code", "bins")),
]
Bits = Annotated[
    int,
    Field(gt=0, description="k, bits of a SimHash. More bits tell more states apart and generalise less."),
    Search(choices=(16, 32, 64, 128, 256), when=("code", "simhash")),
]
ImageSide = Annotated[int, Field(gt=0, description="Pixels a side to which images are averaged down, unless they have fewer.")]


class CountsConfig(EpisodicConfig):
    """Counts: the inverse root of how often a state was visited is the bonus."""

    scope: Annotated[Literal["episode", "lifetime", "product"], Search(choices=("episode", "lifetime", "product"))] = "episode"
    """Visits that count: those of the present ``episode``, those of all environments in all training (``lifetime``), or the
    ``product`` of both bonuses."""

    code: Code = "bytes"

    bin_width: BinWidth = 0.1

    bits: Bits = 32

    image_side: ImageSide = 52

    memory: Memory = None


class NovelDConfig(LearnedConfig):
    """NovelD: what the error in predicting a random network grows by, on first visits in an episode only, is the bonus."""

    alpha: Annotated[float, Search(low=0.0, high=1.0)] = Field(default=0.5, ge=0)
    """Share of the error at the start of a transition that is subtracted from the error at its end."""

    predictor_layers: Annotated[int, Search(choices=(0, 1, 2))] = Field(default=2, ge=0)
    """Layers of ``feature_dim`` units that the predictor has and the target has not, ReLU before each."""

    loss: Literal["norm", "mean"] = "norm"
    """What the predictor minimises: the Euclidean norm of the difference of features (as coded), or its mean square."""

    loss_scale: float = Field(default=1.0, gt=0)
    """Factor on the mean loss. The authors' code sums over the steps of an unroll, which is 100 times the mean; Adam divides
    it out, ``max_grad_norm`` does not."""

    code: Code = "bytes"

    bin_width: BinWidth = 0.1

    bits: Bits = 32

    image_side: ImageSide = 52

    memory: Memory = None

    bonus_normalisation: Normalisation = "none"
