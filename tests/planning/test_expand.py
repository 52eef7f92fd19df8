"""From a suite to its runs."""

from __future__ import annotations

import pytest
import toy_plugin
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_plugin import toy_registry

from harness.errors import SuiteError
from harness.planning.expand import expand
from harness.registry import installed
from harness.spec import RunSpec
from harness.suites.model import Suite
from harness.suites.validation import SuiteErrors

REGISTRY = toy_registry()


def suite(**changes) -> Suite:
    return Suite.model_validate(
        {
            "suite": "toy",
            "environment": {"family": "maze"},
            "tasks": {"ring": {}},
            "algorithm": {"name": "duo"},
            "methods": {"none": {}},
            "seeds": 1,
            "steps": 1000,
            "evaluation": {"every": 100},
            **changes,
        }
    )


def run(**changes) -> RunSpec:
    return expand(suite(**changes), REGISTRY).runs[0]


def refusal(**changes) -> str:
    with pytest.raises(SuiteError) as caught:
        expand(suite(**changes), REGISTRY)
    assert str(caught.value).splitlines() == sorted(
        {str(error) for error in getattr(caught.value, "errors", [caught.value])}, key=str(caught.value).index
    )
    return str(caught.value)


def test_all_pairs_with_one_seed_come_before_any_with_the_next():
    wanted = suite(tasks={"ring": {}, "cross": {}}, methods={"b": {}, "a": {"reward": "novel"}}, seeds=[5, 2])
    runs = expand(wanted, REGISTRY).runs
    assert [(r.seed, r.task, r.method) for r in runs] == [
        (seed, task, method) for seed in (5, 2) for task in ("ring", "cross") for method in ("b", "a")
    ]


def test_a_run_holds_everything_and_travels_as_json():
    spec = run(methods={"m": {"reward": "novel"}}, tasks={"ring": {"normalise": {"low": 0, "high": 2}, "steps": 500}})
    assert RunSpec.model_validate_json(spec.model_dump_json()) == spec
    assert spec.model_dump(mode="json") == {
        "suite": "toy",
        "task": "ring",
        "method": "m",
        "seed": 0,
        "environment": {
            "family": "maze",
            "config": {
                "reward_transform": "none", "time_limit": "truncates", "map": "ring", "width": 5, "height": 5, "walls": {},
            },
        },
        "algorithm": {"name": "duo", "config": {"n_envs": 2, "threads": 1, "n_steps": 4, "rate": 0.1, "network": "flat"}},
        "reward": {
            "name": "novel",
            "config": {"scale": 2.0, "memory": 100, "layers": [8, 8]},
            "combine": {
                "mode": "two_critics", "extrinsic_weight": 1.0, "intrinsic_weight": 0.3, "intrinsic_gamma": 0.99,
                "episodic": False, "last_step": "bootstrap",
            },
        },
        "steps": 500,
        "evaluation": {"every": 100, "episodes": 10, "deterministic": False},
        "checkpoint_every": 100,
        "checkpoint_minutes": 10.0,
        "training_version": 2,
        "normalise": {"low": 0.0, "high": 2.0, "source": ""},
        "phases": [],
        "start": None,
        "pretraining": False,
    }  # fmt: skip


def test_checkpoints_follow_evaluations_unless_told():
    assert run(evaluation={"every": 70}).checkpoint_every == 70
    assert run(evaluation={"every": 70}, checkpoint={"every": 30}).checkpoint_every == 30


@pytest.mark.parametrize(
    ("checkpoint", "steps", "expected"),
    [
        ({}, 1000, 400),  # 20 times the clock's 20 steps; two environments
        ({}, 800, None),
        ({"replay_steps": "auto"}, 802, 400),
        ({"replay_steps": 30}, 1000, 30),
        ({"replay_steps": 500}, 1000, None),
        ({"replay_steps": None}, 1000, None),
    ],
)
def test_episodes_are_cut_at_twenty_limits_unless_told_and_never_in_runs_that_are_shorter(checkpoint, steps, expected):
    spec = run(checkpoint=checkpoint, steps=steps, environment={"family": "clock"})
    assert (spec.training_version, spec.replay_steps) == (2, expected)
    assert ("replay_steps" in spec.model_dump()) == (expected is not None)


