"""The family steps what Gymnasium steps, as an agent here expects it; what cannot be is refused in a sentence."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from support.gymnasium_envs import SPACES, SpacesEnv

from harness.environments.gymnasium.actions import action_converter
from harness.environments.gymnasium.adapter import AdaptedEnv
from harness.environments.gymnasium.config import GymnasiumConfig
from harness.environments.gymnasium.family import make
from harness.environments.gymnasium.observations import Vectors
from harness.environments.gymnasium.registered_ids import own_ids, own_step_limit
from harness.environments.vector.batch import GymnasiumVecEnv
from harness.errors import RunError, UserError


def config(id: str = "CartPole-v1", **values: Any) -> GymnasiumConfig:
    return GymnasiumConfig.model_validate({"id": id, **values})


def spaces_config(spaces_of: str, fault: str = "", **values: Any) -> GymnasiumConfig:
    kwargs = {"spaces_of": spaces_of, "fault": fault}
    return config("harness_tests/Spaces-v0", **{"import": "support.gymnasium_envs"}, kwargs=kwargs, **values)


def rolled(env: GymnasiumVecEnv, steps: int, seed: int = 3) -> list[Any]:
    env.reseed(range(seed, seed + env.num_envs))
    env.action_space.seed(seed)
    env.enable_metrics()
    out: list[Any] = [env.reset()]
    for _ in range(steps):
        observations, rewards, dones, infos = env.step(np.stack([env.action_space.sample() for _ in range(env.num_envs)]))
        assert observations.dtype == env.observation_space.dtype
        assert all(env.observation_space.contains(one) for one in observations)
        out += [observations, rewards, dones, *(info["terminal_observation"] for info in infos if info)]
        out.append(np.array([info.get("metrics", {}).get("success", -1.0) for info in infos if info]))
    return out


def same(one: list[Any], other: list[Any]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


# --------------------------------------------------------------------------------------------------------------------
# Stepping
# --------------------------------------------------------------------------------------------------------------------
def test_cart_poles_are_those_of_gymnasium_with_the_last_observation_and_the_kind_of_end():
    env, theirs = make(config(episode_steps=12), 1), gymnasium.make("CartPole-v1", max_episode_steps=12)
    env.reseed([7])
    seen = [env.reset()[0], theirs.reset(seed=7)[0]]
    kinds = set()
    for step in range(200):
        action = int(step // 13 % 3 == 0)
        observations, rewards, dones, infos = env.step(np.array([action]))
        expected, reward, terminated, truncated, _ = theirs.step(action)
        assert rewards[0] == reward and dones[0] == (terminated or truncated)
        if dones[0]:
            assert np.array_equal(infos[0]["terminal_observation"], expected)
            assert infos[0]["TimeLimit.truncated"] == (truncated and not terminated)
            kinds.add(infos[0]["TimeLimit.truncated"])
            expected, _ = theirs.reset()
        assert np.array_equal(observations[0], expected)
    assert kinds == {True, False} and not np.array_equal(*seen[:1], observations[0])


@pytest.mark.parametrize("spaces_of", ["nested", "bits", "whole"])
def test_processes_give_the_numbers_of_one(spaces_of: str):
    runs = []
    for processes in (1, 2):
        env = make(spaces_config(spaces_of, processes=processes), 3)
        runs.append(rolled(env, 12))
        env.close()
    assert same(*runs)


def test_seeds_decide_everything():
    env = make(config(), 2)
    assert same(rolled(env, 60), rolled(env, 60))
    assert not same(rolled(env, 60), rolled(env, 60, seed=9))


def test_frames_are_stacked_newest_last_and_begin_with_the_first_repeated():
    plain, stacked = make(config(), 1), make(config(frame_stack=3), 1)
    for env in (plain, stacked):
        env.reseed([5])
    frames = [plain.reset()[0]] * 3
    assert np.array_equal(stacked.reset()[0], np.concatenate(frames))
    ended = 0
    for _ in range(40):
        one, _, dones, infos = plain.step(np.array([1]))
        stack, _, _, stacked_infos = stacked.step(np.array([1]))
        if dones[0]:
            last = np.concatenate([*frames[1:], infos[0]["terminal_observation"]])
            assert np.array_equal(stacked_infos[0]["terminal_observation"], last)
            frames, ended = [one[0]] * 3, ended + 1
        else:
            frames = [*frames[1:], one[0]]
        assert np.array_equal(stack[0], np.concatenate(frames))
    assert ended


def test_repeated_actions_add_rewards_until_the_end():
    env = make(spaces_config("whole", action_repeat=3), 1)
    env.reset()
    rewards = [env.step(np.zeros((1, 2)))[1:3] for _ in range(2)]
    assert [(reward[0], done[0]) for reward, done in rewards] == [(6.0, False), (9.0, True)]  # 1 + 2 + 3, then 4 + 5
    assert spaces_config("whole", action_repeat=3).frames_per_step == 3


def test_success_and_named_numbers_are_metrics_and_what_is_not_told_is_left_out():
    env = make(spaces_config("bits", metrics=["tiles", "missing"]), 1)
    env.enable_metrics()
    env.reset()
    ends = [info["metrics"] for _ in range(10) for info in env.step(np.zeros((1, 4), np.int8))[3] if info]
    assert ends == [{"success": 0.0, "tiles": 5.0}, {"success": 1.0, "tiles": 5.0}]
    silent = make(config(episode_steps=2), 1)
    silent.enable_metrics()
    silent.reset()
    assert "metrics" not in [silent.step(np.array([0]))[3][0] for _ in range(2)][-1]


def test_wrappers_stand_in_their_order_with_what_they_are_given():
    path = "support.gymnasium_envs:Reversed"
    plain, once, thrice = (
        AdaptedEnv(config(wrappers=wrappers))
        for wrappers in ([], [path], [path, {"class": path, "times": 2}, "gymnasium.wrappers:FlattenObservation"])
    )
    first, reversed_, again = (env.reset(seed=1)[0] for env in (plain, once, thrice))
    assert np.array_equal(first[::-1], reversed_) and np.array_equal(reversed_, again)


def test_a_package_of_ones_own_is_imported_here_and_in_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "strangers_envs.py").write_text(
        "import gymnasium\n"
        "gymnasium.register('strangers/Cart-v3', 'gymnasium.envs.classic_control.cartpole:CartPoleEnv', max_episode_steps=9)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    settings = config("strangers/Cart-v3", **{"import": "strangers_envs"}, processes=2)
    assert "strangers_envs" not in sys.modules, "validation imports nothing"
    env = make(settings, 2)
    assert rolled(env, 12)[0].shape == (2, 4)
    env.close()


# --------------------------------------------------------------------------------------------------------------------
# Spaces
# --------------------------------------------------------------------------------------------------------------------
def test_a_part_of_a_dictionary_is_the_image_channels_first():
    settings = spaces_config("dict", observation="hwc", keys=["camera"], frame_stack=2)
    assert settings.observations == "images"
    env = AdaptedEnv(settings)
    assert (env.observation_space.shape, env.observation_space.dtype, env.frame_channels) == ((6, 48, 40), np.uint8, 3)
    theirs = SpacesEnv("dict")
    first = theirs.reset(seed=4)[0]["camera"]
    shown = env.reset(seed=4)[0]
    assert np.array_equal(shown[3:], first.transpose(2, 0, 1)) and np.array_equal(shown[:3], shown[3:])


def test_floats_and_whole_numbers_become_bytes():
    chw, grey = (
        AdaptedEnv(spaces_config("chw", observation="chw")),
        AdaptedEnv(spaces_config("grey", observation="hw", action_limit=2)),
    )
    for env, name, scale in ((chw, "chw", 255), (grey, "grey", 1)):
        shown, theirs = env.reset(seed=2)[0], SpacesEnv(name).reset(seed=2)[0]
        assert shown.dtype == np.uint8 and shown.shape == (1, 40, 48)
        assert np.array_equal(shown[0], np.rint(theirs.reshape(40, 48) * np.float64(scale)))
        assert shown.max() > 100


def test_parts_are_flattened_in_the_order_of_the_keys():
    env = AdaptedEnv(spaces_config("dict", keys=["room", "position"]))
    theirs = SpacesEnv("dict").reset(seed=1)[0]
    room = np.eye(3)[theirs["room"] - 1]
    assert np.array_equal(env.reset(seed=1)[0], np.concatenate([room, theirs["position"].ravel()]).astype(np.float32))


def leaf_spaces() -> st.SearchStrategy[spaces.Space]:
    shapes = st.lists(st.integers(1, 3), max_size=3).map(tuple)
    dtypes = st.sampled_from([np.float32, np.float64, np.int8, np.uint8, np.int64])
    boxes = st.builds(lambda shape, dtype: spaces.Box(0, 9, shape, dtype), shapes, dtypes)
    unbounded = shapes.map(lambda shape: spaces.Box(-np.inf, np.inf, shape, np.float32))
    indices = st.builds(lambda n, start: spaces.Discrete(n, start=start), st.integers(1, 5), st.integers(-3, 3))
    lists = st.lists(st.integers(1, 4), min_size=1, max_size=3)
    multi = lists.map(lambda counts: spaces.MultiDiscrete(counts, start=[2] * len(counts)))
    return st.one_of(boxes, unbounded, indices, multi, lists.map(spaces.MultiBinary))


def nested_spaces() -> st.SearchStrategy[spaces.Space]:
    def extend(parts: st.SearchStrategy[spaces.Space]) -> st.SearchStrategy[spaces.Space]:
        tuples = st.lists(parts, min_size=1, max_size=3).map(spaces.Tuple)
        names = st.text("abc", min_size=1, max_size=2)
        return tuples | st.dictionaries(names, parts, min_size=1, max_size=3).map(spaces.Dict)

    return st.recursive(leaf_spaces(), extend, max_leaves=6)


@given(space=nested_spaces(), seed=st.integers(0, 99))
@settings(max_examples=150)
def test_vectors_are_what_gymnasium_flattens_to(space: spaces.Space, seed: int):
    space.seed(seed)
    observation, convert = space.sample(), Vectors(space)
    vector = convert(observation)
    assert vector.dtype == np.float32 and convert.space.contains(vector)
    assert np.array_equal(vector, spaces.flatten(space, observation).astype(np.float32))


@given(
    space=st.one_of(
        leaf_spaces().filter(lambda space: isinstance(space, spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary)),
        st.builds(
            lambda low, width, shape, dtype: spaces.Box(low, low + width, shape, dtype),
            st.integers(-5, 5), st.integers(1, 9), st.lists(st.integers(1, 3), max_size=3).map(tuple),
            st.sampled_from([np.float32, np.float64, np.int32]),
        ),
    ),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_every_action_of_the_agents_is_one_of_the_environments(space: spaces.Space, seed: int):
    actions = action_converter(space, None)
    actions.space.seed(seed)
    samples = [actions.space.sample() for _ in range(20)]
    taken = [actions.convert(int(one) if isinstance(space, spaces.Discrete) else one) for one in samples]
    assert all(space.contains(np.asarray(one, space.dtype) if np.ndim(one) else one) for one in taken)
    if isinstance(space, spaces.Box):
        ends = [actions.convert(np.full(actions.space.shape, end, np.float32)) for end in (-1, 1)]
        assert np.array_equal(ends[0], space.low) and np.array_equal(ends[1], space.high)
    elif isinstance(space, spaces.Discrete):
        assert {actions.convert(i) for i in range(int(space.n))} == set(range(int(space.start), int(space.start + space.n)))


@pytest.mark.parametrize("spaces_of", ["dict", "nested", "bits", "chw", "grey", "whole"])
def test_environments_accept_what_agents_do(spaces_of: str):
    image = {"dict": {"keys": ["camera"], "observation": "hwc"}, "chw": {"observation": "chw"}, "grey": {"observation": "hw"}}
    env = make(spaces_config(spaces_of, action_limit=4.0, **image.get(spaces_of, {})), 2)
    rolled(env, 12)  # the environment asserts that each action is in its space
    if not isinstance(env.action_space, spaces.Box):
        with pytest.raises(ValueError, match="actions must be"):
            env.step(np.full((2, *(env.action_space.shape or ())), 9))


# --------------------------------------------------------------------------------------------------------------------
# Refusals
# --------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"id": "CartPol-v1"}, "did you mean 'CartPole-v1'"),
        ({"id": "CartPole-v7"}, "no environment 'CartPole-v7' is registered: did you mean 'CartPole-v"),
        ({"id": "Completely/Different-v0"}, "is registered; if another package brings it, install that package and name"),
        ({"id": "CartPole"}, "with its version, such as CartPole-v1"),
        ({"id": "my_package:Mine-v0"}, "a module to import is named under 'import'"),
        ({"import": "no_such_package"}, "there is no module 'no_such_package' here"),
        ({"import": ["os; rm"]}, "name of a module such as my_package.environments, got 'os; rm'"),
        ({"kwargs": {"max_episode_steps": 3}}, "write 'episode_steps' instead"),
        ({"wrappers": ["Reversed"]}, "an import path such as package.module:Class"),
        ({"wrappers": [{"times": 3}]}, "a mapping with one under 'class'"),
        ({"wrappers": ["no_such_package.a:B"]}, "no module 'no_such_package'"),
        ({"observation": "hwc", "keys": ["a", "b"]}, "one part is the image, not 2"),
        ({"metrics": ["return"]}, "'return' is a column"),
        ({"modules": ["os"]}, "Extra inputs"),
    ],
)  # fmt: skip
def test_settings_are_refused_before_anything_is_imported(values: dict[str, Any], message: str):
    with pytest.raises(ValidationError) as raised:
        config(**values)
    assert message in str(raised.value)


BROKEN = {"import": "support.gymnasium_envs"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (lambda: config("nobody/Knows-v0", **BROKEN), "no environment 'nobody/Knows-v0' is registered"),
        (lambda: config("harness_tests/Space-v0", **BROKEN), "did you mean 'harness_tests/Spaces-v0'"),
        (lambda: config(**{"import": "support.no_such_part"}), "import: cannot import 'support.no_such_part'"),
        (lambda: config("phys2d/CartPole-v1"), "needs a package that is not installed here: No module named 'jax'"),
        (lambda: config("GymV26Environment-v0"), "shimmy"),
        (lambda: config(kwargs={"render_mod": "x"}), "takes no argument 'render_mod': did you mean 'render_mode'?"),
        (lambda: config("FrozenLake-v1", kwargs={"map_name": "9x9"}), "made with kwargs {'map_name': '9x9'}: KeyError"),
        (lambda: config(wrappers=["support.gymnasium_envs:Reversd"]), "did you mean 'Reversed'"),
        (lambda: config(wrappers=[{"class": "support.gymnasium_envs:Reversed", "time": 1}]), "did you mean 'times'"),
        (lambda: config(wrappers=["support.gymnasium_envs:breaks"]), "breaks fails: ValueError: wraps nothing"),
        (lambda: config(wrappers=["support.gymnasium_envs:no_env"]), "gives no gymnasium.Env but int"),
        (lambda: config(observation="hwc"), "'observation: hwc' needs a Box of 3 dimensions"),
        (lambda: config(keys=["pole"]), "observations are no dictionary"),
        (lambda: spaces_config("dict"), "has the shape (48, 40, 3) in bytes, perhaps an image"),
        (lambda: spaces_config("dict", keys=["rom"]), "no part 'rom': did you mean 'room'?"),
        (lambda: spaces_config("dict", observation="hwc"), "name the part that is the image, one of camera, position, room"),
        (lambda: spaces_config("dict", observation="hw", keys=["position"]), "no image of bytes or of shares"),
        (lambda: spaces_config("text"), "which no network here reads"),
        (lambda: spaces_config("graph_actions"), "which no algorithm here learns"),
        (lambda: spaces_config("grey", observation="hw"), "action_limit: some actions have no bounds"),
    ],
)  # fmt: skip
def test_what_shows_when_the_environment_is_made(settings: Any, message: str):
    with pytest.raises(UserError) as raised:
        make(settings(), 1)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("nan", "number 0 of 2 is nan"),
        ("shape", "observation has the shape (1,), declared is (2,)"),
        ("dtype", "observation holds <U"),
        ("reward", "the reward must be a finite number, not inf"),
        ("old", "step() returned 4 values, where Gymnasium has 5"),
        ("raises", "it raised LookupError: the physics exploded"),
        ("word", "info['tiles'] must be a number to be recorded, not 'many'"),
    ],
)
def test_what_an_environment_does_wrong_is_told_with_its_id_and_step(processes: int, fault: str, message: str):
    if processes > 1 and fault != "nan":
        pytest.skip("one fault shows how processes tell it")
    env = make(spaces_config("whole", fault, metrics=["tiles"], processes=processes), 2)
    env.reset()
    env.step(np.zeros((2, 2)))
    with pytest.raises(RunError) as raised:
        env.step(np.zeros((2, 2)))
    env.close()
    assert str(raised.value).startswith("harness_tests/Spaces-v0, step 2 of an episode: ")
    assert message in str(raised.value)


def test_an_index_or_a_pixel_out_of_range_is_refused():
    space = spaces.Dict({"i": spaces.Discrete(3, start=1)})
    with pytest.raises(RunError, match=r"observation\['i'\] is 4, which is outside of Discrete"):
        Vectors(space)({"i": 4})
    with pytest.raises(RunError, match=r"observation\['i'\] is declared and not there"):
        Vectors(space)({})
    env = AdaptedEnv(spaces_config("grey", observation="hw", action_limit=1.0))
    with pytest.raises(RunError, match="has pixels outside of"):
        env._convert(np.full((40, 48), 256))


# --------------------------------------------------------------------------------------------------------------------
# Settings
# --------------------------------------------------------------------------------------------------------------------
def test_settings_survive_json_under_the_names_of_a_suite():
    settings = spaces_config("dict", wrappers=[{"class": "gymnasium.wrappers:TimeLimit", "max_episode_steps": 3}])
    written = settings.model_dump(mode="json")
    assert written["import"] == ["support.gymnasium_envs"] and "modules" not in written
    assert GymnasiumConfig.model_validate(json.loads(json.dumps(written))) == settings


def test_ids_are_read_as_gymnasium_registers_them():
    registered = {name for name in gymnasium.registry if not name.startswith(("harness_tests", "strangers"))}
    ours = set(own_ids())
    assert ours <= registered
    assert {"CartPole-v1", "Acrobot-v1", "phys2d/CartPole-v1", "HalfCheetah-v5"} <= ours
    assert all(set(SPACES)) and not {name for name in registered - ours if name.startswith(("CartPole", "Blackjack"))}


def test_the_longest_episode_is_known_where_gymnasium_or_the_suite_says_so():
    for env_id in own_ids():
        assert own_step_limit(env_id) == gymnasium.registry[env_id].max_episode_steps, env_id
    assert GymnasiumConfig(id="CartPole-v1").episode_limit == 500
    assert GymnasiumConfig(id="CartPole-v1", action_repeat=3).episode_limit == 167
    assert GymnasiumConfig(id="CartPole-v1", episode_steps=7, action_repeat=2).episode_limit == 4
    assert spaces_config("dict").episode_limit is None
    assert spaces_config("dict", episode_steps=5).episode_limit == 5
