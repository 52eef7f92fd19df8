"""Every check of a family: each returns, or raises `CheckFailed` or `NotApplicable`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from gymnasium import spaces
from pydantic import ValidationError

from harness.config.describe import describe_settings
from harness.environments.base import NO_INFO, HarnessVecEnv, StepReturn
from harness.errors import UserError
from harness.testing.families.family import SEEDS, Family, Rollout, reset, step
from harness.testing.families.places import check_places
from harness.testing.families.resuming import actions_again, declared_way
from harness.testing.outcomes import CheckFailed, NotApplicable, require
from harness.training import trees

_STATE_STEPS = 40
_PICTURES = 10  # steps that are looked at, beside the ends of episodes
_IMAGE_DIMENSIONS = 3


@dataclass(frozen=True)
class FamilyCheck:
    """One check.

    Attributes:
        name: Short name of the check.
        description: What it checks, in one sentence.
        run: The function that checks a family.
    """

    name: str
    description: str
    run: Callable[[Family], None]


def config(family: Family) -> None:
    """The example's settings are valid, survive JSON, and every field is described."""
    try:
        settings = family.config
        again = family.config_class.model_validate(settings.model_dump(mode="json"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise CheckFailed(f"expected valid settings from the family's example, got {where}: {first['msg']}") from None
    require(again == settings, "the same settings after a way through JSON", repr(again))
    silent = [setting.name for setting in describe_settings(family.config_class) if not setting.meaning]
    require(not silent, f"a docstring under every field of {family.config_class.__name__}", f"none under {', '.join(silent)}")


def declared(family: Family) -> None:
    """Spaces are those that learners take, and what the settings say of them holds."""
    with family.environments() as env:
        require(isinstance(cast(object, env), HarnessVecEnv), "a harness.HarnessVecEnv", type(env).__name__)
        seen, taken = cast(Any, env.observation_space), cast(Any, env.action_space)
        require(isinstance(seen, spaces.Box), "observations of one Box", seen)
        assert isinstance(seen, spaces.Box)
        kinds = (spaces.Discrete, spaces.Box, spaces.MultiDiscrete, spaces.MultiBinary)
        require(isinstance(taken, kinds), "actions that an algorithm learns", taken)
        images = env.frame_channels is not None
        if images:
            _require_image(cast(spaces.Box, seen), env.frame_channels or 0)
        else:
            require(
                seen.dtype == np.float32,
                "vectors of float32, or frame_channels where they are images",
                cast(object, seen.dtype),
            )
        said = family.config.observations
        require(said in (None, "images" if images else "vectors"), f"{said}, as the settings say", cast(object, seen))
        actions = "discrete" if isinstance(taken, spaces.Discrete) else "continuous" if isinstance(taken, spaces.Box) else None
        require(
            family.config.actions in (None, actions),
            f"{family.config.actions} actions, as the settings say",
            cast(object, taken),
        )
        require(env.num_envs == len(SEEDS), f"{len(SEEDS)} environments", env.num_envs)


def shapes(family: Family) -> None:
    """Every answer has the promised shape and dtype and lies in its space; rewards are finite."""
    with family.environments() as env:
        space, n = env.observation_space, env.num_envs
    rollout = family.rollout
    for observations in rollout.observations:
        _require_observations(observations, space, n)
    for rewards, dones, infos in zip(rollout.rewards, rollout.dones, rollout.infos, strict=True):
        require(rewards.dtype == np.float32 and rewards.shape == (n,), f"rewards as float32 ({n},)", _shape(rewards))
        require(np.isfinite(rewards).all(), "finite rewards", rewards.tolist())
        require(dones.dtype == np.bool_ and dones.shape == (n,), f"dones as bool ({n},)", _shape(dones))
        require(type(infos) is list and len(infos) == n, f"a list of {n} infos", infos)


def infos(family: Family) -> None:
    """Infos are the shared empty one, but at an episode's end tell how it ended and what was measured, in numbers."""
    with family.environments() as env:
        space = env.observation_space
    rollout = family.rollout
    for t, (dones, infos) in enumerate(zip(rollout.dones, rollout.infos, strict=True)):
        for env_index, info in enumerate(infos):
            if not dones[env_index]:
                require(info is NO_INFO, "harness.NO_INFO where no episode ends", f"{info!r} at step {t}")
                continue
            last, cut, metrics = (info.get(key) for key in ("terminal_observation", "TimeLimit.truncated", "metrics"))
            require(
                isinstance(last, np.ndarray) and space.contains(last), "a terminal_observation of the space", f"{last!r:.80}"
            )
            require(isinstance(cut, bool), "TimeLimit.truncated, True or False", repr(cut))
            measured: Mapping[Any, Any] = metrics or {}
            for name, value in measured.items():
                number = isinstance(value, int | float) and np.isfinite(value)
                require(isinstance(name, str) and number, "metrics as finite numbers by name", f"{name!r}: {value!r}")
    require(not NO_INFO, "that nobody writes into harness.NO_INFO", NO_INFO)


def last_observation(family: Family) -> None:
    """An ended episode's last observation is its own, and what the step returns is the next one's first."""
    rollout = family.rollout
    ends = _ends(rollout)
    for t, env in ends:
        if not np.array_equal(rollout.infos[t][env]["terminal_observation"], rollout.observations[t + 1][env]):
            return
    raise CheckFailed("expected terminal_observation to be the last of its episode, got the first of the next")


def copies(family: Family) -> None:
    """What was handed out is the caller's: no later step changes it, and changing it changes nothing."""
    with family.environments() as env:
        env.reseed(SEEDS)
        env.enable_metrics()
        handed: list[np.ndarray] = [np.asarray(env.reset())]
        kept = [handed[0].copy()]
        for actions in family.rollout.actions:
            given = actions.copy()
            step = cast(StepReturn, env.step(given))
            observations, rewards, dones, infos = step
            require(np.array_equal(given, actions), "actions to be left as they were given", "other ones after the step")
            parts = [np.asarray(observations), rewards, dones]
            parts += [info["terminal_observation"] for info in infos if info]
            for was, copy in zip(handed, kept, strict=True):
                require(np.array_equal(was, copy), "what was handed out to stay as it was", "an array that a step has changed")
            kept = [part.copy() for part in parts]
            handed = parts
    with family.environments() as env:
        env.enable_metrics()
        scribbled = reset(env, SEEDS)
        for actions in family.rollout.actions:
            observations = env.step(actions)[0]
            scribbled.observations.append(np.array(observations))
            np.asarray(observations).fill(0)
    _require_equal(
        family.rollout.observations, scribbled.observations, "when observations that were handed out are written to"
    )


def seeds(family: Family) -> None:
    """Equal seeds give equal episodes, in one batch after the other and in another one; seeds belong to environments."""
    with family.environments() as env:
        env.enable_metrics()
        _require_same(family.rollout, family.replay(env), range(len(SEEDS)), "from the same seeds, in new environments")
        _require_same(family.rollout, family.replay(env), range(len(SEEDS)), "from the same seeds, after other episodes")
        backwards = list(range(len(SEEDS)))[::-1]
        swapped = family.replay(env, SEEDS[::-1], backwards)
        _require_same(family.rollout, swapped, backwards, "when seeds and actions change places")


def batch(family: Family) -> None:
    """An environment does not depend on how many there are, nor on threads."""
    with family.environments(1) as env:
        env.enable_metrics()
        _require_same(family.rollout, family.replay(env, SEEDS[:1], [0]), [0], "alone")
    with family.environments(threads=2) as env:
        env.enable_metrics()
        _require_same(family.rollout, family.replay(env), range(len(SEEDS)), "with two threads")


def state(family: Family) -> None:
    """From `state_dict` the environments go on exactly, in the same object and in a new one."""
    rollout = family.rollout
    with family.environments() as env, family.environments() as other:
        if not env.exact_state:
            raise NotApplicable("environments do not restore their state: a resumed run does their actions again")
        env.enable_metrics()
        other.enable_metrics()
        half = len(rollout) // 2
        going = reset(env, SEEDS)
        for actions in rollout.actions[:half]:
            step(env, going, actions)
        saved = _through_a_checkpoint(env.state_dict())
        for restored, why in ((other, "from a state in a new object"), (env, "from a state, after other steps")):
            for actions in rollout.actions[:_STATE_STEPS] if restored is env else ():
                env.step(actions)
            restored.load_state_dict(saved)
            after = Rollout(observations=[rollout.observations[half]])
            for actions in rollout.actions[half:]:
                step(restored, after, actions)
            rest = Rollout(rollout.observations[half:], *(getattr(rollout, name)[half:] for name in _PER_STEP))
            _require_same(rest, after, range(len(SEEDS)), why)


def pictures(family: Family) -> None:
    """Where environments can be seen, pictures are all of one size, and looking at them changes nothing."""
    with family.environments() as env:
        env.enable_metrics()
        seen = reset(env, SEEDS)
        shapes = {_picture_shape(env, seen.observations[0][0], 0)}
        if shapes == {None}:
            raise NotApplicable("environments show no pictures")
        for t, actions in enumerate(family.rollout.actions):
            step(env, seen, actions)
            last = seen.infos[t][0].get("terminal_observation")
            if t < _PICTURES:
                shapes.add(_picture_shape(env, seen.observations[-1][0], 0))
            if last is not None and (shape := _picture_shape(env, last, None)) is not None:
                shapes.add(shape)
        require(len(shapes) == 1, "pictures of one size, whatever they show", shapes)
        _require_same(family.rollout, seen, range(len(SEEDS)), "while somebody looks at pictures")


def _picture_shape(env: HarnessVecEnv, observation: np.ndarray, index: int | None) -> tuple[int, ...] | None:
    given = observation.copy()
    try:
        picture = env.picture(given, index)
    except UserError as error:
        raise NotApplicable(str(error)) from None
    require(np.array_equal(given, observation), "an observation to be left as it was given", "another one")
    if picture is None:
        return None
    good = isinstance(cast(object, picture), np.ndarray) and picture.dtype == np.uint8 and picture.ndim == _IMAGE_DIMENSIONS
    require(good and picture.shape[2] == 3, "a picture as uint8 (height, width, 3)", _shape(np.asarray(picture)))
    return picture.shape


def places(family: Family) -> None:
    """Where environments tell where they are, they tell cells of a map, and nothing changes by it."""
    check_places(family, _require_same)


def closing(family: Family) -> None:
    """Closing twice does no harm, and environments that were never reset can be closed."""
    with family.environments() as env:
        env.close()


FAMILY_CHECKS: tuple[FamilyCheck, ...] = (
    FamilyCheck("config", "the example's settings are valid, survive JSON, and every field is described", config),
    FamilyCheck("declared", "spaces are what learners take, and what the settings say of them holds", declared),
    FamilyCheck("shapes", "answers have the promised shapes and dtypes and lie in their space", shapes),
    FamilyCheck("infos", "infos are shared and empty, but at an episode's end tell how it ended", infos),
    FamilyCheck("last_step", "an episode's last observation is its own, not the next one's first", last_observation),
    FamilyCheck("copies", "what was handed out is the caller's, for ever", copies),
    FamilyCheck("seeds", "seeds decide everything, each for its own environment", seeds),
    FamilyCheck("batch", "neither other environments nor threads make a difference", batch),
    FamilyCheck("state", "from a saved state the environments go on exactly, where that is promised", state),
    FamilyCheck("resuming", "settings say how environments come back, and how long an episode can be", declared_way),
    FamilyCheck(
        "actions", "the same actions lead new environments to the same place, on any number of threads", actions_again
    ),
    FamilyCheck("pictures", "pictures are of one size, and looking at them changes nothing", pictures),
    FamilyCheck("places", "where environments tell where they are, telling changes nothing", places),
    FamilyCheck("close", "closing twice does no harm", closing),
)
"""Every check, in the order in which they are shown."""

_PER_STEP = ("actions", "rewards", "dones", "infos")


def _require_image(space: spaces.Box, channels: int) -> None:
    good = space.dtype == np.uint8 and len(space.shape) == _IMAGE_DIMENSIONS
    require(good, "images as uint8 (channels, height, width)", space)
    whole = channels > 0 and space.shape[0] % channels == 0
    require(whole, f"a whole number of frames of {channels} channels", f"{space.shape[0]} channels")


def _require_observations(observations: np.ndarray, space: spaces.Space[Any], n: int) -> None:
    assert isinstance(space, spaces.Box)
    shape = (n, *space.shape)
    require(observations.shape == shape, f"observations of shape {shape}", observations.shape)
    require(observations.dtype == space.dtype, f"observations as {space.dtype}", observations.dtype)
    require(np.isfinite(observations).all(), "finite observations", "some that are not")
    inside = (observations >= space.low).all() and (observations <= space.high).all()
    require(inside, f"observations within {space}", f"{observations.min():g} to {observations.max():g}")


def _ends(rollout: Rollout) -> list[tuple[int, int]]:
    ends = list(rollout.ends())
    if not ends:
        raise NotApplicable(f"no episode ended in {len(rollout)} steps; give the family an example with short ones")
    return ends


def _through_a_checkpoint(state: Any) -> Any:
    """The state as it comes back from a file: nothing but arrays, numbers, strings, lists and dictionaries survives."""
    skeleton, tensors = trees.flatten(state)
    return trees.unflatten(skeleton, {name: tensor.clone() for name, tensor in tensors.items()})


def _require_same(one: Rollout, other: Rollout, columns: Sequence[int], why: str) -> None:
    """Fail unless environment ``columns[i]`` of the first answered what environment i of the second did."""
    for i, column in enumerate(columns):
        _require_equal(one.of(column), other.of(i), why)
        metrics = [
            [infos[env].get("metrics") for infos in rollout.infos if infos[env]]
            for rollout, env in ((one, column), (other, i))
        ]
        require(metrics[0] == metrics[1], f"the same metrics {why}", "other ones")


def _require_equal(one: Sequence[Any], other: Sequence[Any], why: str) -> None:
    require(len(one) == len(other), f"the same episodes {why}", "others")
    for expected, got in zip(one, other, strict=True):
        require(np.array_equal(expected, got), f"the same numbers {why}", "others")


def _shape(array: np.ndarray) -> str:
    return f"{array.dtype} {array.shape}"