def test_without_a_limit_episodes_are_never_cut_unless_told():
    assert run().replay_steps is None
    assert run(checkpoint={"replay_steps": 30}).replay_steps == 30


def test_when_a_run_is_saved_is_no_part_of_its_identity_where_it_changes_nothing():
    seldom, often = (run(checkpoint={"every": every}) for every in (10, 1000))
    assert (seldom.digest, seldom.method_digest) == (often.digest, often.method_digest)
    assert seldom.checkpoint_every != often.checkpoint_every
    assert run(checkpoint={"replay_steps": 30}).digest != run().digest


def test_environments_that_save_their_state_are_as_they_were():
    """Their runs of before there were versions go on, and are saved at the same steps."""
    spec = run(environment={"family": "clock", "saved": True}, checkpoint={"every": 10, "replay_steps": 30})
    assert (spec.training_version, spec.replay_steps) == (1, None)
    assert {"training_version", "replay_steps"}.isdisjoint(spec.model_dump())
    assert spec.digest != run(environment={"family": "clock", "saved": True}, checkpoint={"every": 20}).digest


# --------------------------------------------------------------------------------------------------------------------
# What a setting is
# --------------------------------------------------------------------------------------------------------------------
LAYERS = st.lists(
    st.fixed_dictionaries({}, optional={"width": st.integers(1, 9), "height": st.integers(1, 9)}), min_size=2, max_size=2
)


@settings(deadline=None)
@given(LAYERS)
def test_an_environment_setting_is_the_tasks_else_the_suites_else_the_default(layers):
    shared, own = layers
    config = run(environment={"family": "maze", **shared}, tasks={"ring": {"environment": own}}).environment.config
    for key in ("width", "height"):
        assert config[key] == own.get(key, shared.get(key, 5))


def test_nested_settings_merge():
    spec = run(environment={"family": "maze", "walls": {"a": 1, "b": 2}}, tasks={"ring": {"environment": {"walls": {"b": 3}}}})
    assert spec.environment.config["walls"] == {"a": 1, "b": 3}


def test_a_tasks_name_fills_the_field_that_its_family_names():
    assert run(tasks={"cross": {}}).environment.config["map"] == "cross"
    assert run(tasks={"any": {"environment": {"map": "ring"}}}).environment.config["map"] == "ring"
    assert run(tasks={"any": {}}, environment={"family": "maze", "map": "ring"}).environment.config["map"] == "ring"


def test_another_family_starts_from_its_own_defaults():
    tasks = {"ring": {}, "pull": {"environment": {"family": "bandit", "arms": 3}}}
    maze, bandit = expand(suite(environment={"family": "maze", "width": 7}, tasks=tasks), REGISTRY).runs
    assert (maze.environment.config["width"], bandit.environment.family) == (7, "bandit")
    assert bandit.environment.config == {"reward_transform": "none", "time_limit": "truncates", "arms": 3}


ALGORITHM = st.fixed_dictionaries(
    {},
    optional={"preset": st.sampled_from(["wide", "deep"]), "n_envs": st.integers(1, 5), "rate": st.sampled_from([0.2, 0.3])},
)
PRESETS = {None: {}, "wide": {"n_envs": 16}, "deep": {"n_steps": 32, "rate": 0.01}}


@settings(deadline=None)
@given(ALGORITHM, ALGORITHM)
def test_an_algorithm_setting_is_the_methods_else_the_suites_else_the_presets_else_the_default(shared, own):
    config = run(algorithm={"name": "duo", **shared}, methods={"m": {"algorithm": own}}).algorithm.config
    preset = PRESETS[own.get("preset", shared.get("preset"))]
    for key, default in (("n_envs", 2), ("n_steps", 4), ("rate", 0.1)):
        assert config[key] == own.get(key, shared.get(key, preset.get(key, default)))


