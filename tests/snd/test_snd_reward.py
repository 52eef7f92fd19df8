"""What every SND method promises: where gradients go, what is scored, exact resumption, and that the familiar gets dull."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from snd.small import IMAGES, VECTORS, N, config_class, every_method, every_world, make, method_class, rollout, weights

from harness import Spaces
from harness.errors import UserError
from harness_snd.reward import SND


def batch_of(snd: SND, world: str = "vectors", n: int = 6) -> Any:
    transitions = rollout(n // N, world)
    return snd.batch(transitions, torch.arange(n), torch.Generator().manual_seed(0))


# Parameters -----------------------------------------------------------------------------------------------------------
ATARI = Spaces(spaces.Box(0, 255, (4, 96, 96), np.uint8), spaces.Discrete(18), frame_channels=1)


@pytest.mark.usefixtures("any_weights")
@pytest.mark.parametrize(
    ("name", "target", "predictor", "objective"),
    [("snd_v", 4_779_328, 5_304_640, 0), ("snd_std", 9_567_296, 10_092_608, 36_992), ("snd_vic", 9_567_296, 10_092_608, 0)],
)
def test_published_numbers_of_parameters(name: str, target: int, predictor: int, objective: int) -> None:
    snd = method_class(name)(config_class(name)(), ATARI, 2, "cpu", 0)
    parts = (snd.target, snd.pair.predictor, snd.objective)
    assert [sum(p.numel() for p in part.parameters()) for part in parts] == [target, predictor, objective]


@every_method
def test_initial_weights_have_the_configured_gains(name: str) -> None:
    snd = make(name, target_gain=0.3, predictor_gain=0.7)
    for network, gain in ((snd.target, 0.3), (snd.pair.predictor, 0.7)):
        for parameter in network.parameters():
            if parameter.ndim == 1:
                assert not parameter.any()
            else:
                singular = torch.linalg.svdvals(parameter.detach())
                torch.testing.assert_close(singular, torch.full_like(singular, gain))


# Gradients ------------------------------------------------------------------------------------------------------------
@every_method
@every_world
def test_distillation_trains_the_predictor_alone(name: str, world: str) -> None:
    snd = make(name, world)
    batch = batch_of(snd, world)
    snd.objective.terms(batch)  # whatever the objective leaves for the distillation to share
    snd.predictor_loss(batch).backward()
    assert all(p.grad is not None for p in snd.pair.predictor.parameters())
    assert all(p.grad is None for part in (snd.target, snd.objective) for p in part.parameters())


@every_method
@every_world
def test_the_objective_trains_all_but_the_predictor(name: str, world: str) -> None:
    snd = make(name, world)
    sum(snd.objective.terms(batch_of(snd, world)).values(), torch.zeros(())).backward()
    learning = [*snd.target.parameters(), *(p for p in snd.objective.parameters() if p.requires_grad)]
    assert all(p.grad is not None for p in learning)
    assert all(p.grad is None for p in snd.pair.predictor.parameters())


@every_method
def test_all_that_learns_is_in_the_optimiser(name: str) -> None:
    snd = make(name)
    optimised = {id(p) for group in snd.optimizers["networks"].param_groups for p in group["params"]}
    assert optimised == {id(p) for p in snd.parameters() if p.requires_grad}


@every_method
@pytest.mark.parametrize("world", ["vectors", "images"])
def test_black_states_do_no_harm(name: str, world: str) -> None:
    """A black screen has features that are all equal, and the gradient of a deviation or norm at zero is a trap."""
    snd, transitions = make(name, world), rollout(8, world)
    transitions.obs.zero_()
    transitions.next_obs.zero_()
    assert all(np.isfinite(value) for value in (snd.update(transitions) | snd.diagnose(transitions)).values())
    assert weights(snd).isfinite().all()


# Bonus ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("state", ["obs", "next_obs"])
def test_the_configured_state_is_scored_and_distilled(state: str) -> None:
    snd, transitions = make("snd_vic", bonus_on=state, bonus_clip=None, eta=2.0), rollout(2)
    bonus = snd.bonus(transitions)
    states = getattr(transitions, state)
    expected = 2 * (snd.target(states) - snd.pair.predictor(states)).square().mean(1)
    torch.testing.assert_close(bonus, expected.detach())
    assert bonus.dtype == torch.float32
    assert not bonus.requires_grad
    loss = snd.predictor_loss(snd.batch(transitions, torch.arange(6), torch.Generator()))
    torch.testing.assert_close(2 * loss, bonus.mean())


def test_sum_and_mean_of_the_distillation() -> None:
    mean, total = (make("snd_vic", distillation=kind) for kind in ("mean", "sum"))
    keep = torch.rand(6, 16) < 0.5
    torch.testing.assert_close(total.predictor_loss(batch_of(total)), mean.predictor_loss(batch_of(mean)) * 6 * 16)
    expected = mean.predictor_loss(batch_of(mean), keep) * keep.sum()
    torch.testing.assert_close(total.predictor_loss(batch_of(total), keep), expected)


def test_the_clip_bounds_and_its_share_is_logged() -> None:
    transitions = rollout(8)
    snd = make("snd_vic", bonus_clip=None)
    plain = snd.bonus(transitions)
    assert snd.diagnose(transitions)["clipped_share"] == 0
    bound = float(plain.median())
    clipped = make("snd_vic", bonus_clip=bound)
    for part in (slice(0, 9), slice(9, 24)):
        torch.testing.assert_close(clipped.bonus(transitions[part]), plain[part].clamp(max=bound))
    expected = 1 - float(plain.clamp(max=bound).sum() / plain.sum())
    assert clipped.diagnose(transitions)["clipped_share"] == pytest.approx(expected)
    assert clipped.diagnose(transitions)["clipped_share"] == 0  # no bonus since
    offered = clipped.error(transitions.obs) * clipped.config.eta
    clipped.bonus(transitions)
    expected = 1 - float(offered.clamp(max=bound).sum() / offered.sum())
    assert expected > 0
    assert clipped.diagnose(transitions)["clipped_share"] == pytest.approx(expected)  # of the bonuses since, and no others


@every_method
def test_bonus_changes_nothing(name: str) -> None:
    snd = make(name)
    before = copy.deepcopy(snd.state_dict())
    first = snd.bonus(rollout(4))
    assert torch.equal(first, snd.bonus(rollout(4)))
    torch.testing.assert_close(snd.state_dict(), before, rtol=0, atol=0)


def test_images_are_scored_as_bytes_newest_frame_only() -> None:
    snd = make("snd_std", IMAGES)
    stack = np.random.default_rng(0).integers(0, 256, (N, 4, 16, 16), dtype=np.uint8)
    newest = snd.view(stack)
    assert newest.dtype == np.uint8
    assert np.array_equal(newest, stack[:, 3:])
    assert snd.network_input(torch.from_numpy(newest)).max() <= 1
    assert make("snd_std", IMAGES, frames="all").view(stack) is stack


def test_beyond_the_paper_the_bonus_is_normalised() -> None:
    for name in ("snd_barlow", "snd_simclr", "snd_byol", "snd_curl", "snd_inverse"):
        assert make(name).normaliser is not None
    for name in ("snd_v", "snd_std", "snd_vic"):
        assert make(name).normaliser is None


# What does not fit ----------------------------------------------------------------------------------------------------
def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UserError, match="Box of numbers, not Discrete"):
        make("snd_v", Spaces(spaces.Discrete(16), spaces.Discrete(2)))
    with pytest.raises(UserError, match="snd_inverse needs actions that are Discrete or a Box of numbers, not MultiBinary"):
        make("snd_inverse", Spaces(VECTORS.observation, spaces.MultiBinary(3)))
    with pytest.raises(UserError, match="local_layer 4 is more than the encoder's 2 layers"):
        make("snd_std", local_layer=4)
    with pytest.raises(UserError, match="convolutions need images"):
        make("snd_vic", architecture="conv")
    with pytest.raises(ValueError, match="two transitions or more, not 1"):
        make("snd_vic").update(rollout(1)[:1])


def test_images_can_pass_through_an_mlp() -> None:
    assert make("snd_std", IMAGES, architecture="mlp").update(rollout(8, "images"))["target_loss"] > 0


# Statistics -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("mode", ["subtract_mean", "standardise"])
def test_statistics_grow_at_every_step_before_its_bonus(mode: str) -> None:
    snd, steps = make("snd_v", observation_normalisation=mode), rollout(1)
    moments = snd.observations.moments
    assert moments is not None
    snd.observe(steps)
    torch.testing.assert_close(moments.mean, steps.obs.double().mean(0) / 2)
    snd.update(rollout(4))
    torch.testing.assert_close(moments.mean, steps.obs.double().mean(0) / 2)


# Learning -------------------------------------------------------------------------------------------------------------
@every_method
@pytest.mark.parametrize("world", ["vectors", "images"])
def test_what_was_seen_earns_less_than_what_was_not(name: str, world: str) -> None:
    """Two states are visited over and over; four others are not."""
    snd = make(name, world, keep=1.0, minibatches=2, bonus_clip=None, eta=1.0)
    states, steps = rollout(2, world, seed=1).obs, rollout(16, world)
    visited = states[torch.arange(len(steps)) % 2]
    steps = replace(steps, obs=visited, next_obs=visited.roll(1, 0))
    before = relative_error(snd, states)
    for _ in range(60):
        snd.update(steps)
    assert relative_error(snd, states) < 0.4 * before


def relative_error(snd: SND, states: torch.Tensor) -> float:
    """Of the first two states, in units of the others'; the target moves, so nothing absolute can be expected."""
    error = snd.error(states)
    return float(error[:2].mean() / error[2:].mean())


