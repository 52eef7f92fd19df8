"""What this package gives the harness. Imported whenever the harness starts, so nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Sequence

from harness import Algorithm, Preset, hookimpl

HASSELT2016 = Preset(
    name="hasselt2016",
    source="van Hasselt et al. 2016, arXiv 1509.06461, appendix: DQN's own settings, for runs of 50 million steps;"
    " unchecked: written down without the paper at hand",
    config={
        "n_envs": 1,
        "buffer_size": 1_000_000,
        "learning_starts": 50_000,
        "learning_rate": 2.5e-4,
        "batch_size": 32,
        "train_freq": 4,
        "target_update_interval": 10_000,
        "exploration_fraction": 0.02,
        "exploration_final_eps": 0.1,
    },
)


@hookimpl
def harness_algorithms() -> Sequence[Algorithm]:
    """The algorithm ``double_dqn``."""
    return [
        Algorithm(
            name="double_dqn",
            learner="harness_double_dqn.learner:Learner",
            config="harness_double_dqn.config:DoubleDqnConfig",
            summary="Deep Q-networks whose trained network chooses the next action and whose target network values it.",
            paper="van Hasselt et al. 2016, arXiv 1509.06461",
            presets=(HASSELT2016,),
        )
    ]