def test_environments_at_a_time_are_the_suites_else_the_presets_else_the_familys():
    real, at_a_time = installed(), {"minigrid": 32, "crafter": 8}

    def n_envs(algorithm, methods=None, **tasks):
        changed = suite(algorithm=algorithm, tasks=tasks, methods=methods or {"none": {}})
        return {spec.algorithm.config["n_envs"] for spec in expand(changed, real).runs}

    grid, world = {"environment": {"family": "minigrid", "task": "DoorKey-8x8"}}, {"environment": {"family": "crafter"}}
    assert {family: real.environments[family].description.n_envs for family in at_a_time} == at_a_time
    ppo = {"name": "ppo", "n_steps": 8, "batch_size": 8}
    assert n_envs(ppo, a=grid) == {32}
    assert n_envs(ppo, a=grid, b=world) == {8}
    assert n_envs({**ppo, "n_envs": 3}, a=grid) == {3}
    assert n_envs(ppo, {"none": {"algorithm": {"n_envs": 5}}}, a=grid) == {5}
    assert n_envs({"name": "ppo", "preset": "cobbe2020", "n_steps": 8, "batch_size": 8}, a=grid) == {64}


def test_another_algorithm_starts_from_its_own_defaults():
    shared = {"name": "duo", "preset": "wide", "rate": 0.2}
    spec = run(algorithm=shared, methods={"m": {"algorithm": {"name": "climb", "n_steps": 5}}})
    assert (spec.algorithm.name, spec.algorithm.config) == ("climb", {"n_envs": 2, "threads": 1, "n_steps": 5, "rate": 0.1})


@pytest.mark.parametrize(
    ("block", "config", "combine"),
    [
        ({}, (2.0, 100, [8, 8]), ("two_critics", 0.3)),
        ({"preset": "paper"}, (2.0, 100, [8, 8]), ("two_critics", 0.3)),
        ({"preset": "code"}, (1.0, 7, [4]), ("sum", 1.0)),
        ({"config": {"scale": 5, "layers": [1]}}, (5.0, 100, [1]), ("two_critics", 0.3)),
        ({"combine": "sum"}, (2.0, 100, [8, 8]), ("sum", 0.3)),
        ({"preset": "code", "combine": {"intrinsic_weight": 3}}, (1.0, 7, [4]), ("sum", 3.0)),
    ],
)
def test_a_method_starts_from_its_first_preset_or_the_one_named(block, config, combine):
    reward = run(methods={"m": {"reward": "novel", **block}}).reward
    assert tuple(reward.config.values()) == config
    assert (reward.combine.mode, reward.combine.intrinsic_weight) == combine


def test_a_method_without_presets_starts_from_its_defaults():
    assert run(methods={"m": {"reward": "bare"}}).reward.config == {"scale": 1.0, "memory": 100, "layers": [8, 8]}


def test_a_method_without_a_reward_has_none():
    assert run(methods={"m": {"reward": "none"}}).reward is None


# --------------------------------------------------------------------------------------------------------------------
# Identity
# --------------------------------------------------------------------------------------------------------------------
def test_a_changed_default_is_another_run(monkeypatch):
    class Changed(toy_plugin.NovelConfig):
        memory: int = 101

    methods = {"m": {"reward": "novel"}}
    before = run(methods=methods).digest
    monkeypatch.setattr(toy_plugin, "NovelConfig", Changed)
    assert run(methods=methods).digest != before


def test_how_a_setting_was_written_is_not_part_of_the_identity():
    first = run(algorithm={"name": "duo", "rate": 0.1}, tasks={"x": {"environment": {"map": "ring"}}}, seeds=[3])
    assert first.digest == run(methods={"other": {"algorithm": {"rate": 0.1}}}).digest


