"""What Proto-RL promises: cadences, a pure bonus, candidates, exact resumption, and that what is seen grows familiar."""

from __future__ import annotations

import copy
import gc
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from support.small_proto_rl import IMAGES, VECTORS, WORLDS, batch, gradient_step, make, weights

from harness import Spaces
from harness.errors import UserError
from harness_proto_rl.candidates import candidate_probabilities, sample_indices
from harness_proto_rl.config import ProtoRLConfig
from harness_proto_rl.presets import YARATS2021
from harness_proto_rl.reward import ProtoRL

every_world = pytest.mark.parametrize("world", WORLDS)


# Networks -------------------------------------------------------------------------------------------------------------
def test_published_numbers_of_parameters() -> None:
    world = Spaces(spaces.Box(0, 255, (9, 84, 84), np.uint8), IMAGES.action, frame_channels=3)
    proto = ProtoRL(ProtoRLConfig(**YARATS2021.config), world, 1, "cpu", 0)
    assert len(weights(proto.projection.encoder)) == 30_368
    assert len(weights(proto.projection.projector)) == 5_017_728
    assert len(weights(proto.predictor)) == 128 * 512 + 512 + 512 * 128 + 128
    assert proto.prototypes.weight.shape == (512, 128)
    assert proto.representation().features_dim == 39_200
    assert proto.queue.rows.shape == (2048, 128) and not proto.queue.rows.any()


def test_states_as_in_urlb_are_projected_linearly() -> None:
    proto = make()
    assert len(weights(proto.projection)) == 5 * 6 + 6
    x = batch(3).obs
    torch.testing.assert_close(proto.projection(x), F.linear(x, proto.projection.projector.weight))
    assert torch.equal(proto.representation()(x), x)


def test_initial_weights_are_orthogonal() -> None:
    proto = make("images")
    for name, parameter in proto.projection.named_parameters():
        if parameter.ndim == 1:
            assert not parameter.any(), name
            continue
        gain = 2**0.5 if parameter.ndim == 4 else 1.0
        singular = torch.linalg.svdvals(parameter.detach().flatten(1))
        torch.testing.assert_close(singular, torch.full_like(singular, gain), msg=name)


@pytest.mark.parametrize(("world", "config"), [("vectors", {}), ("vectors", {"encoder": "mlp"}), ("images", {})], ids=str)
def test_the_representation_says_how_wide_it_is(world: str, config: dict[str, Any]) -> None:
    proto = make(world, **config)
    features = proto.representation()(batch(3, world).obs)
    assert features.shape == (3, proto.representation().features_dim)
    assert features.dtype == torch.float32
    assert proto.projection.projector.in_features == features.shape[1]


def test_images_are_seen_in_unit_range() -> None:
    proto, images = make("images"), batch(2, "images").obs
    torch.testing.assert_close(proto.projection(images), proto.projection(images.float() / 255))


@pytest.mark.parametrize(
    ("encoder", "world", "remedy"),
    [("conv", VECTORS, "use identity or mlp, or auto"), ("identity", IMAGES, "use conv"), ("mlp", IMAGES, "use conv")],
)
def test_an_encoder_that_does_not_fit_is_refused(encoder: str, world: Spaces, remedy: str) -> None:
    with pytest.raises(UserError, match=f"encoder: {encoder} does not fit .* {remedy}"):
        ProtoRL(ProtoRLConfig(encoder=encoder), world, 1, "cpu", 0)


