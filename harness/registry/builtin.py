"""What the harness provides itself, registered through the hooks that strangers use."""

from __future__ import annotations

from collections.abc import Sequence

from harness.registry.hooks import Algorithm, EnvironmentFamily, Executor, Network, ReportSection, Tracker, hookimpl


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
            executor="harness.execution.local:LocalExecutor",
            summary="Processes on this machine, one run per core at a time.",
        )
    ]


@hookimpl
def harness_trackers() -> Sequence[Tracker]:
    return [
        Tracker(
            name="tensorboard",
            tracker="harness.training.tensorboard:TensorBoardTracker",
            summary="Events for TensorBoard in each run's folder; always on.",
            inline=True,
        )
    ]


@hookimpl
def harness_report_sections() -> Sequence[ReportSection]:
    modules = "harness.report.sections"
    return [
        ReportSection(name="overview", build=f"{modules}.overview:build", order=100, summary="Findings and warnings."),
        ReportSection(name="changes", build=f"{modules}.changes:build", order=150, summary="What changed between folders."),
        ReportSection(name="aggregates", build=f"{modules}.aggregates:build", order=200, summary="Aggregate scores."),
        ReportSection(name="improvement", build=f"{modules}.improvement:build", order=300, summary="Method against baseline."),
        ReportSection(name="comparisons", build=f"{modules}.comparisons:build", order=350, summary="All against each other."),
        ReportSection(name="profiles", build=f"{modules}.profiles:build", order=400, summary="Performance profiles."),
        ReportSection(name="efficiency", build=f"{modules}.efficiency:build", order=500, summary="Sample efficiency."),
        ReportSection(name="learning", build=f"{modules}.learning:build", order=550, summary="Learning speed in numbers."),
        ReportSection(name="tasks", build=f"{modules}.tasks:build", order=600, summary="Scores and curves of each task."),
        ReportSection(name="measurements", build=f"{modules}.measurements:build", order=700, summary="Beside the return."),
        ReportSection(name="exploration", build=f"{modules}.exploration:build", order=710, summary="Measurements as curves."),
        ReportSection(name="visits", build=f"{modules}.visits:build", order=720, summary="Maps of where methods went."),
        ReportSection(name="bonus", build=f"{modules}.bonus:build", order=730, summary="Bonuses over training."),
        ReportSection(name="costs", build=f"{modules}.costs:build", order=760, summary="Time, memory and energy."),
        ReportSection(name="published", build=f"{modules}.published:build", order=800, summary="Published numbers."),
        ReportSection(name="films", build=f"{modules}.films:build", order=850, summary="Strips of pictures of episodes."),
        ReportSection(name="runs", build=f"{modules}.runs:build", order=900, summary="How the runs stand."),
        ReportSection(name="methods", build=f"{modules}.methods:build", order=1000, summary="Every setting of each method."),
        ReportSection(name="normalisation", build=f"{modules}.normalisation:build", order=1100, summary="Constants of tasks."),
        ReportSection(name="provenance", build=f"{modules}.provenance:build", order=1200, summary="Versions and machines."),
        *(
            ReportSection(name=name, build=f"{modules}.{name}:build", scope="study", order=order, summary=summary)
            for name, order, summary in (
                ("study_overview", 100, "What was searched and what came of it."),
                ("study_confirmation", 200, "The best trials on fresh seeds."),
                ("study_trials", 300, "Every trial."),
                ("study_search", 400, "Optuna's own figures."),
            )
        ),
        ReportSection(
            name="skipped", build=f"{modules}.skipped:build", scope="report", order=100, summary="Unreadable files."
        ),
        ReportSection(
            name="definitions", build=f"{modules}.definitions:build", scope="report", order=200, summary="Formulas."
        ),
    ]
