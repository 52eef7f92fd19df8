"""What a suite file may say."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.suites.model import MAX_SEEDS, MethodBlock, Suite, TaskBlock, parse_seeds

SEEDS = st.lists(st.integers(0, 10**6), min_size=1, max_size=20, unique=True)


def suite(**changes) -> Suite:
    smallest = {
        "suite": "s",
        "tasks": {"t": {}},
        "algorithm": {"name": "ppo"},
        "methods": {"m": {}},
        "seeds": 1,
        "steps": 10,
        "evaluation": {"every": 5},
    }
    return Suite.model_validate({**smallest, **changes})


def refusal(**changes) -> str:
    with pytest.raises(ValidationError) as caught:
        suite(**changes)
    return caught.value.errors()[0]["msg"]


@given(SEEDS.filter(lambda seeds: len(seeds) > 1))
def test_seeds_written_one_by_one_are_read_back(seeds):
    assert parse_seeds(",".join(map(str, seeds))) == tuple(seeds)


@given(st.integers(0, 1000), st.integers(0, 100))
def test_a_range_holds_both_its_ends(first, more):
    assert parse_seeds(f"{first}-{first + more}") == tuple(range(first, first + more + 1))


@given(st.integers(1, 1000))
def test_a_count_begins_at_zero(count):
    assert parse_seeds(str(count)) == parse_seeds(f"0-{count - 1}") == suite(seeds=count).seeds


@given(SEEDS)
def test_a_list_is_itself(seeds):
    assert suite(seeds=seeds).seeds == tuple(seeds)


@settings(deadline=None)
@given(st.text("0123456789,- x", max_size=12))
def test_any_other_text_is_refused_with_a_reason(text):
    try:
        seeds = parse_seeds(text)
    except ValueError as error:
        assert "seed" in str(error)
    else:
        assert 0 < len(seeds) == len(set(seeds)) <= MAX_SEEDS


@pytest.mark.parametrize(
    ("seeds", "reason"),
    [
        ([0, 3, 0], "seed 0 is given twice"),
        ("0-4,2", "seed 2 is given twice"),
        ([], "between 1 and 10,000 seeds, got 0"),
        (0, "between 1 and 10,000 seeds, got 0"),
        (-1, "between 1 and 10,000 seeds, got -1"),
        (10**12, "between 1 and 10,000 seeds"),
        ("0-999999999", "between 1 and 10,000 seeds"),
        ("4-0", "expected a count such as 5"),
        ("1;2", "expected a count such as 5"),
        (True, "expected a count such as 5"),
        (1.5, "expected a count such as 5"),
        (None, "expected a count such as 5"),
        ([-1], "greater than or equal to 0"),
        ([2**31], "less than 2147483648"),
    ],
)
def test_seeds_that_cannot_be(seeds, reason):
    assert reason in refusal(seeds=seeds)


@pytest.mark.parametrize("name", ["ppo", "v1.5", "_x", "A-b", "0", "x" * 100])
def test_names_that_can_be_folders(name):
    assert list(suite(suite=name, tasks={name: {}}, methods={name: {}}).tasks) == [name]


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".x", "-x", "a/b", "a\\b", "a b", "é", "a\n", "x" * 101, "a:b", "report", "Report"]
)
@pytest.mark.parametrize("where", ["suite", "tasks", "methods"])
def test_names_that_cannot_be_folders(where, name):
    assert repr(name) in refusal(**{where: name if where == "suite" else {name: {}}})


def test_empty_blocks_set_nothing():
    found = suite(environment=None, tasks={"t": None}, methods={"m": None}, checkpoint=None, profiles={"p": None})
    assert found == suite(profiles={"p": {}})
    assert found.methods["m"] == MethodBlock()
    assert found.tasks["t"] == TaskBlock()


@pytest.mark.parametrize("section", ["tasks", "methods"])
def test_nothing_to_run_is_refused(section):
    assert "at least 1 item" in refusal(**{section: {}})


def test_settings_stand_beside_the_blocks_own_keys():
    block = suite(environment={"family": "atari", "sticky": 0.5}).environment
    assert (block.family, block.settings) == ("atari", {"sticky": 0.5})


def test_combine_is_a_mode_or_a_mapping():
    for written in ("sum", {"mode": "sum"}):
        assert MethodBlock.model_validate({"reward": "rnd", "combine": written}).combine == {"mode": "sum"}


def test_none_is_a_reward_that_is_none():
    assert MethodBlock.model_validate({"reward": "none"}) == MethodBlock(reward=None)


@pytest.mark.parametrize("block", [{"config": {"a": 1}}, {"preset": "p"}, {"combine": "sum"}])
def test_a_bonus_is_not_configured_without_a_reward(block):
    (key,) = block
    assert f"{key} has no meaning without a reward" in refusal(methods={"m": {"reward": "none", **block}})


@pytest.mark.parametrize("high", [1, 0.5])
def test_normalisation_must_rise(high):
    assert f"low, 1, must be below high, {high:g}" in refusal(tasks={"t": {"normalise": {"low": 1, "high": high}}})


@pytest.mark.parametrize(("written", "seconds"), [("30m", 1800), ("1.5 h", 5400), (600, 600), ("20", 20), (None, None)])
def test_stall_is_a_time_as_people_write_it(written, seconds):
    assert suite(stall=written).stall_seconds == seconds


@pytest.mark.parametrize("written", ["soon", "-5m", 0, -1, True, "5 weeks", "", [5], float("nan"), "1e400"])
def test_stall_that_is_no_time_is_refused(written):
    with pytest.raises(ValidationError, match="stall"):
        suite(stall=written)


def test_checkpoints_come_every_ten_minutes_unless_the_suite_says_otherwise():
    assert suite().checkpoint.minutes == 10
    assert suite(checkpoint={"every": 5}).checkpoint.minutes == 10
    assert suite(checkpoint={"minutes": None}).checkpoint.minutes is None
    assert suite(checkpoint={"minutes": 0.5}).checkpoint.minutes == 0.5
    assert "greater than 0" in refusal(checkpoint={"minutes": 0})