@pytest.mark.parametrize(
    ("observation", "frame_channels", "reason"),
    [
        (spaces.Discrete(4), None, "not Discrete"),
        (spaces.Box(0, 255, (3, 12, 12), np.uint8), 3, "too small"),
    ],
)
def test_observations_it_cannot_see_are_refused(observation: spaces.Space, frame_channels: int | None, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        ProtoRL(ProtoRLConfig(), Spaces(observation, VECTORS.action, frame_channels), 1, "cpu", 0)


# Augmentation ---------------------------------------------------------------------------------------------------------
def test_images_are_moved_and_vectors_are_not() -> None:
    proto, images, vectors = make("images"), batch(8, "images").obs, batch(8).obs
    moved = proto.augment(images)
    assert moved.shape == images.shape and moved.dtype == torch.uint8
    assert not torch.equal(moved, images)
    assert torch.equal(make("images").augment(images), moved), "the seed decides"
    assert not torch.equal(proto.augment(images), moved), "anew for each end"
    assert make("images", shift=0).augment(images) is images
    assert make().augment(vectors) is vectors


# Updates --------------------------------------------------------------------------------------------------------------
@every_world
@pytest.mark.parametrize("every", [1, 2, 3])
def test_every_so_many_batches_are_learnt_from_beginning_with_the_first(world: str, every: int) -> None:
    proto = make(world, update_every=every)
    for step in range(7):
        networks = weights(proto.projection), weights(proto.target), weights(proto.prototypes)
        metrics = proto.update(batch(8, world, seed=step))
        changed = [not torch.equal(old, weights(module)) for old, module in zip(
            networks, (proto.projection, proto.target, proto.prototypes), strict=True
        )]  # fmt: skip
        due = step % every == 0
        assert changed == [due] * 3
        assert metrics.keys() == ({"prototype_loss", "prototypes_used"} if due else set())


@every_world
def test_the_average_follows_by_its_rate(world: str) -> None:
    proto = make(world, target_rate=0.25)
    before = weights(proto.target)
    assert torch.equal(before, weights(proto.projection))
    proto.update(batch(8, world))
    torch.testing.assert_close(weights(proto.target), 0.75 * before + 0.25 * weights(proto.projection))


def test_the_loss_trains_everything_but_the_average() -> None:
    proto = make("images")
    proto.loss(batch(8, "images")).backward()
    trained = {name for name, parameter in proto.named_parameters() if parameter.grad is not None and parameter.grad.any()}
    assert trained == {name for name, _ in proto.named_parameters() if not name.startswith("target.")}
    assert not any(parameter.requires_grad for parameter in proto.target.parameters())


def test_prototypes_are_normalised_before_each_use() -> None:
    for use in ("loss", "observe_batch", "update"):
        proto = make(learning_rate=1e-12)
        with torch.no_grad():
            proto.prototypes.weight.mul_(3)
        getattr(proto, use)(batch(8))
        torch.testing.assert_close(proto.prototypes.weight.norm(dim=1), torch.ones(5))


@pytest.mark.parametrize("world", ["vectors", "images"])
def test_assignments_are_learnt(world: str) -> None:
    proto = make(world, update_every=1, prototypes=8, projection_dim=8)
    losses = [proto.update(batch(32, world))["prototype_loss"] for _ in range(120)]
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize(("n", "prototypes"), [(1, 1), (1, 5), (2, 40), (33, 1), (7, 16)])
def test_any_batch_and_any_number_of_prototypes(n: int, prototypes: int) -> None:
    proto = make(prototypes=prototypes)
    for step in range(4):
        metrics, bonuses = gradient_step(proto, batch(n, seed=step))
        assert all(np.isfinite(value) for value in metrics.values())
        assert bonuses.shape == (n,) and bonuses.isfinite().all()
    assert int(proto.queue.pointer) == 4 * prototypes % 17


def test_a_collapse_shows() -> None:
    proto, transitions = make(), batch(40)
    assert proto.diagnose(transitions)["projection_rank"] > 3
    with torch.no_grad():
        proto.projection.projector.weight[1:] = 0
        proto.projection.projector.bias[1:] = 0
    assert proto.diagnose(transitions)["projection_rank"] == pytest.approx(1, abs=1e-3)


# Candidates -----------------------------------------------------------------------------------------------------------
def test_draws_have_their_probabilities() -> None:
    logits = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    p, n = logits.softmax(1), 20_000
    uniforms = torch.rand(n, 3, generator=torch.Generator().manual_seed(1))
    drawn = torch.stack([sample_indices(p, u) for u in uniforms])
    for row in range(3):
        share = torch.bincount(drawn[:, row], minlength=4) / n
        assert ((share - p[row]).abs() < 5 * (p[row] * (1 - p[row]) / n).sqrt()).all()


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1, exclude_max=True, width=32))
def test_draws_are_within_the_batch_and_never_of_probability_zero(k: int, n: int, uniform: float) -> None:
    p = torch.rand(k, n) * (torch.rand(k, n) < 0.5)
    p[:, -1] += 1e-3
    index = sample_indices(p, torch.full((k,), uniform))
    assert (p.gather(1, index[:, None]) > 0).all()


def test_probabilities_are_over_the_batch_and_without_temperature() -> None:
    z, c = F.normalize(torch.randn(7, 3), dim=1), F.normalize(torch.randn(4, 3), dim=1)
    p = candidate_probabilities(z, c)
    torch.testing.assert_close(p[2], torch.tensor([float(z[b] @ c[2]) for b in range(7)]).softmax(0))


