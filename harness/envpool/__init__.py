"""EnvPool's batches as `harness.environments.HarnessVecEnv`: what every family that EnvPool steps has in common.

A family chooses an `EnvPoolTask`, how its observations become arrays (`Images`, `Vectors`, `Parts`) and how actions reach it
(`discrete`, `scaled`), and hands them to `EnvPoolVecEnv`. This package knows EnvPool's interface and none of its environments.
"""

from __future__ import annotations

from harness.envpool.actions import Actions, discrete, scaled
from harness.envpool.adapter import EnvPoolVecEnv
from harness.envpool.batches import Batch
from harness.envpool.goals import SuccessRewards
from harness.envpool.observations import Images, Observations, Parts, Vectors
from harness.envpool.pool import EnvPoolTask, Pool

__all__ = [
    "Actions",
    "Batch",
    "EnvPoolTask",
    "EnvPoolVecEnv",
    "Images",
    "Observations",
    "Parts",
    "Pool",
    "SuccessRewards",
    "Vectors",
    "discrete",
    "scaled",
]
