"""Every knob of Proto-RL.

Yarats, Fergus, Lazaric and Pinto 2021 (arXiv 2102.11271). With z(s) the normalised projection of an encoded state, c_1 .. c_K
the normalised prototypes, u(s) the normalised prediction from a projection, and T the temperature:

    bonus           distance from z(s') to its k-th nearest neighbour in a queue of candidates, which were drawn for each
                    prototype from earlier batches with probabilities softmax_b(c_k . z(s'_b))
    representation  L = -mean_b sum_k q_bk log softmax_k(c_k . u(s_b) / T),  q = Sinkhorn of the scores of the average
                    network's projections of s'_b

The defaults are the preset ``yarats2021``. What differs from the authors' code even then is listed in this package's README.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from harness.config import IntrinsicRewardConfig, Search


class ProtoRLConfig(IntrinsicRewardConfig):
    """Proto-RL: the distance to states that prototypes have picked, in a representation that learns beside them."""

    # Networks ---------------------------------------------------------------------------------------------------------
    encoder: Literal["auto", "conv", "mlp", "identity"] = "auto"
    """``conv``: four convolutions, for images. ``identity``: vectors as they are (URLB's states). ``mlp``: ``hidden`` layers,
    for vectors. ``auto``: ``conv`` for images, ``identity`` for vectors. Actor and critics see what it gives."""

    channels: Annotated[int, Search(choices=(16, 32, 64))] = Field(default=32, gt=0)
    """Output channels of each convolution."""

    hidden: tuple[Annotated[int, Field(gt=0)], ...] = Field(default=(256, 256), min_length=1)
    """Units of each layer of the ``mlp``, ReLU after each."""

    projection_dim: Annotated[int, Search(choices=(32, 64, 128, 256))] = Field(default=128, gt=0)
    """Numbers of a projection, in which prototypes and neighbours live."""

    predictor_hidden: Annotated[int, Search(choices=(128, 256, 512, 1024))] = Field(default=512, gt=0)
    """Units of the predictor's hidden layer."""

    # Representation ---------------------------------------------------------------------------------------------------
    prototypes: Annotated[int, Search(choices=(64, 128, 256, 512))] = Field(default=512, gt=0)
    """K; also the number of candidates that join the queue for each batch."""

    temperature: Annotated[float, Search(low=0.03, high=1.0, log=True)] = Field(default=0.1, gt=0)
    """T, of predicted and of target assignments; draws of candidates are made without."""

    sinkhorn_iterations: Annotated[int, Search(low=1, high=10)] = Field(default=3, gt=0)
    """Rounds in which target assignments are balanced over prototypes."""

    target_rate: Annotated[float, Search(low=0.005, high=0.2, log=True)] = Field(default=0.05, gt=0, le=1)
    """Share of the way that the average encoder and projector move to the present ones in each update."""

    update_every: Annotated[int, Search(choices=(1, 2, 4))] = Field(default=2, gt=0)
    """Gradient steps of the learner for one update of representation, prototypes and averages."""

    learning_rate: Annotated[float, Search(low=1e-5, high=1e-3, log=True)] = Field(default=1e-4, gt=0)
    """Adam's step size."""

    adam_epsilon: float = Field(default=1e-8, gt=0)
    """Adam's epsilon."""

    shift: Annotated[int, Search(low=0, high=8)] = Field(default=4, ge=0)
    """Pixels by which sampled images are moved at random, at most, their border repeated; 0 for not at all."""

    # Bonus ------------------------------------------------------------------------------------------------------------
    neighbours: Annotated[int, Search(low=1, high=16)] = Field(default=3, gt=0)
    """k: the bonus is the distance to the k-th nearest candidate."""

    queue_size: Annotated[int, Search(choices=(512, 1024, 2048, 4096))] = Field(default=2048, gt=0)
    """Candidates that are remembered, the newest; those not there yet are zero vectors, at distance 1 from everything."""

    @property
    def required_observations(self) -> tuple[Literal["images", "vectors"], str] | None:
        """Every encoder but ``auto`` is for one kind of observations."""
        return None if self.encoder == "auto" else ("images" if self.encoder == "conv" else "vectors", "encoder")

    @model_validator(mode="after")
    def _enough_neighbours(self) -> Self:
        if self.neighbours > self.queue_size:
            raise ValueError(f"neighbours = {self.neighbours} are more than the queue has, queue_size = {self.queue_size}")
        return self
