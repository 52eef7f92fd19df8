"""Loading a suite, and one clear line for everything that can be wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import SuiteError
from harness.planning.load import SuiteErrors, load

SUITE = """\
suite: grid
description: A grid
environment: {family: deep_sea, size: 8}
tasks:
  small: {normalise: {low: 0, high: 0.99, source: optimum}}
  large:
    environment: {size: 12}
    steps: 2e5
algorithm:
  name: ppo
  n_envs: 4
methods:
  ppo: {}
  rnd:
    reward: rnd
    config: {feature_dim: 64, epochs: 2}
    combine: {mode: sum, intrinsic_weight: 0.5}
  rnd_quick: {reward: rnd, preset: pechac2024, algorithm: {n_steps: 64}}
seeds: 3
steps: 100_000
evaluation: {every: 1e4, episodes: 10}
profiles:
  smoke:
    steps: 4096
    seeds: 1
    algorithm: {n_envs: 8}
    tasks: {large: null}
  long: {steps: 1e7}
"""

DESIGN = """\
suite: atari_hard
description: Six hard-exploration Atari games (Pechac et al. 2024)
environment: {family: atari, sticky: 0.25, frame_skip: 4}        # defaults for every task
tasks:
  montezuma_revenge: {normalise: {low: 0, high: 4753.3}}
  gravitar: {normalise: {low: 173, high: 3351.4}}
algorithm: {name: ppo, n_envs: 128, n_steps: 128}
methods:
  ppo: {}                                    # no bonus: the baseline
  rnd: {reward: rnd}
seeds: 5
steps: 128_000_000
evaluation: {every: 1_000_000, episodes: 10}
profiles:
  smoke: {steps: 4096, seeds: 1, algorithm: {n_envs: 8}}