@every_method
def test_metrics(name: str) -> None:
    snd = make(name)
    metrics, health = snd.update(rollout(50)), snd.diagnose(rollout(50))
    terms = {key: value for key, value in metrics.items() if key.startswith("target_loss_")}
    assert metrics.keys() == {"predictor_loss", "target_loss", *terms}
    assert terms
    assert sum(terms.values()) == pytest.approx(metrics["target_loss"], rel=1e-5)
    assert health.keys() == {"target_std", "target_rank", "clipped_share"}
    assert health["target_std"] > 0
    assert 1 <= health["target_rank"] <= 16


@every_method
def test_masks_keep_the_configured_share(name: str) -> None:
    snd = make(name, keep=0.25)
    assert make(name, keep=1.0)._draw_mask(batch_of(snd)) is None
    batch = snd.batch(rollout(1000), torch.arange(3000), torch.Generator().manual_seed(0))
    mask = snd._draw_mask(batch)
    assert mask is not None
    assert mask.shape == (3000, 16)
    assert mask.float().mean() == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("name", ["snd_std", "snd_vic", "snd_inverse"])
@pytest.mark.parametrize("world", ["vectors", "images"])
def test_the_order_of_a_minibatch_does_not_matter(name: str, world: str) -> None:
    """For objectives without random views, and a predictor without mask."""
    order, losses = torch.randperm(12, generator=torch.Generator().manual_seed(0)), []
    for index in (torch.arange(12), order):
        snd = make(name, world)
        batch = snd.batch(rollout(4, world), index, torch.Generator())
        losses.append([*snd.objective.terms(batch).values(), snd.predictor_loss(batch)])
    torch.testing.assert_close(*losses)


