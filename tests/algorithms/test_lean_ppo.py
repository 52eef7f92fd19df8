"""PPO whose gradients are computed step by step has the numbers of Stable-Baselines3's, to the bit."""

# SB3 keeps the parts of an iteration in protected methods:
# pyright: reportPrivateUsage=false

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import gymnasium
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from stable_baselines3 import PPO
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.utils import set_random_seed
from stable_baselines3.common.vec_env import DummyVecEnv
from torch import Tensor, nn

from harness.algorithms.actor_critic_chains import ActorCriticChains
from harness.algorithms.layer_chain import LayerChain
from harness.algorithms.lean_calls import use_lean_calls
from harness.algorithms.lean_layers import use_lean_layers
from harness.algorithms.on_policy.learner import step_size
from harness.algorithms.ppo import lean_ppo
from harness.algorithms.ppo.lean_ppo import LeanPPO

SETTINGS: list[dict[str, Any]] = [
    {},
    {"ent_coef": 0.05, "vf_coef": 0.37, "max_grad_norm": 0.1},
    {"clip_range": 0.01, "clip_range_vf": 0.05, "ent_coef": 0.013},
    {"normalize_advantage": False, "max_grad_norm": np.inf},
    {"n_actions": 2, "batch_size": 64},
    {"n_actions": 17, "learning_rate": step_size(0.01, "linear")},
    {"policy_kwargs": {"activation_fn": nn.ReLU, "net_arch": {"pi": [9, 7, 5], "vf": []}}},
]

ACTIVATIONS: dict[str, type[nn.Module]] = {"tanh": nn.Tanh, "relu": nn.ReLU}


def layers(sizes: list[int], activation: str, *, last: bool) -> nn.Sequential:
    parts: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        parts += [nn.Linear(inputs, outputs), ACTIVATIONS[activation]()]
    return nn.Sequential(*parts[: None if last else -1])


