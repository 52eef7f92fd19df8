"""Labels of methods: the plain name, and what differs where several configurations share it."""

from __future__ import annotations

import pytest
from support.specs import make_spec

from harness.runs.folder import RunRecord, RunStatus
from harness.runs.naming import format_steps, label_runs
from harness.spec import RunSpec

STATUS = RunStatus(state="finished", step=1, steps=1, started="", updated="")


def labels(*specs: RunSpec) -> list[str]:
    records = {
        f"{number:03}": RunRecord(
            digest=spec.digest, method_digest=spec.method_digest, spec=spec, provenance={}, status=STATUS
        )
        for number, spec in enumerate(specs)
    }
    return list(label_runs(records).values())


def ppo(**changes: object) -> RunSpec:
    return make_spec().model_copy(update={"method": "ppo", **changes})


def rnd(**changes: object) -> RunSpec:
    return make_spec(reward="rnd", **changes)  # type: ignore[arg-type]  # passed on as they are


def test_fault_2_labels_say_the_budget_and_no_digest() -> None:
    assert labels(ppo(steps=10_000), ppo(steps=30_000)) == ["ppo · 10k steps", "ppo · 30k steps"]


def test_one_configuration_has_the_plain_name() -> None:
    assert labels(ppo(), ppo(seed=1), ppo(task="other")) == ["ppo"] * 3


def test_budgets_by_task_are_a_range() -> None:
    other = make_spec(algorithm={"gamma": 0.5}).algorithm
    found = labels(ppo(task="a"), ppo(task="b", steps=3200), ppo(task="a", algorithm=other), ppo(task="b", algorithm=other))
    assert found == [*["ppo · 1.6k to 3.2k steps, gamma 0.99"] * 2, *["ppo · 1.6k steps, gamma 0.5"] * 2]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (ppo(), ppo(algorithm=make_spec(algorithm={"gamma": 0.5}).algorithm), ["ppo · gamma 0.99", "ppo · gamma 0.5"]),
        (
            rnd(combine={"mode": "sum"}),
            rnd(combine={"mode": "sum", "clip_total": 2}),
            ["rnd · no clip_total", "rnd · clip_total 2.0"],
        ),
        (rnd(), rnd(combine={"intrinsic_weight": 0.5}), ["rnd · intrinsic_weight 1.0", "rnd · intrinsic_weight 0.5"]),
        (
            ppo(),
            ppo(evaluation=make_spec().evaluation.model_copy(update={"deterministic": True})),
            ["ppo · evaluation.deterministic false", "ppo · evaluation.deterministic true"],
        ),
        (ppo(), ppo(checkpoint_every=7), ["ppo · checkpoint every 320", "ppo · checkpoint every 7"]),
        (ppo(training_version=1), ppo(training_version=2), ["ppo · training version 1", "ppo · training version 2"]),
        (ppo(), rnd().model_copy(update={"method": "ppo"}), ["ppo · bonus none", "ppo · bonus rnd"]),
    ],
)
def test_the_setting_that_differs_is_named(one: RunSpec, other: RunSpec, expected: list[str]) -> None:
    assert labels(one, other) == expected


def test_every_difference_is_named_where_they_are_few() -> None:
    found = labels(ppo(), ppo(steps=3200), ppo(algorithm=make_spec(algorithm={"gamma": 0.5}).algorithm))
    assert found == [
        "ppo · 1.6k steps, gamma 0.99",
        "ppo · 3.2k steps, gamma 0.99",
        "ppo · 1.6k steps, gamma 0.5",
    ]


def test_of_many_differences_the_first_are_named_and_the_others_counted() -> None:
    other = make_spec(algorithm={"gamma": 0.5, "gae_lambda": 0.7, "clip_range": 0.3, "learning_rate": 0.1, "ent_coef": 0.5})
    one, two = labels(ppo(), ppo(steps=3200, algorithm=other.algorithm))
    assert one.startswith("ppo · 1.6k steps, ")
    assert two.startswith("ppo · 3.2k steps, ")
    assert one.endswith(", 3 more")


def test_what_no_setting_tells_apart_is_named_by_the_digest_of_its_folder() -> None:
    long = "x" * 100
    specs = [
        make_spec().model_copy(
            update={"method": "ppo", "algorithm": make_spec().algorithm.model_copy(update={"config": {"a": long + end}})}
        )
        for end in "bc"
    ]
    assert labels(*specs) == [f"ppo · a {'x' * 21}... ({spec.digest})" for spec in specs]


def test_labels_are_the_same_in_whatever_order_runs_are_read() -> None:
    specs = [ppo(), ppo(steps=3200), ppo(steps=6400)]
    assert labels(*specs) == labels(*specs[::-1])[::-1]


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        (999, "999"),
        (2048, "2,048"),
        (2050, "2.05k"),
        (10_000, "10k"),
        (128_000_000, "128M"),
        (1_999_999, "1,999,999"),
        (1500, "1.5k"),
    ],
)
def test_steps_are_short_and_exact(steps: int, text: str) -> None:
    assert format_steps(steps) == text
