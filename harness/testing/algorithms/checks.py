"""Every check of an algorithm, one function each, in the order in which they are shown."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from harness.algorithms import randomness
from harness.config import LEARNER_KINDS
from harness.config.describe import describe_settings
from harness.errors import UserError
from harness.spec import RESETTABLE_PARTS
from harness.testing.algorithms.subject import AlgorithmCase, AlgorithmSubject, CountingReward
from harness.testing.checks.check import Check
from harness.testing.checks.descriptions import validated
from harness.testing.checks.seeds import untouched
from harness.testing.outcomes import CheckFailed, NotApplicable, require, require_same

_ITERATIONS = 3
_WEIGHTS = "/policy/"
"""Where a learner's state holds the weights of its policy; see `harness.algorithms.base.Learner.state_dict`."""

_COLUMNS = ("time/iterations", "time/total_timesteps")


def config(subject: AlgorithmSubject) -> None:
    """Defaults are valid and survive JSON, fields are described, declared names are fields and parts that exist."""
    model = subject.config_class
    defaults = validated(model, {}, "no settings")
    require(validated(model, defaults.model_dump(mode="json"), "defaults") == defaults, "the same after JSON", "others")
    silent = [setting.name for setting in describe_settings(model) if not setting.meaning]
    require(not silent, f"a docstring under every field of {model.__name__}", f"none under {', '.join(silent)}")
    require(model.kinds() <= LEARNER_KINDS, f"kinds of {sorted(LEARNER_KINDS)}", sorted(model.kinds()))
    require(model.actions, "one kind of actions at least", "none")
    unknown = (model.architecture_fields or frozenset()) - model.model_fields.keys()
    require(not unknown, "fields in architecture_fields", f"{', '.join(unknown)}, which is none")
    parts = model.resettable_parts - frozenset(RESETTABLE_PARTS)
    require(not parts, f"parts of {', '.join(RESETTABLE_PARTS)} in resettable_parts", ", ".join(parts))


def presets(subject: AlgorithmSubject) -> None:
    """Every preset is valid and names its source."""
    found = subject.registry.presets(subject.algorithm)
    if not found:
        raise NotApplicable("it has no presets")
    for name, preset in found.items():
        validated(subject.config_class, preset.config, f"preset {name!r}")
        require(preset.source.strip(), f"a source for preset {name!r}", "an empty one")


def spaces(subject: AlgorithmSubject) -> None:
    """What it says that it learns is accepted; other actions are refused with a message."""
    for case in subject.cases:
        case.build()
    for case in subject.foreign_cases():
        try:
            case.build()
        except UserError as error:
            require(str(error), "a message that says why actions are refused", "an empty one")
        else:
            raise CheckFailed(f"expected {case.kind.actions} actions to be refused by a UserError, as declared, got a learner")


def images(subject: AlgorithmSubject) -> None:
    """Images stay as they are declared, channels first, and an iteration is possible on them."""
    for case in subject.image_cases:
        try:
            run = case.build(bonus=True)
        except UserError as error:
            raise NotApplicable(f"it refuses images: {error}") from None
        first = run.learner.observations
        require(np.array_equal(first, run.base.script.obs[0]), "the observations that the environments show", "others")
        run.iterate()


def trains(case: AlgorithmCase) -> None:
    """Metrics are finite floats by name, steps are counted as declared, and weights move."""
    run, declared = case.build(), case.subject.config
    before, step = run.tensors(), run.learner.step
    require(step == 0, "0 steps at the beginning", step)
    taken = run.learner.vector_steps_per_iteration * declared.n_envs
    require(taken == declared.steps_per_iteration, f"steps_per_iteration to be {taken}", declared.steps_per_iteration)
    for number, metrics in enumerate(run.iterate(_ITERATIONS), 1):
        wanted = (number, number * taken)
        require(tuple(metrics.get(name) for name in _COLUMNS) == wanted, f"{wanted} for {' and '.join(_COLUMNS)}", metrics)
        wrong = {name: value for name, value in metrics.items() if not math.isfinite(value)}
        require(not wrong, "finite metrics", wrong)
    require(run.learner.step == _ITERATIONS * taken, f"{_ITERATIONS * taken} steps", run.learner.step)
    require(_changed(before, run.tensors()), "weights that move", "the same ones after all iterations")


def deterministic(case: AlgorithmCase) -> None:
    """The seed decides every number, whatever the global streams were before."""
    with randomness.temporary_seed(1):
        first, other = case.build(3).iterate(2), case.build(4).iterate(2)
    with randomness.temporary_seed(2):
        again = case.build(3).iterate(2)
    require_same(_numbers(first), _numbers(again), "from the same seed")
    require(first != other, "other numbers from another seed", "the same")


def resume(case: AlgorithmCase) -> None:
    """Through a checkpoint and its replay files into a learner of another seed, with a bonus: the same numbers follow."""
    with tempfile.TemporaryDirectory() as name, randomness.temporary_seed(0):
        unbroken = case.build(1, bonus=True)
        unbroken.iterate(2)
        state = unbroken.checkpoint(Path(name))
        expected = unbroken.iterate(2)
        resumed = case.build(2, bonus=True)
        resumed.resume(state, Path(name))
        require_same(_numbers(expected), _numbers(resumed.iterate(2)), "after a checkpoint")
        require_same(unbroken.tensors(), resumed.tensors(), "in the state, two iterations after a checkpoint")