@given(st.integers(1, 12), st.integers(1, 30), st.integers(1, 9))
@settings(max_examples=30, deadline=None)
def test_the_queue_holds_next_states_of_the_newest_batches(prototypes: int, size: int, n: int) -> None:
    """Whether or not the candidates of a batch divide the queue, or fit into it."""
    proto = make(prototypes=prototypes, queue_size=size, neighbours=1)
    seen: list[torch.Tensor] = []
    for step in range(5):
        transitions = batch(n, seed=step)
        proto.observe_batch(transitions)
        seen.append(F.normalize(proto.projection(transitions.next_obs), dim=1).detach())
    age = (torch.arange(size) - int(proto.queue.pointer)) % size  # 0 is the oldest
    for row, back in zip(proto.queue.rows, (size - 1 - age).tolist(), strict=True):
        if back >= 5 * prototypes:
            assert not row.any()
        else:
            assert (seen[4 - back // prototypes] == row).all(1).any()


# Bonus ----------------------------------------------------------------------------------------------------------------
@every_world
def test_the_bonus_is_the_distance_to_the_kth_candidate(world: str) -> None:
    proto, transitions = make(world, neighbours=4), batch(9, world)
    for step in range(6):
        gradient_step(proto, batch(9, world, seed=step))
    z = F.normalize(proto.projection(transitions.next_obs), dim=1)
    expected = (z[:, None] - proto.queue.rows[None]).norm(dim=2).sort(1).values[:, 3]
    torch.testing.assert_close(proto.bonus(transitions), expected.detach())


def test_an_unfilled_queue_caps_the_bonus_at_one() -> None:
    proto = make(prototypes=2, queue_size=40)
    for step in range(18):
        _, bonuses = gradient_step(proto, batch(9, seed=step))
        assert bonuses.max() <= 1 + 1e-6
    torch.testing.assert_close(make(queue_size=40).bonus(batch(9)), torch.ones(9))


def test_what_was_drawn_is_at_distance_zero_from_itself() -> None:
    proto = make(prototypes=30, queue_size=200, neighbours=1)
    proto.observe_batch(batch(4))
    assert not proto.bonus(batch(4)).any()


@every_world
def test_asking_for_a_bonus_changes_nothing(world: str) -> None:
    proto = make(world)
    gradient_step(proto, batch(8, world))
    before = copy.deepcopy(proto.state_dict())
    first, second = proto.bonus(batch(8, world, seed=1)), proto.bonus(batch(8, world, seed=1))
    after = proto.state_dict()
    assert torch.equal(first, second) and not first.requires_grad
    for name, value in before.items():
        if isinstance(value, torch.Tensor):
            assert torch.equal(value, after[name]), name
    assert torch.equal(before["_extra_state"]["generator"], after["_extra_state"]["generator"])


@every_world
def test_a_batch_is_projected_once_for_candidates_and_bonus(world: str) -> None:
    proto, transitions, passes = make(world), batch(8, world), []
    proto.projection.register_forward_hook(lambda *_: passes.append(1))
    proto.observe_batch(transitions)
    proto.bonus(transitions)
    assert len(passes) == 1
    proto.bonus(replace(transitions, next_obs=transitions.next_obs.clone()))
    assert len(passes) == 2, "another batch"


@pytest.mark.parametrize("change", ["batch", "update", "load"])
def test_what_was_projected_is_forgotten_when_it_no_longer_holds(change: str) -> None:
    proto, transitions = make(update_every=1, learning_rate=0.1), batch(8)
    proto.observe_batch(transitions)
    if change == "batch":
        transitions.next_obs.neg_()
    elif change == "update":
        proto.update(transitions)
    else:
        proto.projection.load_state_dict(make(seed=1).projection.state_dict())
    expected = proto.bonus(replace(transitions, next_obs=transitions.next_obs.clone()))
    assert torch.equal(proto.bonus(transitions), expected)


def test_a_batch_that_was_shown_is_not_kept_alive() -> None:
    proto, transitions = make(), batch(8)
    proto.observe_batch(transitions)
    watched = weakref.ref(transitions.next_obs)
    del transitions
    gc.collect()
    assert watched() is None


def test_what_is_seen_again_and_again_earns_less_than_what_is_new() -> None:
    proto, seen, new = make(prototypes=16, queue_size=64, update_every=1), batch(24), batch(24, seed=1)
    for _ in range(60):
        gradient_step(proto, seen)
    assert proto.bonus(seen).mean() < 0.5 * proto.bonus(new).mean()


# State ----------------------------------------------------------------------------------------------------------------
@every_world
@pytest.mark.parametrize("steps", [4, 5])
def test_resumed_it_continues_to_the_same_numbers(world: str, steps: int) -> None:
    """Also between a batch that is learnt from and one that is not."""
    unbroken, resumed = make(world), make(world, seed=1)
    for step in range(steps):
        unbroken.augment(batch(8, world).obs)
        gradient_step(unbroken, batch(8, world, seed=step))
    resumed.load_state_dict(copy.deepcopy(unbroken.state_dict()))
    for step in range(steps, steps + 3):
        images = [proto.augment(batch(8, world).obs) for proto in (unbroken, resumed)]
        assert torch.equal(*images)
        (expected, bonuses), (found, others) = (gradient_step(p, batch(8, world, seed=step)) for p in (unbroken, resumed))
        assert expected == found and torch.equal(bonuses, others)
    assert torch.equal(weights(unbroken), weights(resumed))
    assert torch.equal(unbroken.queue.rows, resumed.queue.rows)


def test_the_seed_decides() -> None:
    same, other = ([gradient_step(make(seed=s), batch(8))[1] for s in seeds] for seeds in ((0, 0), (0, 1)))
    assert torch.equal(*same) and not torch.equal(*other)


def test_random_numbers_come_from_its_own_stream() -> None:
    proto = make("images")
    state = torch.random.get_rng_state()
    transitions = batch(8, "images")
    gradient_step(proto, replace(transitions, obs=proto.augment(transitions.obs)))
    assert torch.equal(state, torch.random.get_rng_state())
