"""What RND promises: order of updates, masks, masks' cost, exact resumption, and that what is seen becomes familiar."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import Spaces, Transitions
from harness.errors import UserError
from harness.nn.moments import RunningMoments
from harness_rnd import presets
from harness_rnd.config import RNDConfig
from harness_rnd.reward import RND

SMALL = {"feature_dim": 8, "hidden": [16], "predictor_layers": 1, "warm_up_steps": 0, "learning_rate": 1e-2}
VECTORS = Spaces(spaces.Box(-1, 1, (5,), np.float32), spaces.Discrete(3))
IMAGES = Spaces(spaces.Box(0, 255, (4, 84, 84), np.uint8), spaces.Discrete(3), frame_channels=1)
N = 3


def make(seed: int = 0, world: Spaces = VECTORS, n_envs: int = N, **config: Any) -> RND:
    return RND(RNDConfig(**(SMALL | config)), world, n_envs, "cpu", seed)


def rollout(steps: int, seed: int, shift: float = 0.0) -> Transitions:
    """T * N transitions of vectors in time order."""
    random = torch.Generator().manual_seed(seed)
    n = steps * N
    obs, next_obs = (torch.randn(n, 5, generator=random) + shift for _ in range(2))
    never = torch.zeros(n, dtype=torch.bool)
    action = torch.zeros(n, dtype=torch.int64)
    return Transitions(obs, action, next_obs, torch.zeros(n), never, never, torch.arange(N).repeat(steps))


def weights(rnd: RND) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in rnd.pair.predictor.parameters()])


# Parameters -----------------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("any_weights")
@pytest.mark.parametrize(
    ("preset", "side", "target", "predictor"),
    [(presets.BURDA2018, 84, 1_677_984, 2_203_296), (presets.PECHAC2024, 96, 4_776_608, 5_301_920)],
    ids=["burda2018", "pechac2024"],
)
def test_published_numbers_of_parameters(preset: Any, side: int, target: int, predictor: int) -> None:
    world = Spaces(spaces.Box(0, 255, (4, side, side), np.uint8), spaces.Discrete(18), frame_channels=1)
    pair = RND(RNDConfig(**preset.config), world, 2, "cpu", 0).pair
    assert sum(p.numel() for p in pair.target.parameters()) == target
    assert sum(p.numel() for p in pair.predictor.parameters()) == predictor
    assert not any(p.requires_grad for p in pair.target.parameters())


def test_initial_weights_have_the_configured_gain() -> None:
    for parameter in make(init_gain=0.7).pair.parameters():
        if parameter.ndim == 1:
            assert not parameter.any()
        else:
            singular = torch.linalg.svdvals(parameter.detach())
            torch.testing.assert_close(singular, torch.full_like(singular, 0.7))


# Bonus ----------------------------------------------------------------------------------------------------------------
def test_a_predictor_that_equals_its_target_finds_nothing_new() -> None:
    rnd = make(predictor_layers=0)
    assert rnd.bonus(rollout(4, 0)).min() > 0
    rnd.pair.predictor[0].load_state_dict(rnd.pair.target.state_dict())
    assert not rnd.bonus(rollout(4, 0)).any()


@pytest.mark.parametrize("state", ["obs", "next_obs"])
def test_the_configured_state_is_scored(state: str) -> None:
    rnd, transitions = make(bonus_on=state), rollout(2, 0)
    bonus = rnd.bonus(transitions)
    torch.testing.assert_close(bonus, rnd.error(getattr(transitions, state)))
    assert bonus.dtype == torch.float32
    assert not bonus.requires_grad


def test_half_the_sum_is_half_the_features_times_the_mean() -> None:
    transitions = rollout(2, 0)
    mean, half_sum = make(aggregation="mean"), make(aggregation="half_sum")
    torch.testing.assert_close(half_sum.bonus(transitions), mean.bonus(transitions) * 8 / 2)


def test_eta_scales_and_the_clip_bounds() -> None:
    transitions = rollout(8, 0)
    plain = make().bonus(transitions)
    bound = float(plain.median())
    scaled = make(eta=3.0, bonus_clip=3 * bound).bonus(transitions)
    torch.testing.assert_close(scaled, 3 * plain.clamp(max=bound))
    assert (scaled == scaled.max()).sum() > 1


def test_bonus_changes_nothing() -> None:
    rnd = make()
    before = copy.deepcopy(rnd.state_dict())
    rnd.bonus(rollout(4, 0))
    torch.testing.assert_close(rnd.state_dict(), before, rtol=0, atol=0)


def test_images_are_scored_as_bytes_newest_frame_only() -> None:
    rnd = make(world=IMAGES)
    stack = np.random.default_rng(0).integers(0, 256, (N, 4, 84, 84), dtype=np.uint8)
    newest = rnd.view(stack)
    assert newest.dtype == np.uint8
    assert np.array_equal(newest, stack[:, 3:])
    assert rnd.error(torch.from_numpy(newest)).shape == (N,)
    assert make(world=IMAGES, frames="all").view(stack) is stack


def test_small_images_can_pass_through_an_mlp() -> None:
    tiny = Spaces(spaces.Box(0, 255, (3, 7, 7), np.uint8), spaces.Discrete(3), frame_channels=3)
    with pytest.raises(UserError, match="too small"):
        make(world=tiny)
    images = torch.randint(0, 256, (6, 3, 7, 7), dtype=torch.uint8)
    assert make(world=tiny, architecture="mlp").error(images).shape == (6,)


def test_observations_that_are_no_box_are_refused() -> None:
    with pytest.raises(UserError, match="needs observations that are a Box of numbers, not Discrete"):
        make(world=Spaces(spaces.Discrete(16), spaces.Discrete(2)))


# Statistics -----------------------------------------------------------------------------------------------------------
def mean(rnd: RND) -> torch.Tensor:
    assert rnd.observations.moments is not None
    return rnd.observations.moments.mean.clone()


def test_a_rollout_is_scored_with_the_statistics_from_before_it() -> None:
    """OpenAI's order: bonuses, then statistics, then the predictor."""
    rnd, seen = make(), rollout(10, 0, shift=5.0)
    before = [rnd.bonus(seen[i : i + N]) for i in range(0, len(seen), N) if rnd.observe(seen[i : i + N]) is None]
    torch.testing.assert_close(torch.cat(before), make().bonus(seen))
    assert not mean(rnd).any()
    expected = RunningMoments((5,))
    expected.update(seen.next_obs)
    frozen = weights(rnd)
    rnd.update(seen)
    torch.testing.assert_close(mean(rnd), expected.mean)
    assert not torch.equal(weights(rnd), frozen)