@every_method
def test_rollouts_smaller_than_their_minibatches(name: str) -> None:
    metrics = make(name, minibatches=32).update(rollout(1))
    assert all(np.isfinite(value) for value in metrics.values())


def test_passes_and_minibatches(monkeypatch: pytest.MonkeyPatch) -> None:
    snd, seen = make("snd_vic", epochs=2, minibatches=4), []
    monkeypatch.setattr(
        snd.objective,
        "terms",
        lambda batch: seen.append(batch.index.tolist()) or type(snd.objective).terms(snd.objective, batch),
    )
    snd.update(rollout(4))
    assert seen == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]] * 2


# Same numbers ---------------------------------------------------------------------------------------------------------
def live(snd: SND, world: str, first: int, last: int) -> list[torch.Tensor]:
    """Rollouts, each observed, scored and learnt from; everything that can be seen of them."""
    seen = []
    for seed in range(first, last):
        steps = rollout(6, world, seed)
        snd.observe(steps)
        bonus = snd.bonus(steps)
        seen.append(bonus)
        if snd.normaliser is not None:
            seen.append(snd.normaliser.normalise_rollout(bonus.reshape(6, N)))
        seen.append(torch.tensor(list(snd.update(steps).values())))
    return [*seen, weights(snd)]


STREAMS = {"keep": 0.5, "minibatch_order": "shuffled", "observation_normalisation": "standardise"}


@every_method
@every_world
def test_the_seed_decides_everything(name: str, world: str) -> None:
    torch.manual_seed(1)
    one = live(make(name, world, seed=5, **STREAMS), world, 0, 2)
    torch.manual_seed(2)
    two = live(make(name, world, seed=5, **STREAMS), world, 0, 2)
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert not torch.equal(weights(make(name, world, seed=5)), weights(make(name, world, seed=6)))


@every_method
@every_world
def test_a_resumed_object_continues_to_the_same_numbers(name: str, world: str) -> None:
    unbroken = make(name, world, seed=5, **STREAMS)
    live(unbroken, world, 0, 2)
    saved = copy.deepcopy(unbroken.state_dict())
    resumed = make(name, world, seed=6, **STREAMS)
    resumed.load_state_dict(saved)
    for a, b in zip(live(unbroken, world, 2, 4), live(resumed, world, 2, 4), strict=True):
        assert torch.equal(a, b)


@every_method
def test_state_is_tensors_and_plain_json_without_repetition(name: str) -> None:
    snd = make(name)
    live(snd, "vectors", 0, 1)
    state = snd.state_dict()
    extra = state.pop("_extra_state")
    json.dumps(extra, default=torch.Tensor.tolist)
    shared = {value.data_ptr() for value in state.values() if value.numel()}
    assert len(shared) == len([value for value in state.values() if value.numel()])
