"""Search spaces: from annotations, changed by a suite; what cannot be is refused where it was written."""

from __future__ import annotations

import pytest

from harness.config import Search
from harness.errors import SuiteError, UserError
from harness.planning.load import load
from harness.registry import installed
from harness.tuning.parameters import Condition, Parameter, SearchSpace, nested
from harness.tuning.samplers import grid
from harness.tuning.space import algorithm_space, check_search_spaces, method_space, search_space

SAC = """
suite: off_policy
environment: {family: classic_control, sparse: true}
tasks: {mountain_car_continuous: {normalise: {low: 0, high: 1}}}
algorithm: {name: sac}
methods: {rnd: {reward: rnd, combine: {mode: sum}}}
steps: 1000
seeds: 1
evaluation: {every: 1000, episodes: 1}
"""


def space_of(place, text="", method="rnd"):
    file = place.folder / "toy.yaml"
    file.write_text(file.read_text().partition("tune:")[0] + (f"tune:\n{text}" if text else ""))
    plan = load(file)
    check_search_spaces(plan)
    check_search_spaces(plan, [method])
    return {p.name: p for p in search_space(plan, method).parameters}


def test_annotations_of_method_combination_and_algorithm_are_the_space(place):
    space = space_of(place)
    assert space["config.learning_rate"] == Parameter(
        "config.learning_rate", 1e-4, low=1e-5, high=1e-2, log=True, meaning="Adam's step size."
    )
    assert space["config.epochs"].whole
    assert space["algorithm.gamma"].choices == (0.98, 0.99, 0.995, 0.998, 0.999)
    assert space["combine.intrinsic_weight"].log
    assert set(space_of(place, method="ppo")) == {name for name in space if name.startswith("algorithm.")}


def test_what_has_no_effect_is_not_searched(place):
    space = space_of(place)
    assert "config.eta" not in space  # return_std divides it out
    assert "combine.intrinsic_gamma" not in space  # sum has one value function
    assert space["config.keep"].when is None
    changed = "  space: {rnd: {config: {mask: [none, sample], bonus_normalisation: [none, return_std]}}}"
    space = space_of(place, changed)
    assert space["config.keep"].when == Condition("config.mask", ("sample", "element"))
    assert not space["config.keep"].is_active({"config.mask": "none"})
    assert space["config.keep"].is_active({"config.mask": "sample"})
    names = list(space)
    assert names.index("config.mask") < names.index("config.keep")


def test_suite_narrows_widens_drops_and_adds(place):
    space = space_of(
        place,
        "  space:\n    rnd:\n      config:\n        learning_rate: {low: 1e-6}\n        epochs: null\n        hidden: null\n"
        "        observation_clip: {low: 1, high: 10}\n      algorithm:\n        gamma: [0.9, 0.95]\n",
    )
    assert (space["config.learning_rate"].low, space["config.learning_rate"].high) == (1e-6, 1e-2)
    assert space["config.learning_rate"].log
    assert "config.epochs" not in space
    assert space["config.observation_clip"].default == 5.0
    assert space["algorithm.gamma"].choices == (0.9, 0.95)


def test_parameters_may_be_named_by_patterns(place):
    assert set(space_of(place, "  parameters: [algorithm.g*, config.epochs]")) == {
        "algorithm.gamma",
        "algorithm.gae_lambda",
        "config.epochs",
    }


MISTAKES = {
    "method": ("  space: {rdn: {}}", "unknown method 'rdn': did you mean 'rnd'?"),
    "block": ("  space: {rnd: {confg: {}}}", "unknown block 'confg': did you mean 'config'?"),
    "setting": ("  space: {rnd: {config: {learning_rat: [1]}}}", "did you mean 'learning_rate'?"),
    "key": ("  space: {rnd: {config: {eta: {lwo: 1}}}}", "unknown key 'lwo': did you mean 'low'?"),
    "order": ("  space: {rnd: {config: {learning_rate: {low: 1, high: 0.1}}}}", "low, 1, is above high, 0.1"),
    "bound": ("  space: {rnd: {config: {learning_rate: {low: -1, log: false}}}}", "expected more than 0"),
    "log": ("  space: {rnd: {algorithm: {ent_coef: {low: 0, high: 1, log: true}}}}", "a logarithmic range must begin above 0"),
    "half a range": ("  space: {rnd: {config: {observation_clip: {low: 1}}}}", "a range needs both low and high"),
    "choice": ("  space: {rnd: {config: {mask: [sample, sampel]}}}", "did you mean 'sample'?"),
    "text": ("  space: {rnd: {config: {mask: {low: 0, high: 1}}}}", "is no number: give choices"),
    "whole": ("  space: {rnd: {config: {epochs: {low: 0.5}}}}", "is a whole number"),
    "both": ("  space: {rnd: {config: {epochs: {low: 1, choices: [1]}}}}", "choices stand alone"),
    "no effect": ("  space: {rnd: {config: {eta: [0.1, 1]}}}", "has an effect only with config.bonus_normalisation none"),
    "condition": ("  space: {rnd: {config: {eta: {low: 1, high: 2, when: {mas: none}}}}}", "did you mean 'mask'?"),
    "circle": (
        "  space: {rnd: {config: {mask: {choices: [none], when: {epochs: 1}}, epochs: {choices: [1], when: {mask: none}}}}}",
        "conditions go round in a circle",
    ),
    "sampler": ("  sampler: tpee", "did you mean 'tpe'?"),
    "pruner with two objectives": ("  objectives: [score, seconds]\n  pruner: median", "needs a single objective"),
    "no score": ("  objectives: [seconds]", "objectives must hold 'score'"),
}


