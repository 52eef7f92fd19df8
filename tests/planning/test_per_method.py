"""Methods that see tasks in their own way, and have settings of their own on single tasks."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import SuiteError
from harness.planning.expand import expand
from harness.planning.plan import Plan
from harness.registry import installed
from harness.spec import RunSpec
from harness.suites.model import Suite

VIEW = {"size": 96, "resize": "bicubic", "reward_transform": "positive_sign"}


def plan(methods: dict[str, Any], **changes: Any) -> Plan:
    suite = {
        "suite": "views",
        "environment": {"family": "atari"},
        "tasks": {"pong": {"environment": {"stack": 2}}, "venture": {}},
        "algorithm": {"name": "ppo"},
        "methods": {"ppo": {}, **methods},
        "seeds": 1,
        "steps": 4096,
        "evaluation": {"every": 4096},
    }
    return expand(Suite.model_validate(suite | changes), installed())


def on(found: Plan, task: str, method: str) -> RunSpec:
    return next(spec for spec in found.runs if (spec.task, spec.method) == (task, method))


def refusal(methods: dict[str, Any], **changes: Any) -> str:
    with pytest.raises(SuiteError) as caught:
        plan(methods, **changes)
    return str(caught.value)


def test_a_method_changes_what_its_learner_sees_of_every_task_and_nothing_else() -> None:
    found = plan({"snd": {"reward": "snd_vic", "environment": VIEW}, "rnd": {"reward": "rnd"}})
    for task in ("pong", "venture"):
        own, shared = (on(found, task, method).environment.config for method in ("snd", "ppo"))
        assert own == shared | VIEW
        assert on(found, task, "rnd").environment.config == shared
    assert on(found, "pong", "snd").environment.config["stack"] == 2
    assert on(found, "pong", "snd").method_digest == on(found, "venture", "snd").method_digest
    assert found.source("methods.snd.environment.size").value == 96


def test_methods_that_change_nothing_keep_their_digests() -> None:
    plain, beside = plan({"rnd": {"reward": "rnd"}}), plan({"rnd": {"reward": "rnd"}, "snd": {"environment": VIEW}})
    for task in ("pong", "venture"):
        for method in ("ppo", "rnd"):
            assert on(plain, task, method).digest == on(beside, task, method).digest
    assert on(beside, "pong", "snd").digest != on(beside, "pong", "ppo").digest


@pytest.mark.parametrize("key", ["game", "sticky", "frame_skip", "episode_steps", "family", "siez"])
def test_the_task_and_its_scores_are_the_same_for_all_methods(key: str) -> None:
    error = refusal({"snd": {"environment": {key: 1}}})
    assert f"methods.snd.environment.{key}: {key!r} is the same for all methods" in error
    assert "grayscale, maxpool, resize, reward_transform, size, stack, time_limit" in error
    assert len(error.splitlines()) == 1, "told once, not for each task"


def test_a_wrong_value_is_told_where_the_method_has_it() -> None:
    assert "methods.snd.environment.size: " in refusal({"snd": {"environment": {"size": 1}}})


def test_settings_on_single_tasks() -> None:
    method = {"reward": "snd_std", "config": {"minibatches": 4}, "config_by_task": {"venture": {"eta": 0.25}}}
    found, everywhere = plan({"snd": method}), plan({"snd": {key: method[key] for key in ("reward", "config")}})
    eta = {task: spec.reward.config["eta"] for task in ("pong", "venture") if (spec := on(found, task, "snd")).reward}
    assert eta == {"pong": 1.0, "venture": 0.25}
    assert on(found, "pong", "snd").digest == on(everywhere, "pong", "snd").digest, "the run is the same"
    assert on(found, "venture", "snd").digest != on(everywhere, "venture", "snd").digest
    digests = {on(found, task, "snd").method_digest for task in ("pong", "venture")}
    assert len(digests) == 1, "one method in a report"
    assert digests != {on(everywhere, "pong", "snd").method_digest}
    spec = on(found, "venture", "snd")
    assert RunSpec.model_validate_json(spec.model_dump_json()) == spec


def test_tasks_and_settings_that_do_not_exist() -> None:
    method = {"reward": "snd_std", "config_by_task": {"ventrue": {"eta": 1}}}
    assert "did you mean 'venture'" in refusal({"snd": method})
    method = {"reward": "snd_std", "config_by_task": {"venture": {"etta": 1}}}
    assert "methods.snd.config_by_task.venture.etta: " in refusal({"snd": method})
    with pytest.raises(ValueError, match="without a reward"):
        plan({"snd": {"config_by_task": {"venture": {}}}})


def test_tasks_that_share_a_phase_agree_in_what_the_method_sees_and_is() -> None:
    phases = {"explore": {"share": 0.5, "once_per": "sticky", "extrinsic_weight": 0}, "exploit": {}}
    method = {"reward": "rnd", "phases": phases}
    tasks = {"tasks": {"pong": {}, "venture": {}}, "steps": 8192}
    found = plan({"rnd": method | {"environment": VIEW}}, **tasks)
    parents = [spec for spec in found.runs if spec.pretraining]
    assert [parent.environment.config["size"] for parent in parents] == [96]
    assert all(spec.start for spec in found.runs if spec.method == "rnd" and not spec.pretraining)
    error = refusal({"rnd": method | {"config_by_task": {"pong": {"eta": 2}}}}, **tasks)
    assert "leave out once_per or config_by_task" in error
