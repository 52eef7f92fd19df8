"""How a rollout is cut into minibatches, and what is logged of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

MinibatchOrder = Literal["time", "shuffled", "environment"]


def minibatches(
    env_index: Tensor,
    parts: int,
    order: MinibatchOrder,
    *,
    epochs: int = 1,
    min_size: int = 1,
    random: torch.Generator | None = None,
) -> Iterator[Tensor]:
    """Indices of each minibatch, int64 on the device of ``env_index``; every pass visits each transition once.

    Args:
        env_index: The environment of every transition of the rollout, in order of time.
        parts: Minibatches of each pass, equal up to one transition; fewer if they would become too small.
        order: What is cut: the rollout as it is (``time``), a permutation drawn anew for each pass (``shuffled``), or one
            environment's steps after another's (``environment``).
        epochs: Number of passes over the rollout.
        min_size: Transitions that a minibatch must have.
        random: Draws the permutations.
    """
    n, device = len(env_index), env_index.device
    parts = max(1, min(parts, n // min_size))
    for _ in range(epochs):
        if order == "shuffled":
            where = random.device if random is not None else "cpu"
            indices = torch.randperm(n, generator=random, device=where).to(device)
        else:
            indices = env_index.argsort(stable=True) if order == "environment" else torch.arange(n, device=device)
        yield from indices.tensor_split(parts)


def mean_losses(losses: Sequence[Mapping[str, Tensor]]) -> dict[str, float]:
    """What is logged of an update: the mean of each scalar over minibatches, fetched from the device once.

    Args:
        losses: Detached scalars by name, the same names for every minibatch.

    Returns:
        The means by name; nothing where there was no minibatch.
    """
    if not losses:
        return {}
    means = torch.stack([torch.stack(list(loss.values())) for loss in losses]).mean(0).cpu()
    return {name: float(means[place]) for place, name in enumerate(losses[0])}
