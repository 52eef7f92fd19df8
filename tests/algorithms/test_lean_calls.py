"""Policies and optimisers with less work around the arithmetic have the same numbers, to the bit."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticCnnPolicy, ActorCriticPolicy
from torch import nn

from harness.algorithms.lean_adam import LeanAdam
from harness.algorithms.lean_calls import use_lean_calls
from harness.algorithms.lean_layers import use_lean_layers


def networks() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    first = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 36, 7), nn.Tanh(), nn.Linear(7, 3))
    return first, copy.deepcopy(first)


def learn(network: nn.Module, optimizer: torch.optim.Optimizer, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    optimizer.zero_grad()
    network(torch.randn(5, 1, 8, 8, generator=generator)).square().mean().backward()
    optimizer.step()


def assert_equal(ours: Any, theirs: Any) -> None:
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        if isinstance(value, dict):
            assert_equal(ours[name], value)
        else:
            assert torch.equal(ours[name], value) if isinstance(value, torch.Tensor) else ours[name] == value, name


def pairs(**settings: Any) -> tuple[tuple[nn.Module, Any], tuple[nn.Module, Any]]:
    ours, theirs = networks()
    return (ours, LeanAdam(ours.parameters(), **settings)), (theirs, torch.optim.Adam(theirs.parameters(), **settings))


@pytest.mark.parametrize(
    "settings",
    [
        {"foreach": True, "lr": 3e-3, "eps": 1e-5},
        {"foreach": True, "lr": 3e-3, "betas": (0.8, 0.95)},
        {"foreach": True, "weight_decay": 0.1},
        {"foreach": True, "amsgrad": True},
        {"foreach": None},
    ],
)
def test_adam_is_that_of_torch_to_the_bit(settings: dict[str, Any]) -> None:
    (ours, lean), (theirs, plain) = pairs(**settings)
    for step in range(30):
        if step == 10:
            for optimizer in (lean, plain):
                optimizer.param_groups[0]["lr"] *= 0.5
        if step == 15:  # as a checkpoint does it
            for optimizer in (lean, plain):
                optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        if step == 20:  # as a phase does it that resets a part
            for network, optimizer in ((ours, lean), (theirs, plain)):
                optimizer.state.pop(next(network.parameters()))
        if step == 25:
            for optimizer in (lean, plain):
                optimizer.state.clear()
        learn(ours, lean, step)
        learn(theirs, plain, step)
        assert_equal(ours.state_dict(), theirs.state_dict())
        assert_equal(lean.state_dict()["state"], plain.state_dict()["state"])


def test_a_cleared_state_begins_anew() -> None:
    (ours, lean), (theirs, plain) = pairs(foreach=True)
    for step in range(6):
        if step == 3:  # as a phase does it that resets all parts
            lean.state.clear()
            plain.state.clear()
        learn(ours, lean, step)
        learn(theirs, plain, step)
        assert_equal(ours.state_dict(), theirs.state_dict())
        assert_equal(lean.state_dict()["state"], plain.state_dict()["state"])


def test_a_parameter_without_gradient_is_left_alone() -> None:
    (ours, lean), (theirs, plain) = pairs(foreach=True)
    for step in range(6):
        for network, optimizer in ((ours, lean), (theirs, plain)):
            network[0].requires_grad_(step not in (2, 3))  # type: ignore[index]
            learn(network, optimizer, step)
        assert_equal(ours.state_dict(), theirs.state_dict())


@pytest.mark.parametrize("images", [False, True])
def test_a_policy_answers_to_the_bit(images: bool) -> None:
    space = spaces.Box(0, 255, (2, 36, 36), np.uint8) if images else spaces.Box(-1, 1, (6,), np.float32)
    kind: Any = ActorCriticCnnPolicy if images else ActorCriticPolicy
    torch.manual_seed(0)
    plain = kind(space, spaces.Discrete(4), lambda _: 1e-3, optimizer_kwargs={"foreach": True})
    lean = use_lean_layers(use_lean_calls(copy.deepcopy(plain)))
    assert isinstance(lean, kind) and isinstance(lean.optimizer, LeanAdam)
    space.seed(0)
    rng = torch.Generator().manual_seed(0)
    for _ in range(4):
        observations = torch.as_tensor(np.stack([space.sample() for _ in range(8)]))
        kept, actions = observations.clone(), torch.randint(4, (8,), generator=rng)
        for ours, theirs in zip(
            lean.evaluate_actions(observations, actions), plain.evaluate_actions(observations, actions), strict=True
        ):
            assert torch.equal(ours, theirs)
        for ours, theirs in zip(drawn(lean, observations), drawn(plain, observations), strict=True):
            assert torch.equal(ours, theirs)
        for policy in (plain, lean):
            values, log_prob, entropy = policy.evaluate_actions(observations, actions)
            policy.optimizer.zero_grad()
            (values.square().mean() + log_prob.mean() - 0.01 * entropy.mean()).backward()
            nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
            policy.optimizer.step()
        assert_equal(lean.state_dict(), plain.state_dict())
        assert torch.equal(observations, kept)
    assert [name for name, _ in lean.named_parameters()] == [name for name, _ in plain.named_parameters()]
    assert list(lean.parameters()) == [parameter for _, parameter in lean.named_parameters()]


def drawn(policy: ActorCriticPolicy, observations: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Actions drawn, their values and log probabilities, and the likeliest actions."""
    torch.manual_seed(3)
    with torch.no_grad():
        return *policy(observations), policy(observations, deterministic=True)[0]


def test_actions_without_probabilities_are_not_drawn() -> None:
    policy = use_lean_calls(ActorCriticPolicy(spaces.Box(-1, 1, (6,), np.float32), spaces.Discrete(4), lambda _: 1e-3))
    with torch.no_grad():
        policy.action_net.bias[0] = torch.nan
    with pytest.raises(RuntimeError, match="nan"):
        policy(torch.zeros(2, 6))


def test_layers_answer_to_the_bit_and_keep_names_hooks_and_gradients() -> None:
    torch.manual_seed(0)
    plain = nn.Sequential(
        nn.Flatten(),
        nn.Linear(12, 7),
        nn.ReLU(),
        nn.Sequential(nn.Linear(7, 7, bias=False), nn.Tanh()),
        nn.Linear(7, 7),
        nn.ReLU(inplace=True),
    )
    lean = use_lean_layers(copy.deepcopy(plain))
    assert str(lean) == str(plain)
    inputs = torch.randn(5, 3, 4)
    for network in (plain, lean):
        network(inputs).square().sum().backward()
    assert torch.equal(lean(input=inputs), plain(inputs))
    for ours, theirs in zip(lean.parameters(), plain.parameters(), strict=True):
        assert ours.grad is not None and theirs.grad is not None
        assert torch.equal(ours.grad, theirs.grad)
    seen: list[torch.Size] = []
    for layer in (lean, lean[1], lean[3][1]):
        layer.register_forward_hook(lambda *passed: seen.append(passed[2].shape))
    copy.deepcopy(lean)(inputs)
    assert seen == [(5, 7), (5, 7), (5, 7)]
