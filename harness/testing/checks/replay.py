"""Off-policy training: batches from a replay buffer, in no order, with repetitions, distorted by the method itself."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from harness.rewards import IntrinsicReward, Transitions
from harness.testing.checks import seeds, state
from harness.testing.outcomes import NotApplicable, require, require_finite, require_same
from harness.testing.subject import ConformanceCase

_SIZES = (2, 17, 40)


def off_policy(case: ConformanceCase) -> None:
    """Batches of any size are augmented, learnt from and scored; the rest of the method's promises hold there too."""
    if not case.supports_off_policy:
        raise NotApplicable("it runs on on-policy algorithms only")
    reward = case.build()
    for seed, size in enumerate(_SIZES):
        case.observe(reward, case.script(seed))
        batch = _augmented(case, reward, case.sample(reward, case.script(seed), size))
        for name, call in (("update()", reward.update), ("observe_batch()", reward.observe_batch), ("bonus()", reward.bonus)):
            before = state.copy_fields(batch)
            with seeds.untouched(name.removesuffix("()")):
                found = call(batch)
            require_same(before, state.copy_fields(batch), f"in the transitions after {name}")
        assert isinstance(found, Tensor)
        _require_numbers(found, (size,), f"bonuses of a sampled batch of {size}")
        _check_representation(reward, batch)
    _check_resume(case)


def _augmented(case: ConformanceCase, reward: IntrinsicReward, batch: Transitions) -> Transitions:
    """The batch as a run would give it to the method, and the same rows as before."""
    before = state.copy_fields(batch)
    with seeds.untouched("augment"):
        augmented = case.augment(reward, batch)
    require_same(before, state.copy_fields(batch), "in the observations that augment() was given")
    for end in ("obs", "next_obs"):
        shape, wanted = getattr(augmented, end).shape, getattr(batch, end).shape
        require(shape == wanted, f"augmented observations of shape {tuple(wanted)}", tuple(shape))
    return augmented


def _check_representation(reward: IntrinsicReward, batch: Transitions) -> None:
    representation = reward.representation()
    if representation is None:
        return
    require(
        isinstance(cast(object, representation), nn.Module),  # a stranger's method may give anything
        "a torch module from representation()",
        type(representation).__name__,
    )
    size = getattr(representation, "features_dim", None)
    require(isinstance(size, int), "an attribute features_dim of the representation", repr(size))
    require(reward.representation() is representation, "the same module from representation() every time", "another")
    with torch.no_grad(), seeds.untouched("representation"):
        features = representation(batch.obs)
    _require_numbers(features, (len(batch), size), "features")
    kept = {value.data_ptr() for value in reward.state_dict().values() if isinstance(value, Tensor)}
    lost = [name for name, value in representation.named_parameters() if value.data_ptr() not in kept]
    require(not lost, "the representation's weights in the method's state", f"none of {', '.join(lost)}")


def _require_numbers(values: Tensor, shape: tuple[object, ...], what: str) -> None:
    require(tuple(values.shape) == shape, f"{what} of shape {shape}", tuple(values.shape))
    require(values.dtype == torch.float32, f"{what} of float32", values.dtype)
    require(not values.requires_grad, f"{what} without gradient", "some with")
    require_finite(values, what)


def _check_resume(case: ConformanceCase) -> None:
    unbroken, resumed = case.build(1), case.build(2)
    case.run_off_policy_batch(unbroken, case.script(1))
    resumed.load_state_dict(state.checkpoint_round_trip(unbroken))
    expected, found = (case.run_off_policy_batch(reward, case.script(2)) for reward in (unbroken, resumed))
    require_same(expected, found, "from sampled batches after a checkpoint")