def test_the_predictor_trains_on_the_new_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    rnd, means = make(), []
    monkeypatch.setattr(rnd, "loss", lambda *args: means.append(mean(rnd)) or RND.loss(rnd, *args))
    rnd.update(rollout(10, 0, shift=5.0))
    assert all(torch.equal(seen, mean(rnd)) for seen in means)
    assert mean(rnd).min() > 4


def test_warm_up_feeds_the_statistics_and_training_steps_do_not() -> None:
    rnd, steps = make(warm_up_steps=2), [rollout(1, seed, shift=1.0) for seed in range(4)]
    assert rnd.warm_up_steps == 2
    for step in steps:
        rnd.observe(step)
    expected = RunningMoments((5,))
    for step in steps[:2]:
        expected.update(step.next_obs)
    torch.testing.assert_close(mean(rnd), expected.mean)


def test_no_warm_up_where_there_are_no_statistics() -> None:
    assert make(observation_normalisation="none", warm_up_steps=10).warm_up_steps == 0


def test_cumulative_statistics_grow_at_every_step_and_only_there() -> None:
    rnd = make(statistics="cumulative", train_on="obs")
    rnd.observe(rollout(1, 0, shift=1.0))
    assert mean(rnd).all()
    after_step = mean(rnd)
    rnd.update(rollout(2, 1))
    assert torch.equal(mean(rnd), after_step)


