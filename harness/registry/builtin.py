"""What the harness provides itself, registered through the hooks that strangers use."""

from __future__ import annotations

from collections.abc import Sequence

from harness.registry.hooks import Algorithm, EnvironmentFamily, Executor, Network, hookimpl


@hookimpl
def harness_algorithms() -> Sequence[Algorithm]:
    return [
        Algorithm(
            name="ppo",
            learner="harness.algorithms.ppo.learner:PPOLearner",
            config="harness.algorithms.ppo.config:PPOConfig",
            summary="Proximal policy optimisation of Stable-Baselines3, with a second value head for the bonus.",
            paper="Schulman et al. 2017, arXiv 1707.06347",
        ),
        Algorithm(
            name="sac",
            learner="harness.algorithms.sac.learner:SACLearner",
            config="harness.algorithms.sac.config:SACConfig",
            summary="Soft actor-critic of Stable-Baselines3; bonuses are recomputed for every sampled batch and added"
            " (a preset's two_critics becomes sum, its weights divided by the extrinsic one).",
            paper="Haarnoja et al. 2018, arXiv 1812.05905",
        ),
    ]


@hookimpl
def harness_environments() -> Sequence[EnvironmentFamily]:
    return [
        EnvironmentFamily(
            name="gymnasium",
            make="harness.environments.gymnasium.family:make",
            config="harness.environments.gymnasium.config:GymnasiumConfig",
            summary="Any environment that is registered with Gymnasium, by its id; one after the other, or in processes.",
            source="Towers et al. 2024, arXiv 2407.17032",
            requires="for many of them a package of their own, whose module is named under 'import'",
            example={"id": "CartPole-v1"},
        )
    ]


@hookimpl
def harness_networks() -> Sequence[Network]:
    return [
        Network(
            name="sb3",
            build="",
            summary="Stable-Baselines3's own: NatureCNN for images, two tanh layers of 64 units otherwise.",
            paper="Mnih et al. 2015, doi 10.1038/nature14236; Raffin et al. 2021, JMLR 22(268)",
        )
    ]


@hookimpl
def harness_executors() -> Sequence[Executor]:
    return [
        Executor(
            name="local",
            execute="harness.execution.local:execute",
            summary="Processes on this machine, one run per core at a time.",
        )
    ]
