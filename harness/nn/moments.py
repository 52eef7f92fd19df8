"""Running moments of two kinds, and the normaliser that divides a bonus by the deviation of its discounted return."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Literal, TypeVar, cast

import torch
from torch import Tensor, nn

_N = TypeVar("_N", float, Tensor)

_CHUNK = 2**20
"""Elements that are merged at once: the float64 copy of a whole rollout of images would not fit into any cache."""

_LONGEST_HORIZON = 100_000
"""Steps over which growing sums are followed at most."""


class RunningMoments(nn.Module):
    """Mean and variance of everything seen so far, merged batch by batch (Chan et al. 1979) in float64.

    Args:
        shape: Shape of one sample; moments are kept per element.
        epsilon: Weight of the prior N(0, 1), the ``count`` that OpenAI's ``RunningMeanStd`` starts with.
    """

    mean: Tensor
    var: Tensor
    count: Tensor

    def __init__(self, shape: Sequence[int] = (), epsilon: float = 1e-4) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(tuple(shape), dtype=torch.float64))
        self.register_buffer("var", torch.ones(tuple(shape), dtype=torch.float64))
        self.register_buffer("count", torch.tensor(epsilon, dtype=torch.float64))

    @torch.no_grad()
    def update(self, batch: Tensor) -> None:
        """Merge a batch of shape ``(B, *shape)``; population variance, as in the reference code."""
        if not len(batch):
            return
        chunks = cast(Sequence[Tensor], batch.split(max(1, _CHUNK // max(1, self.mean.numel()))))
        for chunk in chunks:
            samples = chunk.to(torch.float64, copy=True)
            mean = samples.mean(0)
            self.merge(mean, samples.sub_(mean).square_().mean(0), len(chunk))

    @torch.no_grad()
    def merge(self, mean: Tensor, var: Tensor, count: float) -> None:
        """Merge the moments of ``count`` further samples, given as mean and population variance of shape ``shape``."""
        buffers = self.mean, self.var, self.count
        if self.mean.ndim or not self.mean.is_cpu:
            merged = _merged(*buffers, mean, var, count)
            for buffer, value in zip(buffers, merged, strict=True):
                buffer.copy_(value)
        else:  # at every step of a run: floats of Python have the same bits as tensors of one number, and cost far less
            mine, theirs = tuple(map(float, buffers)), (float(mean), float(var))
            numbers = _merged(mine[0], mine[1], mine[2], *theirs, count)
            for buffer, number in zip(buffers, numbers, strict=True):
                buffer.fill_(number)

    @property
    def std(self) -> Tensor:
        """Running standard deviation, float64, of shape ``shape``."""
        return self.var.sqrt()


def _merged(mean: _N, var: _N, count: _N, other_mean: _N, other_var: _N, other: float) -> tuple[_N, _N, _N]:
    """Mean, population variance and count of two sets of samples together (Chan et al. 1979)."""
    delta, total = other_mean - mean, count + other
    var = (var * count + other_var * other + delta * delta * count * other / total) / total
    return mean + delta * other / total, var, total


class CumulativeMoments(nn.Module):
    """The running statistics of the SND repository (``utils/RunningAverage.py``): every batch counts once, whatever its size.

    With ``n`` the number of batches so far plus one, each batch moves the mean by ``mean_b(x - mean) / n`` and adds
    ``mean_b((x - old mean) (x - new mean))`` to an accumulator that starts at 0.01; the deviation is
    ``sqrt(accumulator / n) + 1e-7``. The zero that the mean starts from therefore weighs as much as one batch.

    Args:
        shape: Shape of one sample; moments are kept per element.
    """

    mean: Tensor
    accumulator: Tensor
    count: Tensor

    def __init__(self, shape: Sequence[int] = ()) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(tuple(shape), dtype=torch.float64))
        self.register_buffer("accumulator", torch.full(tuple(shape), 0.01, dtype=torch.float64))
        self.register_buffer("count", torch.tensor(1, dtype=torch.int64))

    @torch.no_grad()
    def update(self, batch: Tensor) -> None:
        """Count a batch of shape ``(B, *shape)``."""
        if not len(batch):
            return
        self.count.add_(1)
        before = batch.to(torch.float64) - self.mean
        step = before.mean(0) / self.count
        self.mean.add_(step)
        self.accumulator.add_((before - step).mul_(before).mean(0))

    @property
    def std(self) -> Tensor:
        """Running standard deviation, float64, of shape ``shape``."""
        return (self.accumulator / self.count).sqrt() + 1e-7


def _growing_sums(gamma: float) -> Tensor:
    """The discounted sum of ones after 0, 1, ... steps, up to ``1 / (1 - gamma)`` of them, float64 ``(steps + 1,)``."""
    steps = min(_LONGEST_HORIZON, round(1 / (1 - gamma)))
    discounts = torch.full((steps,), gamma, dtype=torch.float64).pow(torch.arange(steps))
    return torch.cat([discounts.new_zeros(1), discounts.cumsum(0)])


class BonusNormaliser(nn.Module):
    """Brings bonuses to a scale by what it has seen of them; what a method has for its ``normaliser``."""

    @abstractmethod
    def normalise_rollout(self, bonuses: Tensor) -> Tensor:
        """Normalise the bonuses of a whole rollout, float32 ``(T, N)``, by statistics that already include it."""

    @abstractmethod
    def normalise_step(self, bonus: Tensor, *, start: Literal["horizon", "prior"] = "prior") -> Tensor:
        """Normalise the bonuses of one step, float32 ``(N,)``, by the statistics up to and including it.

        Args:
            bonus: Bonuses of the N environments, float32 ``(N,)``.
            start: How the first step that has any bonus counts. ``prior``: like every other, by N numbers that may all be
                equal, so that next to no deviation is left to divide by. ``horizon``: as if its bonuses had grown to their
                size from nothing, with the weight of one step.
        """

    @abstractmethod
    def scale(self, bonuses: Tensor) -> Tensor:
        """Bring bonuses to the present scale without learning from them."""

    @abstractmethod
    def metrics(self) -> dict[str, float]:
        """What bonuses are divided by now, for the log."""


class ReturnNormaliser(BonusNormaliser):
    """Divides bonuses by the running standard deviation of their discounted sum (Burda et al. 2018, section 2.4).

    The sum runs over time, one per environment: ``F_i <- gamma * F_i + bonus_i``; it is never reset, neither at the end
    of an episode nor of a rollout. The moments are over all F of all environments; the mean is not subtracted.

    Args:
        n_envs: N, the number of environments.
        gamma: Discount of the sum, that of the intrinsic return.
    """

    filtered: Tensor

    def __init__(self, n_envs: int, gamma: float) -> None:
        super().__init__()
        self.gamma = gamma
        self.moments = RunningMoments()
        self.register_buffer("filtered", torch.zeros(n_envs, dtype=torch.float64))

    @torch.no_grad()
    def discounted_sums(self, bonuses: Tensor) -> Tensor:
        """Continue the discounted sums over the bonuses of a rollout, ``(T, N)``; every sum on the way, float64 ``(T, N)``."""
        sums = torch.empty_like(bonuses, dtype=torch.float64)
        for step, bonus in enumerate(bonuses.to(torch.float64)):
            sums[step] = self.filtered.mul_(self.gamma).add_(bonus)
        return sums

    @torch.no_grad()
    def normalise_rollout(self, bonuses: Tensor) -> Tensor:
        """Normalise the bonuses of a whole rollout, float32 ``(T, N)``, by statistics that already include it."""
        self.moments.update(self.discounted_sums(bonuses).flatten())
        return self.scale(bonuses)

    @torch.no_grad()
    def normalise_step(self, bonus: Tensor, *, start: Literal["horizon", "prior"] = "prior") -> Tensor:
        """Normalise the bonuses of one step, float32 ``(N,)``, by the statistics up to and including it.

        Args:
            bonus: Bonuses of the N environments, float32 ``(N,)``.
            start: How the first step that has any bonus counts. ``prior``: like every other, by N sums that may all be equal,
                so that next to no deviation is left to divide by. ``horizon``: as if its bonuses had been earned again and
                again while the sums grow from 0, for ``1 / (1 - gamma)`` steps, with the weight of one step.
        """
        if start == "prior" or self._has_begun:
            return self.normalise_rollout(bonus.unsqueeze(0)).squeeze(0)
        if bonus.any():
            sums = _growing_sums(self.gamma).to(bonus.device).outer(self.discounted_sums(bonus.unsqueeze(0))[0])
            self.moments.merge(sums.mean(), sums.var(correction=0), len(bonus))
        return self.scale(bonus)

    @property
    def _has_begun(self) -> bool:
        """Whether any step was counted; the prior alone weighs less than one sample."""
        return float(self.moments.count) >= 1

    def scale(self, bonuses: Tensor) -> Tensor:
        """Divide by the present deviation without learning from ``bonuses``."""
        return (bonuses / self.moments.std).to(bonuses.dtype)

    def metrics(self) -> dict[str, float]:
        """``return_std``, the deviation of the sums."""
        return {"return_std": float(self.moments.std)}