@pytest.mark.parametrize(("text", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_refused_with_file_line_and_key(place, text, message):
    with pytest.raises(SuiteError) as caught:
        space_of(place, text)
    assert message in str(caught.value)
    assert caught.value.file is not None
    assert "tune" in str(caught.value).splitlines()[0]


def test_an_empty_space_is_said_to_be_empty(place):
    names = ("learning_rate", "n_epochs", "gamma", "gae_lambda", "clip_range", "ent_coef")
    text = f"  space: {{ppo: {{algorithm: {{{', '.join(f'{name}: null' for name in names)}}}}}}}"
    with pytest.raises(UserError, match="method 'ppo' has nothing to search"):
        space_of(place, text, method="ppo")


def test_every_installed_method_has_a_sound_space_and_every_condition_names_a_setting():
    for name in installed().methods:
        space = method_space(installed().method(name), installed())
        assert len(space.parameters) > 5, name
        for parameter in space.parameters:
            assert (parameter.low is None) == bool(parameter.choices), parameter


def default_outside(space):
    return {p.name: (p.default, p.range_in_words()) for p in space.parameters if not p.contains(p.default)}


@pytest.mark.parametrize("name", sorted(installed().methods))
def test_no_method_has_a_default_or_a_preset_outside_its_own_ranges(name):
    method = installed().method(name)
    for algorithm in installed().algorithms_for(method):
        for preset in ["", *installed().presets(method)]:
            assert not default_outside(method_space(method, installed(), algorithm, preset)), (name, algorithm, preset)


@pytest.mark.parametrize("name", sorted(installed().algorithms))
def test_no_algorithm_has_a_default_or_a_preset_outside_its_own_ranges(name):
    model = installed().algorithm_config(name)
    for preset in [None, *installed().presets(installed().algorithm(name)).values()]:
        assert not default_outside(algorithm_space(model, preset.config if preset else {})), (name, preset and preset.name)


@pytest.mark.parametrize("name", sorted(installed().methods))
def test_passes_over_a_rollout_are_searched_on_policy_alone(name):
    """Off-policy, each gradient step would pay for them: eight passes in 32 parts are 256 steps of the optimiser."""
    method = installed().method(name)
    for algorithm in installed().algorithms_for(method):
        searched = {p.name.rpartition(".")[2] for p in method_space(method, installed(), algorithm).parameters}
        if installed().algorithm_config(algorithm).kind == "off_policy":
            assert not searched & {"epochs", "minibatches", "n_epochs", "rnd_epochs"}, algorithm


def test_a_suite_may_search_off_policy_what_is_annotated_for_on_policy(place):
    (place.folder / "sac.yaml").write_text(SAC)
    plan = load(place.folder / "sac.yaml")
    assert {"config.learning_rate", "algorithm.tau"} <= {p.name for p in search_space(plan, "rnd").parameters}
    assert "config.epochs" not in {p.name for p in search_space(plan, "rnd").parameters}
    (place.folder / "sac.yaml").write_text(SAC + "tune: {space: {rnd: {config: {epochs: {low: 1, high: 2}}}}}\n")
    (epochs,) = (p for p in search_space(load(place.folder / "sac.yaml"), "rnd").parameters if p.name == "config.epochs")
    assert (epochs.low, epochs.high, epochs.whole) == (1, 2, True)


def test_a_search_is_one_thing():
    with pytest.raises(ValueError, match="either low and high, or choices"):
        Search(low=1.0)
    with pytest.raises(ValueError, match="at least one of its values"):
        Search(choices=(1,), when=("mode",))


def test_defaults_outside_the_space_are_no_point_of_it():
    inside = Parameter("a.x", 0.5, low=0.0, high=1.0)
    assert SearchSpace((inside,)).default() == {"a.x": 0.5}
    assert SearchSpace((inside, Parameter("a.y", None, choices=(1, 2)))).default() is None
    assert SearchSpace((inside, Parameter("a.y", None, choices=(1,), when=Condition("a.x", (1.0,))))).default() == {"a.x": 0.5}


def test_nested_and_grid():
    assert nested({"config.a.b": 1, "algorithm.c": 2}) == {"config": {"a": {"b": 1}}, "algorithm": {"c": 2}}
    space = SearchSpace(
        (
            Parameter("a.mask", "none", choices=("none", "some")),
            Parameter("a.keep", 1.0, choices=(0.5, 1.0), when=Condition("a.mask", ("some",))),
            Parameter("a.n", 1, whole=True, low=1, high=2),
            Parameter("a.rate", 1e-2, low=1e-4, high=1e-2, log=True),
        )
    )
    points = [{name: value for name, (_, value) in point.items()} for point in grid(space, 3)]
    assert len(points) == (1 + 2) * 2 * 3
    assert {"a.mask": "none", "a.n": 2, "a.rate": pytest.approx(1e-3)} in points
    assert len({str(point) for point in points}) == len(points)