# Learning -------------------------------------------------------------------------------------------------------------
@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**20), st.integers(1, 12))
def test_samples_left_out_need_not_be_passed_through(seed: int, n: int) -> None:
    rnd, random = make(), torch.Generator().manual_seed(seed)
    states, keep = torch.randn(n, 5, generator=random), torch.rand(n, generator=random) < 0.4
    rnd.zero_grad()
    short = rnd.loss(states, keep)
    short.backward()
    gradient = [p.grad for p in rnd.pair.predictor.parameters()]
    rnd.zero_grad()
    squared = rnd.pair.squared_error(rnd.network_input(states)).mean(1)
    whole = (squared * keep).sum() / keep.sum().clamp(min=1)
    whole.backward()
    torch.testing.assert_close(short, whole)
    torch.testing.assert_close(gradient, [p.grad for p in rnd.pair.predictor.parameters()])


def test_samples_left_out_cost_nothing() -> None:
    rnd, sizes = make(), []
    rnd.pair.predictor.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    rnd.loss(torch.randn(8, 5), torch.arange(8) < 3)
    assert sizes == [3]


@pytest.mark.parametrize(("n_envs", "keep"), [(8, 1.0), (32, 1.0), (128, 0.25), (256, 0.125), (1024, 0.03125)])
def test_without_a_number_the_mask_keeps_the_papers_effective_batch(n_envs: int, keep: float) -> None:
    assert make(n_envs=n_envs).keep == keep
    assert make(n_envs=n_envs, keep=0.5).keep == 0.5


@pytest.mark.parametrize(("mask", "shape"), [("sample", (4000,)), ("element", (4000, 8)), ("none", None)])
def test_masks_keep_the_configured_share(mask: str, shape: tuple[int, ...] | None) -> None:
    drawn = make(mask=mask, keep=0.25)._draw_mask(4000)
    if shape is None:
        assert drawn is None
    else:
        assert drawn is not None
        assert drawn.shape == shape
        assert drawn.float().mean() == pytest.approx(0.25, abs=0.04)


@pytest.mark.parametrize(
    ("order", "first"), [("environment", [0, 3, 6, 9]), ("time", [0, 1, 2, 3]), ("shuffled", None)], ids=str
)
def test_a_rollout_is_learnt_in_minibatches_of_the_order_asked_for(order: str, first: list[int] | None) -> None:
    """Four steps of three environments in three minibatches, twice; states are numbered in order of time."""
    rnd, steps = make(minibatch_order=order, epochs=2, minibatches=3, mask="none", warm_up_steps=0), rollout(4, 0)
    numbered = torch.arange(12.0)[:, None].expand(12, 5)
    learnt: list[list[float]] = []
    loss = rnd.loss
    rnd.loss = lambda states, keep=None: (learnt.append(states[:, 0].tolist()), loss(states, keep))[1]  # type: ignore[method-assign]
    rnd.update(replace(steps, next_obs=numbered))
    assert [len(part) for part in learnt] == [4] * 6
    passes = [list(chain(*learnt[:3])), list(chain(*learnt[3:]))]
    assert [sorted(one) for one in passes] == [list(range(12))] * 2
    assert (passes[0] == passes[1]) == (order != "shuffled")
    assert first is None or learnt[0] == first


def test_what_was_seen_earns_less_than_what_was_not() -> None:
    """Two of five one-hot states are visited over and over."""
    rnd = make(observation_normalisation="none", minibatches=1, feature_dim=32, hidden=[64])
    steps, one_hot = rollout(16, 0), torch.eye(5)
    visited = one_hot[torch.arange(len(steps)) % 2]
    before = rnd.error(one_hot)
    losses = [rnd.update(replace(steps, next_obs=visited))["predictor_loss"] for _ in range(20)]
    left = rnd.error(one_hot) / before
    assert left[:2].max() < 0.01
    assert left[2:].min() > 0.2
    assert losses[-1] < losses[0] / 100


def test_the_target_never_learns() -> None:
    rnd = make()
    before = copy.deepcopy(rnd.pair.target.state_dict())
    rnd.update(rollout(8, 0))
    torch.testing.assert_close(rnd.pair.target.state_dict(), before, rtol=0, atol=0)