# --------------------------------------------------------------------------------------------------------------------
# What is refused
# --------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"environment": {}}, "environment.family: missing: the environment family"),
        ({"environment": {"family": "mase"}}, "environment.family: unknown environment 'mase': did you mean 'maze'?"),
        ({"environment": {"family": "gone"}}, "environment.family: cannot import 'toy_plugin:GoneConfig' of plugin 'toy"),
        ({"tasks": {"rign": {}}}, "tasks.rign.environment.map: environment family 'maze': expected 'ring' or 'cross', got"),
        ({"environment": {"family": "maze", "width": 30}}, "environment.width: environment family 'maze': width x height"),
        ({"algorithm": {"name": "dou"}}, "algorithm.name: unknown algorithm 'dou': did you mean 'duo'?"),
        ({"algorithm": {"name": "duo", "preset": "wid"}}, "algorithm.preset: unknown preset of algorithm 'duo' 'wid': did"),
        ({"algorithm": {"name": "duo", "network": "falt"}}, "algorithm.network: unknown network 'falt': did you mean 'flat'?"),
        ({"methods": {"m": {"algorithm": {"preset": "x"}}}}, "methods.m.algorithm.preset: unknown preset of algorithm 'duo'"),
        ({"methods": {"m": {"reward": "nvl"}}}, "methods.m.reward: unknown method 'nvl'"),
        ({"methods": {"m": {"reward": "bare", "preset": "x"}}}, "methods.m.preset: unknown preset of method 'bare' 'x' ("),
        (
            {"methods": {"m": {"reward": "novel", "config": {"scal": 1}}}},
            "methods.m.config.scal: method 'novel' with preset 'paper': unknown key 'scal': did you mean 'scale'?",
        ),
        (
            {"methods": {"m": {"reward": "bare", "combine": "sum", "algorithm": {"name": "climb"}}}},
            "methods.m.algorithm.name: method 'bare' needs a learner of kind sequences; "
            "algorithm 'climb' is of kinds continuous, discrete, on_policy: use duo",
        ),
        (
            {"methods": {"m": {"reward": "novel", "algorithm": {"name": "climb"}, "combine": "two_critics"}}},
            "methods.m.combine.mode: algorithm 'climb' cannot combine rewards by 'two_critics': write 'combine: sum'",
        ),
        (
            {"methods": {"m": {"reward": "novel", "combine": {"mode": "sum", "intrinsic_gamma": 0.9}}}},
            "methods.m.combine.intrinsic_gamma: has no effect with mode 'sum', only with 'two_critics'",
        ),
        ({"steps": 7}, "steps: 7 steps are fewer than one rollout of n_envs x n_steps = 2 x 4 = 8 steps: take more"),
        ({"tasks": {"ring": {"steps": 7}}}, "tasks.ring.steps: 7 steps are fewer than one rollout"),
    ],
)  # fmt: skip
def test_a_suite_made_in_python_is_refused_without_a_file(changes, message):
    found = refusal(**changes)
    assert found.startswith(message)
    assert "\n" not in found


def test_every_problem_is_found_at_once():
    with pytest.raises(SuiteErrors) as caught:
        expand(
            suite(tasks={"x": {}, "y": {}}, methods={"m": {"reward": "nvl"}, "n": {"algorithm": {"rate": "x"}}}, steps=1),
            REGISTRY,
        )
    assert [error.key for error in caught.value.errors] == [
        "tasks.x.environment.map",
        "tasks.y.environment.map",
        "methods.m.reward",
        "methods.n.algorithm.rate",
        "steps",
    ]


def test_the_longest_rollout_must_fit():
    assert "2 x 32 = 64" in refusal(methods={"a": {}, "b": {"algorithm": {"preset": "deep"}}, "c": {}}, steps=20)
    assert run(steps=8).steps == 8
