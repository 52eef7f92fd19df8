"""Laying one tree over another."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SuiteError, UserError
from harness.planning.resolve import deep_merge
from harness.suites.locations import Node
from harness.suites.overrides import apply_override, apply_profile, merge_nodes, parse_override
from harness.suites.yaml import parse_yaml

SUITE = """\
tasks:
  gravitar: {steps: 5}
  v1.5: {}
  pong:
methods:
  ppo:
  rnd: {reward: rnd, config: {eta: 1, epochs: 2}, combine: sum}
algorithm: {name: ppo, n_envs: 8}
seeds: [0, 1]
profiles:
  small:
    seeds: 1
    algorithm: {n_envs: 2}
    methods: {ppo: null, icm: {reward: icm}}
  wrong: {methods: {rdn: null}}
  empty:
  list: [1]
  nested: {profiles: {}}
"""


@pytest.fixture
def suite() -> Node:
    return parse_yaml(SUITE, "s.yaml")


SCALARS = st.none() | st.integers(0, 5) | st.text("xyz", max_size=2)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(SCALARS, max_size=2) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
)
MAPPINGS = st.dictionaries(st.sampled_from("abcd"), TREES, max_size=4)


def merged(base, over):
    return merge_nodes(Node.of(base), Node.of(over)).to_data()


@given(MAPPINGS)
def test_nothing_laid_over_changes_nothing(data):
    assert merged(data, {}) == data == merged({}, data) == merged(data, data)
    assert deep_merge(data, {}) == data == deep_merge({}, data)


@given(MAPPINGS, MAPPINGS)
def test_trees_and_plain_data_merge_alike_and_leave_their_sources_alone(base, over):
    before = copy.deepcopy((base, over))
    assert deep_merge(base, over) == merged(base, over)
    assert (base, over) == before


@given(MAPPINGS, MAPPINGS)
def test_what_is_laid_over_wins(base, over):
    found = merged(base, over)
    assert found.keys() == base.keys() | over.keys()
    for key, value in over.items():
        if not (isinstance(value, dict) and isinstance(base.get(key), dict)):
            assert found[key] == value


@given(
    MAPPINGS,
    MAPPINGS.map(lambda d: {f"p{k}": v for k, v in d.items()}),
    MAPPINGS.map(lambda d: {f"q{k}": v for k, v in d.items()}),
)
def test_layers_with_different_keys_may_come_in_any_order(base, first, second):
    assert merged(merged(base, first), second) == merged(merged(base, second), first) == merged(base, merged(first, second))


def test_lists_and_scalars_replace_and_mappings_merge():
    assert merged({"a": [1, 2], "b": {"x": 1}}, {"a": [3], "b": {"y": 2}}) == {"a": [3], "b": {"x": 1, "y": 2}}


def test_a_merged_value_knows_where_it_was_written(suite):
    small = apply_profile(suite, "small")
    assert small.find(("algorithm", "n_envs"))[0].location.line == 13
    assert small.find(("algorithm", "n_envs"))[0].location.path == ("profiles", "small", "algorithm", "n_envs")
    assert small.find(("algorithm", "name"))[0].location.line == 8


def test_a_profile_changes_adds_and_drops(suite):
    small = apply_profile(suite, "small").to_data()
    assert small["seeds"] == 1
    assert small["algorithm"] == {"name": "ppo", "n_envs": 2}
    assert list(small["methods"]) == ["rnd", "icm"]
    assert small["tasks"]["pong"] is None, "an empty task of the suite itself is not dropped"


def test_an_empty_profile_changes_nothing(suite):
    assert apply_profile(suite, "empty").to_data() == suite.to_data()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("smal", "s.yaml:10: profiles: unknown profile 'smal': did you mean 'small'? (known: "),
        ("wrong", "s.yaml:15: profiles.wrong.methods.rdn: null drops a method, and there is none of this name: did you mean"),
        ("list", "s.yaml:17: profiles.list: expected a mapping, got a list"),
        ("nested", "s.yaml:18: profiles.nested.profiles: a profile holds no profiles"),
    ],
)
def test_profiles_that_cannot_be_used(suite, name, message):
    with pytest.raises(SuiteError) as caught:
        apply_profile(suite, name)
    assert str(caught.value).startswith(message)


def test_a_suite_without_profiles():
    with pytest.raises(SuiteError, match=r"profiles: unknown profile 'smoke' \(none is known\)"):
        apply_profile(parse_yaml("a: 1", "s.yaml"), "smoke")


@pytest.mark.parametrize(
    ("key", "text", "path", "value"),
    [
        ("seeds", "3", ("seeds",), 3),
        ("seeds", "0-4", ("seeds",), "0-4"),
        ("algorithm.n_envs", "1e1", ("algorithm", "n_envs"), 10.0),
        ("algorithm.new", "[1, 2]", ("algorithm", "new"), [1, 2]),
        ("methods.rnd.config.eta", "", ("methods", "rnd", "config", "eta"), None),
        ("methods.rnd.config", "{eta: 2}", ("methods", "rnd", "config"), {"eta": 2, "epochs": 2}),
        ("methods.rnd.combine.mode", "two_critics", ("methods", "rnd", "combine"), {"mode": "two_critics"}),
        ("methods.ppo.algorithm.n_envs", "2", ("methods", "ppo", "algorithm", "n_envs"), 2),
        ("tasks.v1.5.steps", "7", ("tasks", "v1.5", "steps"), 7),
        ("steps", "4_096", ("steps",), 4096),
    ],
)
def test_an_override_sets_one_value(suite, key, text, path, value):
    changed = apply_override(suite, key, text)
    node, rest = changed.find(path)
    assert (node.to_data(), rest) == (value, ())
    assert suite.to_data() == parse_yaml(SUITE, "s.yaml").to_data(), "the suite itself stays as it was"


def test_an_override_is_its_own_place(suite):
    location = apply_override(suite, "algorithm.n_envs", "2").find(("algorithm", "n_envs"))[0].location
    assert (location.source, location.line, location.path) == ("--set algorithm.n_envs=2", None, ("algorithm", "n_envs"))


def test_null_drops_a_method(suite):
    assert list(apply_override(suite, "methods.rnd", "null").child("methods").mapping) == ["ppo"]
    assert apply_override(suite, "description", "").child("description").content is None


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("methods.rdn.reward", "x", "unknown method 'rdn': did you mean 'rnd'? (known: ppo, rnd)"),
        ("tasks.gravitas", "{}", "unknown task 'gravitas': did you mean 'gravitar'? (known: gravitar, pong, v1.5)"),
        ("profiles.small.seeds", "1", "expected a key of the suite, such as steps or algorithm.n_envs"),
        ("", "1", "expected a key of the suite"),
        ("algorithm..x", "1", "expected a key of the suite"),
        ("steps", "{", "not YAML: "),
    ],
)
def test_overrides_that_cannot_be_used(suite, key, text, message):
    with pytest.raises(SuiteError) as caught:
        apply_override(suite, key, text)
    assert str(caught.value).startswith(f"--set {key}={text}: {message}")


KEYS = st.lists(st.sampled_from(["algorithm", "a", "b_c", "x1"]), min_size=1, max_size=4)


@given(KEYS, st.integers() | st.booleans() | st.none() | st.text("abc", min_size=1).filter(lambda t: t.isalpha()))
def test_any_dotted_key_can_be_set_and_read_back(keys, value):
    text = {True: "true", False: "false", None: "null"}[value] if isinstance(value, bool | None) else str(value)
    changed = apply_override(parse_yaml("{algorithm: {a: 1}}", "s"), ".".join(keys), text)
    assert changed.find(tuple(keys))[0].to_data() == value


@given(st.text("ab.c", min_size=1), st.text("abc=: {", max_size=6))
def test_key_and_value_are_parted_at_the_first_equals_sign(key, value):
    assert parse_override(f"{key}={value}") == (key, value)


def test_an_override_needs_an_equals_sign():
    with pytest.raises(UserError, match=r"--set steps: expected key=value, such as steps=4096"):
        parse_override("steps")
