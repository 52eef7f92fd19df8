"""EnvPool's batches as `harness.environments.base.HarnessVecEnv`: what every family that EnvPool steps has in common.

A family chooses an `EnvPoolTask`, how its observations become arrays (`Images`, `Vectors`, `FlattenedDict`) and how actions
reach it (`discrete_converter`, `scaled_converter`), and hands them to `EnvPoolVecEnv`. This package knows EnvPool's interface
and none of its environments.
"""

from __future__ import annotations

from harness.environments.envpool.actions import ActionConverter, discrete_converter, scaled_converter
from harness.environments.envpool.adapter import EnvPoolVecEnv
from harness.environments.envpool.batches import StepResult
from harness.environments.envpool.goals import SuccessRewards
from harness.environments.envpool.observations import FlattenedDict, Images, ObservationConverter, Vectors
from harness.environments.envpool.pool import EnvPoolTask, Pool

__all__ = [
    "ActionConverter",
    "EnvPoolTask",
    "EnvPoolVecEnv",
    "FlattenedDict",
    "Images",
    "ObservationConverter",
    "Pool",
    "StepResult",
    "SuccessRewards",
    "Vectors",
    "discrete_converter",
    "scaled_converter",
]
