"""Running moments, and the normaliser that divides a bonus by the running deviation of its discounted return."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class RunningMoments(nn.Module):
    """Mean and variance of everything seen so far, merged batch by batch (Chan et al. 1979) in float64.

    Args:
        shape: Of one sample; moments are kept per element.
        epsilon: Weight of the prior N(0, 1), the ``count`` that OpenAI's ``RunningMeanStd`` starts with.
    """

    mean: Tensor
    var: Tensor
    count: Tensor

    def __init__(self, shape: Sequence[int] = (), epsilon: float = 1e-4) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(*shape, dtype=torch.float64))
        self.register_buffer("var", torch.ones(*shape, dtype=torch.float64))
        self.register_buffer("count", torch.tensor(epsilon, dtype=torch.float64))

    @torch.no_grad()
    def update(self, batch: Tensor) -> None:
        """Merge a batch of shape ``(B, *shape)``; population variance, as in the reference code."""
        n = batch.shape[0]
        if n == 0:
            return
        batch = batch.to(torch.float64)
        mean, var = batch.mean(0), batch.var(0, unbiased=False)
        delta, total = mean - self.mean, self.count + n
        self.var.copy_((self.var * self.count + var * n + delta.square() * self.count * n / total) / total)
        self.mean.add_(delta * n / total)
        self.count.copy_(total)

    @property
    def std(self) -> Tensor:
        """Running standard deviation, float64, of shape ``shape``."""
        return self.var.sqrt()


class ReturnNormaliser(nn.Module):
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
    def normalise_rollout(self, bonuses: Tensor) -> Tensor:
        """Normalise the bonuses of a whole rollout, float32 ``(T, N)``, by statistics that already include it."""
        sums = torch.empty_like(bonuses, dtype=torch.float64)
        for step, bonus in enumerate(bonuses.to(torch.float64)):
            self.filtered.mul_(self.gamma).add_(bonus)
            sums[step] = self.filtered
        self.moments.update(sums.flatten())
        return self.scale(bonuses)

    def normalise_step(self, bonus: Tensor) -> Tensor:
        """Normalise the bonuses of one step, float32 ``(N,)``, by the statistics up to and including it."""
        return self.normalise_rollout(bonus.unsqueeze(0)).squeeze(0)

    def scale(self, bonuses: Tensor) -> Tensor:
        """Divide by the present deviation without learning from ``bonuses``."""
        return (bonuses / self.moments.std).to(bonuses.dtype)