def test_metrics() -> None:
    rnd = make()
    assert rnd.update(rollout(100, 0)).keys() == {"predictor_loss"}
    health = rnd.diagnose(rollout(100, 0))
    assert health.keys() == {"target_std", "target_rank", "clipped_share"}
    assert health["target_std"] > 0
    assert 1 <= health["target_rank"] <= 8


# Same numbers ---------------------------------------------------------------------------------------------------------
def live(rnd: RND, first: int, last: int) -> list[torch.Tensor]:
    """Rollouts, each observed, scored and learnt from; everything that can be seen of them."""
    seen = []
    for seed in range(first, last):
        steps = rollout(6, seed)
        rnd.observe(steps)
        bonus = rnd.bonus(steps)
        assert rnd.normaliser is not None
        seen += [bonus, rnd.normaliser.normalise_rollout(bonus.reshape(6, N))]
        seen.append(torch.tensor(list(rnd.update(steps).values())))
    return [*seen, weights(rnd)]


STREAMS = {"mask": "element", "keep": 0.5, "minibatch_order": "shuffled"}


def test_the_seed_decides_everything() -> None:
    torch.manual_seed(1)
    one = live(make(seed=5, **STREAMS), 0, 3)
    torch.manual_seed(2)
    two = live(make(seed=5, **STREAMS), 0, 3)
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert not torch.equal(weights(make(seed=5)), weights(make(seed=6)))


@pytest.mark.parametrize("statistics", ["chan", "cumulative"])
def test_a_resumed_object_continues_to_the_same_numbers(statistics: str) -> None:
    config = STREAMS | {"statistics": statistics, "warm_up_steps": 3}
    unbroken = make(seed=5, **config)
    live(unbroken, 0, 2)
    saved = copy.deepcopy(unbroken.state_dict())
    resumed = make(seed=6, **config)
    resumed.load_state_dict(saved)
    for a, b in zip(live(unbroken, 2, 5), live(resumed, 2, 5), strict=True):
        assert torch.equal(a, b)


def test_state_is_tensors_and_plain_json() -> None:
    rnd = make(warm_up_steps=3)
    live(rnd, 0, 1)

    def plain(tree: Any) -> Any:
        if isinstance(tree, torch.Tensor):
            return tree.tolist()
        if isinstance(tree, dict):
            return {str(key): plain(value) for key, value in tree.items()}
        return [plain(item) for item in tree] if isinstance(tree, list | tuple) else tree

    assert '"warm_up_left": 2' in json.dumps(plain(rnd.state_dict()))


# The frozen target ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("order", ["shuffled", "environment"])
@pytest.mark.parametrize("world", [VECTORS, IMAGES], ids=["vectors", "images"])
def test_the_target_sees_a_rollout_once_and_learning_does_not_notice(
    world: Spaces, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, alone = (make(world=world, epochs=4, minibatches=3, minibatch_order=order) for _ in range(2))
    batch = rollout(20, 1)
    if world is IMAGES:
        frames = torch.randint(0, 256, (len(batch), 1, 84, 84), generator=torch.Generator().manual_seed(2))
        batch = replace(batch, obs=frames.to(torch.uint8), next_obs=frames.to(torch.uint8))
    monkeypatch.setattr(alone, "_known_features", lambda states, index: None)
    seen = {"known": 0, "alone": 0}
    for name, rnd in (("known", known), ("alone", alone)):
        hook = rnd.pair.target.register_forward_hook(
            lambda module, inputs, output, name=name: seen.update({name: seen[name] + len(inputs[0])})
        )
        for _ in range(2):
            rnd.update(batch)
        hook.remove()
    assert seen == {"known": 2 * (60 + 20), "alone": 2 * 4 * 60}
    assert torch.equal(weights(known), weights(alone))


def test_features_that_a_minibatch_alone_would_not_have_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    rnd, batch = make(epochs=2, minibatches=2), rollout(10, 1)
    states, minibatch = batch.next_obs, torch.arange(5, 20)
    assert rnd._known_features(states, minibatch) is not None
    first = rnd.network_input(states[:15])
    honest = rnd.pair.target.forward
    monkeypatch.setattr(rnd.pair.target, "forward", lambda x: honest(x) + (1e-3 if torch.equal(x, first) else 0.0))
    assert rnd._known_features(states, minibatch) is None