@given(
    sizes=st.lists(st.integers(1, 40), min_size=2, max_size=5),
    batch=st.integers(1, 70),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    last=st.booleans(),
    lean=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_a_chain_has_the_gradients_of_autograd(
    sizes: list[int], batch: int, activation: str, last: bool, lean: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    network = layers(sizes, activation, last=last)
    if lean:
        use_lean_layers(network)
    inputs, gradient = torch.randn(batch, sizes[0]), torch.randn(batch, sizes[-1])
    expected = network(inputs)
    expected.backward(gradient)
    chain = LayerChain.of(network)
    assert chain is not None
    with torch.no_grad():
        outputs = chain.outputs(inputs)
        found = chain.gradients(outputs, gradient)
    assert torch.equal(outputs[-1], expected)
    assert len(found) == len(list(network.parameters()))
    for ours, parameter in zip(found, network.parameters(), strict=True):
        assert parameter.grad is not None and torch.equal(ours, parameter.grad)


class _Doubled(nn.Linear):
    def forward(self, input: Tensor) -> Tensor:
        return 2 * super().forward(input)


@pytest.mark.parametrize(
    "network",
    [
        nn.Sequential(nn.Linear(3, 3), nn.ELU()),
        nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Tanh()),
        nn.Sequential(nn.Tanh(), nn.Linear(3, 3)),
        nn.Sequential(nn.Linear(3, 3, bias=False)),
        nn.Sequential(_Doubled(3, 3)),
        nn.Linear(3, 3).double(),
        nn.Sequential(),
    ],
)
def test_other_layers_are_no_chain(network: nn.Module) -> None:
    assert LayerChain.of(network) is None


def test_a_layer_with_a_hook_is_no_chain() -> None:
    network = nn.Sequential(nn.Linear(3, 3), nn.Tanh())
    network[0].register_forward_hook(ignore)
    assert LayerChain.of(use_lean_layers(network)) is None


def ignore(*_: Any) -> None:
    """A hook that does nothing."""


class _Walk(gymnasium.Env[np.ndarray, int]):
    """A walk on a line with noise, whose episodes end by themselves."""

    def __init__(self, n_actions: int = 3) -> None:
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (5,), np.float32)
        self.action_space: Any = gymnasium.spaces.Discrete(n_actions)
        self.place = 0.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.place = 0.0
        return self._seen(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.place += int(action) - 1 + float(self.np_random.normal()) / 2
        return self._seen(), self.place, abs(self.place) > 4, False, {}

    def _seen(self) -> np.ndarray:
        return np.array([self.place, *self.np_random.normal(size=4)], dtype=np.float32)


def model(kind: type[PPO], *, n_actions: int = 3, lean: bool = False, **settings: Any) -> PPO:
    policy_kwargs = {"optimizer_kwargs": {"foreach": True, "eps": 1e-5}} | settings.pop("policy_kwargs", {})
    usual = {"n_steps": 16, "batch_size": 16, "n_epochs": 3, "learning_rate": 3e-2, "seed": 3, "device": "cpu"}
    arguments: dict[str, Any] = {**usual, **settings, "policy_kwargs": policy_kwargs}
    made = kind(
        "MlpPolicy",
        DummyVecEnv([lambda: _Walk(n_actions) for _ in range(4)]),
        **arguments,
    )
    made.set_logger(Logger(folder=None, output_formats=[]))
    if lean:
        use_lean_layers(use_lean_calls(made.policy))
    return made


def iterate(made: PPO, times: int) -> list[dict[str, float]]:
    """The metrics of each iteration."""
    set_random_seed(5)
    _, callback = made._setup_learn(10**6)
    seen: list[dict[str, float]] = []
    for _ in range(times):
        assert made.env is not None
        made.collect_rollouts(made.env, callback, made.rollout_buffer, made.n_steps)
        made._update_current_progress_remaining(cast(int, made.num_timesteps), 10**4)
        made.train()
        seen.append({name: float(value) for name, value in made.logger.name_to_value.items()})
        made.logger.name_to_value.clear()
    return seen


def assert_same(ours: PPO, theirs: PPO) -> None:
    for name, value in theirs.policy.state_dict().items():
        assert torch.equal(ours.policy.state_dict()[name], value), name
    moments = ours.policy.optimizer.state_dict()["state"], theirs.policy.optimizer.state_dict()["state"]
    for key, entry in moments[1].items():
        assert all(torch.equal(moments[0][key][name], value) for name, value in entry.items())


@pytest.mark.parametrize("settings", SETTINGS)
def test_updates_are_those_of_sb3_to_the_bit(settings: dict[str, Any]) -> None:
    ours, theirs = model(LeanPPO, lean=True, **settings), model(PPO, **settings)
    assert iterate(ours, 6) == iterate(theirs, 6)
    assert isinstance(ours, LeanPPO) and ours.steps_by_itself
    assert_same(ours, theirs)


@pytest.mark.filterwarnings("ignore:You have specified a mini-batch size")
def test_a_last_minibatch_may_be_smaller() -> None:
    ours, theirs = model(LeanPPO, lean=True, batch_size=21), model(PPO, batch_size=21)
    assert iterate(ours, 4) == iterate(theirs, 4)
    assert isinstance(ours, LeanPPO) and ours.steps_by_itself
    assert_same(ours, theirs)


@pytest.mark.parametrize("name", ["logit_gradient", "value_gradient", "entropy_loss"])
def test_other_numbers_are_found_out_and_not_used(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = lean_ppo.clipped_objective

    def wrong(*args: Any) -> Any:
        found = right(*args)
        value: Tensor = getattr(found, name)
        return found._replace(**{name: torch.nextafter(value, value + 1)})

    monkeypatch.setattr(lean_ppo, "clipped_objective", wrong)
    ours, theirs = model(LeanPPO, lean=True), model(PPO)
    assert iterate(ours, 4) == iterate(theirs, 4)
    assert isinstance(ours, LeanPPO) and not ours.steps_by_itself
    assert_same(ours, theirs)


def test_policies_of_other_layers_learn_as_sb3_has_them() -> None:
    settings: dict[str, Any] = {"policy_kwargs": {"activation_fn": nn.ELU}}
    ours, theirs = model(LeanPPO, lean=True, **settings), model(PPO, **settings)
    assert ActorCriticChains.of(ours.policy) is None
    assert iterate(ours, 2) == iterate(theirs, 2)
    assert_same(ours, theirs)