"""


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "grid.yaml"
    path.write_text(SUITE)
    return path


def refusal(file: Path, old: str = "", new: str = "", **options) -> str:
    """The error of the suite in which one text is replaced by another, without the folder."""
    assert old in SUITE
    file.write_text(SUITE.replace(old, new, 1) if old else SUITE)
    with pytest.raises(SuiteError) as caught:
        load(file, **options)
    return str(caught.value).replace(f"{file.parent}/", "")


def test_the_example_of_the_design_loads_as_it_stands(tmp_path):
    path = tmp_path / "atari_hard.yaml"
    path.write_text(DESIGN)
    suite = load(path).suite
    assert (suite.suite, suite.steps, suite.seeds) == ("atari_hard", 128_000_000, (0, 1, 2, 3, 4))
    assert suite.evaluation.every == 1_000_000
    assert suite.tasks["gravitar"].normalise(3351.4) == 1
    assert suite.algorithm.settings == {"n_envs": 128, "n_steps": 128}
    assert suite.methods["ppo"].reward is None
    smoke = load(path, profile="smoke").suite
    assert (smoke.steps, smoke.seeds, smoke.algorithm.settings) == (4096, (0,), {"n_envs": 8, "n_steps": 128})
    assert len(load(path).runs) == 2 * 2 * 5


def test_a_game_that_nobody_has_is_named_with_its_line(tmp_path):
    pytest.importorskip("ale_py")
    path = tmp_path / "atari_hard.yaml"
    path.write_text(DESIGN.replace("gravitar", "gravitas"))
    with pytest.raises(SuiteError, match=r":6: tasks\.gravitas\.environment\.game: .* did you mean 'gravitar'\?"):
        load(path)


def test_numbers_are_those_of_people(file):
    suite = load(file).suite
    assert (suite.evaluation.every, suite.tasks["large"].steps, suite.steps) == (10_000, 200_000, 100_000)
    assert isinstance(suite.evaluation.every, int)


def test_options_win_over_the_profile_and_the_profile_over_the_suite(file):
    assert load(file, profile="smoke").suite.algorithm.settings["n_envs"] == 8
    assert list(load(file, profile="smoke").suite.tasks) == ["small"]
    suite = load(file, profile="smoke", overrides=[("algorithm.n_envs", "6"), ("methods.rnd.config.eta", "0.5")]).suite
    assert suite.algorithm.settings["n_envs"] == 6
    assert suite.methods["rnd"].config == {"feature_dim": 64, "epochs": 2, "eta": 0.5}


def test_only_what_is_asked_for_is_kept_in_the_order_of_the_suite(file):
    suite = load(file, methods=["rnd", "ppo"], tasks=["large"], seeds="2-3").suite
    assert (list(suite.methods), list(suite.tasks), suite.seeds) == (["ppo", "rnd"], ["large"], (2, 3))
    assert load(file, methods=[], tasks=[]).suite == load(file).suite
    assert load(file, seeds=[7]).suite.seeds == (7,)


@pytest.mark.parametrize("steps", [5000, "5_000", "5e3"])
def test_steps_replace_those_of_the_suite_and_of_every_task(file, steps):
    assert {run.steps for run in load(file, steps=steps).runs} == {5000}


def test_a_reward_stands_for_the_methods_that_have_it_unless_one_is_called_that(file):
    assert list(load(file, methods=["rnd"]).suite.methods) == ["rnd"]
    file.write_text(SUITE.replace("  rnd:", "  ppo_rnd:"))
    assert list(load(file, methods=["rnd"]).suite.methods) == ["ppo_rnd", "rnd_quick"]
    assert list(load(file, methods=["rnd", "ppo_rnd"]).suite.methods) == ["ppo_rnd", "rnd_quick"]


def test_what_is_not_asked_for_needs_no_plugin(file):
    file.write_text(SUITE.replace("reward: rnd\n", "reward: not_installed\n"))
    assert list(load(file, methods=["ppo"]).suite.methods) == ["ppo"]
    with pytest.raises(SuiteError, match="unknown method 'not_installed'"):
        load(file)


KNOWN_METHOD = "algorithm, combine, config, config_by_task, environment, phases, precision, preset, reward, snapshot"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("episodes", "eppisodes", "21: evaluation.eppisodes: unknown key 'eppisodes': did you mean 'episodes'? (known"),
        ("description", "descritpion", "2: descritpion: unknown key 'descritpion': did you mean 'description'?"),
        ("steps: 2e5", "size: 5", "8: tasks.large.size: unknown key 'size': it belongs under 'environment', as tasks.large"),
        ("config:", "confg:", f"16: methods.rnd.confg: unknown key 'confg': did you mean 'config'? (known: {KNOWN_METHOD}"),
        ("size: 8", "sise: 8", "3: environment.sise: environment family 'deep_sea': unknown key 'sise': did you mean "),
        ("size: 12", "size: 1", "7: tasks.large.environment.size: environment family 'deep_sea': expected at least 2,"),
        ("n_envs: 4", "n_env: 4", "11: algorithm.n_env: algorithm 'ppo': unknown key 'n_env': did you mean 'n_envs'?"),
        ("n_envs: 4", "n_envs: 1.5", "11: algorithm.n_envs: algorithm 'ppo': expected a whole number, got 1.5"),
        ("n_steps: 64", "n_steps: no", "18: methods.rnd_quick.algorithm.n_steps: algorithm 'ppo': expected a whole nu"),
        ("epochs: 2", "epoch: 2", "16: methods.rnd.config.epoch: method 'rnd' with preset 'burda2018': unknown key 'e"),
        ("epochs: 2", "epochs: 0", "16: methods.rnd.config.epochs: method 'rnd' with preset 'burda2018': expected mor"),
        ("epochs: 2", "epochs: true", "16: methods.rnd.config.epochs: method 'rnd' with preset 'burda2018': expected "),
        ("reward: rnd", "reward: rdn", "15: methods.rnd.reward: unknown method 'rdn': did you mean 'rnd'? (known: "),
        ("pechac2024", "pechac", "18: methods.rnd_quick.preset: unknown preset of method 'rnd' 'pechac': did you mean"),
        ("mode: sum", "mode: some", "17: methods.rnd.combine.mode: method 'rnd' with preset 'burda2018': expected 'su"),
        ("{mode: sum, intrinsic_weight: 0.5}", "add", "17: methods.rnd.combine.mode: method 'rnd' with preset 'burda2"),
        ("intrinsic_weight: 0.5", "episodic: true", "17: methods.rnd.combine.episodic: has no effect with mode 'sum',"),
        ("family: deep_sea", "family: deepsea", "3: environment.family: unknown environment 'deepsea': did you mean '"),
        ("family: deep_sea, ", "", "3: environment.family: missing: the environment family"),
        ("name: ppo", "name: pop", "10: algorithm.name: unknown algorithm 'pop': did you mean 'ppo'?"),
        ("name: ppo", "preset: x", "9: algorithm.name: missing: The base algorithm, as `harness list algorithms` name"),
        ("name: ppo", "name: ppo\n  network: x", "11: algorithm.network: unknown network 'x' (known: "),
        ("name: ppo", "name: ppo\n  preset: burda", "11: algorithm.preset: unknown preset of algorithm 'ppo' 'burda':"),
        ("steps: 100_000", "steps: many", '20: steps: expected a whole number, got "many" (text)'),
        ("steps: 100_000", "steps: -5", "20: steps: expected more than 0, got -5"),
        ("steps: 100_000", "steps:", "20: steps: expected a whole number, got nothing"),
        ("steps: 100_000", "steps: 100", "20: steps: 100 steps are fewer than one rollout of n_envs x n_steps = 4 x 1"),
        ("steps: 2e5", "steps: 100", "8: tasks.large.steps: 100 steps are fewer than one rollout"),
        ("seeds: 3", "seeds: [1, 2, 1]", "19: seeds: seed 1 is given twice"),
        ("seeds: 3", "seeds: [1, x]", '19: seeds.1: expected a whole number, got "x" (text)'),
        ("seeds: 3\n", "", "1: seeds: missing: A count N for seeds 0 to N-1"),
        ("high: 0.99", "high: 0", "5: tasks.small.normalise.low: low, 0, must be below high, 0"),
        ("high: 0.99, ", "", "5: tasks.small.normalise.high: missing: The score that counts as 1"),
        ("  small:", "  sm/all:", "5: tasks.sm/all: 'sm/all' cannot name a folder: use letters"),
        ("suite: grid", "suite: report", "1: suite: 'report' is reserved"),
        ("ppo: {}", "ppo: rnd", '13: methods.ppo: expected a mapping, got "rnd" (text)'),
        ("ppo: {}", "ppo: {config: {eta: 1}}", "13: methods.ppo.config: config has no meaning without a reward: add '"),
        ("steps: 4096", "steps: few", '24: profiles.smoke.steps: expected a whole number, got "few" (text)'),
        ("steps: 4096", "stpes: 5", "24: profiles.smoke.stpes: unknown key 'stpes': did you mean 'steps'?"),
        ("large: null", "lrge: null", "27: profiles.smoke.tasks.lrge: null drops a task, and there is none of this na"),
        ("long: {steps: 1e7}", "long: 5", "28: profiles.long: expected a mapping, got 5"),
        ("evaluation: {", "evaluation: [", "21: not YAML: "),
        ("steps: 2e5", "steps: 2e5\n    steps: 1", "9: tasks.large.steps: key 'steps' is given twice; first in line 8"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_place_and_remedy(file, old, new, message):
    found = refusal(file, old, new)
    assert found.startswith(f"grid.yaml:{message}")
    assert "\n" not in found


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"profile": "smok"}, "grid.yaml:22: profiles: unknown profile 'smok': did you mean 'smoke'? (known: long, sm"),
        ({"methods": ["rdn"]}, "grid.yaml:12: methods: unknown method 'rdn': did you mean 'rnd'? (known: ppo, rnd, rn"),
        ({"tasks": ["smal"]}, "grid.yaml:4: tasks: unknown task 'smal': did you mean 'small'? (known: large, small)"),
        ({"seeds": "4-0"}, "--seeds 4-0: seeds: expected a count such as 5, or seeds such as 0-4 or 0,3,7, got"),
        ({"steps": -1}, "--steps -1: steps: expected more than 0, got -1"),
        ({"overrides": [("methods", "5")]}, "--set methods=5: methods: expected a mapping, got 5"),
        ({"steps": "["}, "--steps [: not YAML: "),
        ({"overrides": [("step", "5")]}, "--set step=5: step: unknown key 'step': did you mean 'steps'?"),
        ({"overrides": [("steps", "many")]}, "--set steps=many: steps: expected a whole number, got \"many\" (text)"),
        ({"overrides": [("environment.siz", "5")]}, "--set environment.siz=5: environment.siz: environment family 'de"),
        ({"overrides": [("methods.rnd.config.etta", "5")]}, "--set methods.rnd.config.etta=5: methods.rnd.config.etta"),
    ],
)  # fmt: skip
def test_a_mistake_on_the_command_line_names_the_option(file, options, message):
    found = refusal(file, **options)
    assert found.startswith(message)
    assert "\n" not in found


def test_all_mistakes_of_a_file_come_at_once_by_line(file):
    file.write_text(
        SUITE.replace("size: 8", "sise: 8")
        .replace("n_envs: 4", "n_env: 4")
        .replace("eval", "evil")
        .replace("seeds: 1", "seds: 1")
        .replace("eviluation: {every: 1e4,", "evaluation: {every: 1e4, x: 1,")
    )
    with pytest.raises(SuiteErrors) as caught:
        load(file)
    assert [error.line for error in caught.value.errors] == [3, 11, 21, 25]
    assert [error.key for error in caught.value.errors] == [
        "environment.sise", "algorithm.n_env", "evaluation.x", "profiles.smoke.seds",
    ]  # fmt: skip
    assert all(error.file == file for error in caught.value.errors)
    assert len(str(caught.value).splitlines()) == 4


def test_a_rule_over_several_keys_points_at_one_that_was_written(file):
    found = refusal(file, "n_envs: 4", "n_envs: 1").splitlines()
    assert found[0].startswith("grid.yaml:11: algorithm.n_envs: algorithm 'ppo': batch_size 256 is larger than a rollout")
    assert found[1].startswith("grid.yaml:18: methods.rnd_quick.algorithm.n_steps: algorithm 'ppo': batch_size 256 is")


def test_the_same_mistake_is_told_once_for_all_tasks_and_methods(file):
    assert refusal(file, "size: 8", "size: x").count("\n") == 0
    assert refusal(file, "n_envs: 4", "n_envs: x").count("\n") == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "grid.yaml: is empty; a suite is a mapping such as 'suite: my_suite'"),
        ("# only a comment\n", "grid.yaml: is empty"),
        ("\n- a\n", "grid.yaml:1: a suite is a mapping such as 'suite: my_suite', got a list"),
        ("hello", "grid.yaml:1: a suite is a mapping such as 'suite: my_suite', got \"hello\" (text)"),
    ],
)
def test_files_that_hold_no_suite(file, content, message):
    file.write_text(content)
    with pytest.raises(SuiteError) as caught:
        load(file)
    assert str(caught.value).replace(f"{file.parent}/", "").startswith(message)


def test_a_missing_file_names_its_neighbour(file):
    with pytest.raises(SuiteError, match=r"gird\.yaml: no such file: did you mean .*grid\.yaml\?"):
        load(file.with_name("gird.yaml"))


JUNK = ["x", "5", "-1", "1.5", "true", "null", "{}", "[]", "[1]", "{a: b}", "'..'", "{x: null}", "0-4", "rnd", "1e400", "*a"]
KEYS = ["suite", "environment", "tasks", "algorithm", "methods", "seeds", "steps", "evaluation", "checkpoint", "profiles"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(JUNK)), max_size=3), st.booleans())
def test_junk_gives_a_suite_or_its_errors(tmp_path_factory, changes, with_profile):
    path = tmp_path_factory.getbasetemp() / "junk.yaml"
    path.write_text(SUITE)
    try:
        plan = load(path, profile="smoke" if with_profile else None, overrides=changes)
    except SuiteError as error:
        assert all(line.startswith((str(path), "--set ")) for line in str(error).splitlines())
    else:
        assert plan.runs


@settings(deadline=None)
@given(
    st.text("abc:{}[]-, \n'\"&*!|>#%@?\t1", max_size=40)
    | st.lists(st.sampled_from([*KEYS, ":", "\n", " ", "  ", "{", "}", "- ", *JUNK]), max_size=25).map("".join)
)
def test_any_text_gives_a_suite_or_its_errors(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "text.yaml"
    path.write_text(text)
    with pytest.raises(SuiteError) as caught:
        load(path)
    assert all(line.startswith(str(path)) for line in str(caught.value).splitlines())
