"""Where in Weights & Biases runs are followed; the key is never among the settings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness import TrackerConfig

Label = Annotated[str, Field(min_length=1, max_length=128)]


class WandbConfig(TrackerConfig):
    """Where in Weights & Biases runs are followed. The key comes from ``wandb login`` or ``WANDB_API_KEY``."""

    project: Label | None = None
    """Name of the project; null for what ``WANDB_PROJECT`` says, or else for the suite's name."""

    entity: Label | None = None
    """The user or team; null for what ``WANDB_ENTITY`` says, or else for the key's default."""

    mode: Literal["online", "offline"] | None = None
    """``offline`` keeps everything in the run's folder, for ``wandb sync`` to send later. Null for what ``WANDB_MODE`` says,
    or else ``online``."""

    tags: tuple[Label, ...] = ()
    """Tags of every run."""
