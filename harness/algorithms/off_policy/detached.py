"""What stands for relabelling environments in a saved model: environments are not saved with it."""

from __future__ import annotations

from typing import NoReturn

from harness.errors import UserError


class DetachedEnv:
    """Takes the place of a `RelabellingVecEnv` where Stable-Baselines3 saves a model or its replay buffer; scores nothing."""

    @property
    def reward(self) -> NoReturn:
        """The method, which is not there.

        Raises:
            UserError: Always; says how a loaded model gets environments again.
        """
        raise UserError(
            "the replay buffer of a loaded model has no environments yet: load the model with "
            "SAC.load(path, env=env, **harness.relabelled_replay(env)); after load_replay_buffer, set "
            "model.replay_buffer.bonus_env = env"
        )