def predict(case: AlgorithmCase) -> None:
    """Actions fit the space, likeliest ones repeat, memory is carried, and training takes no notice."""
    run, control = case.build(1), case.build(1)
    observations, starts = run.learner.observations, np.ones(case.subject.config.n_envs, dtype=bool)
    first, state = run.learner.predict(observations, deterministic=True, state=None, episode_starts=starts)
    again, _ = run.learner.predict(observations, deterministic=True, state=None, episode_starts=starts)
    require(len(first) == len(observations), f"{len(observations)} actions", len(first))
    require(case.actions_fit(first), f"actions of {case.kind.spaces.action}", first)
    require(np.array_equal(first, again), "the likeliest actions to be the same when asked again", "others")
    declared = case.subject.config.sequences
    require((state is not None) == declared, f"{'a' if declared else 'no'} recurrent state, as declared", type(state).__name__)
    run.learner.predict(observations, deterministic=True, state=state, episode_starts=~starts)
    with randomness.temporary_seed(5):
        sampled, _ = run.learner.predict(observations, deterministic=False)
    require(case.actions_fit(sampled), f"sampled actions of {case.kind.spaces.action}", sampled)
    with randomness.temporary_seed(6):
        expected = control.iterate(2)
    with randomness.temporary_seed(6):
        require_same(_numbers(expected), _numbers(run.iterate(2)), "whether or not actions were predicted in between")


def reset(case: AlgorithmCase) -> None:
    """Each part begins anew without a trace on the global streams, from its own seed, and learning goes on."""
    for part in sorted(case.subject.config.resettable_parts):
        one, other = case.build(), case.build()
        with randomness.temporary_seed(7):
            one.iterate(2)
        with randomness.temporary_seed(7):
            other.iterate(2)
        before = one.tensors()
        with untouched(f"reset of {part}"):
            one.learner.reset([part], 11)
        other.learner.reset([part], 11)
        after = one.tensors()
        require_same(after, other.tensors(), f"from two resets of {part} with one seed")
        anew = _changed(before, after)
        wanted = part in ("actor", "critics")
        require(anew == wanted, f"{'new' if wanted else 'the same'} weights after a reset of {part}", "not so")
        with randomness.temporary_seed(8):
            one.iterate()


def start_from(case: AlgorithmCase) -> None:
    """Networks and optimisers are taken over from another run, and steps counted on from the number given."""
    taught, pupil = case.build(1), case.build(2)
    taught.iterate(2)
    pupil.learner.start_from(taught.checkpoint(Path(tempfile.mkdtemp()))["learner"], 1000)
    require(pupil.learner.step == 1000, "1000 steps", pupil.learner.step)
    learned = {name: value for name, value in taught.tensors().items() if name.startswith(_WEIGHTS)}
    require_same(learned, {name: pupil.tensors()[name] for name in learned}, "in the networks of the run that it begins from")
    pupil.iterate()


def bonus(case: AlgorithmCase) -> None:
    """The method sees every step, scores and learns, and its statistics are finite."""
    run = case.build(bonus=True)
    assert isinstance(run.reward, CountingReward)
    assert run.bonus_env is not None
    run.iterate(2)
    steps = run.learner.step
    require(run.reward.observed == steps, f"{steps} transitions shown to observe()", run.reward.observed)
    require(run.reward.scored, "bonuses to be asked for", "none")
    require(run.reward.learned, "update() to be called", "no call")
    wrong = {name: value for name, value in run.bonus_env.pop_metrics().items() if not math.isfinite(value)}
    require(not wrong, "finite statistics of the bonus", wrong)
    run.bonus_env.set_phase(1.0, 0.0, False)
    before = run.reward.learned, run.reward.observed
    run.iterate()
    require(
        (run.reward.learned, run.reward.observed) == before, "a method that a phase does not train to stay as it is", "not so"
    )


def _numbers(rows: Sequence[Mapping[str, float]]) -> dict[str, Tensor]:
    return {f"metric {name!r} of iteration {i}": torch.as_tensor(row[name]) for i, row in enumerate(rows) for name in row}


def _changed(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> bool:
    """Whether any weight of the policy differs."""
    return any(name.startswith(_WEIGHTS) and not torch.equal(value, after[name]) for name, value in before.items())


def _for_each_case(check: Callable[[AlgorithmCase], None]) -> Callable[[AlgorithmSubject], None]:
    def run(subject: AlgorithmSubject) -> None:
        for case in subject.cases:
            try:
                check(case)
            except CheckFailed as failure:
                raise CheckFailed(f"{case.kind}: {failure}") from None

    return run


ALGORITHM_CHECKS: tuple[Check, ...] = (
    Check("config", "the configuration's defaults are valid, it survives JSON, and every field is described", config),
    Check("presets", "every preset is valid and names its source", presets),
    Check("spaces", "it accepts the actions that it declares, and refuses others with a clear message", spaces),
    Check("images", "images reach it as the environments declare them", images),
    Check("trains", "steps and metrics are as declared, and weights move", _for_each_case(trains)),
    Check("seed", "the same seed gives the same numbers, another seed gives others", _for_each_case(deterministic)),
    Check("resume", "restored from a checkpoint, it continues to the same numbers", _for_each_case(resume)),
    Check("predict", "acting in an evaluation fits the space and leaves no trace on training", _for_each_case(predict)),
    Check("reset", "parts that a phase may reset begin anew from their own seed", _for_each_case(reset)),
    Check("start_from", "it goes on with what another run has learned", _for_each_case(start_from)),
    Check("bonus", "a method sees every step, scores and learns", _for_each_case(bonus)),
)
"""Every check, in the order in which they are shown."""
