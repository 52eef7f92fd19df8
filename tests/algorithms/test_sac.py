"""SAC in the harness is SB3's SAC; what it begins anew and what it leaves alone; learned representations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from stable_baselines3 import SAC
from stable_baselines3.common.vec_env import VecMonitor
from support.encoding import FEATURES, Encoding
from support.off_policy import CASES, SMALL_RND, make_spec, registry
from support.point_mass import PointMass, PointMassConfig
from torch import nn

from harness.algorithms import randomness
from harness.algorithms.off_policy.representation import Trunk
from harness.algorithms.sac.learner import SACLearner
from harness.errors import UserError
from harness.spec import EnvironmentSpec, RunSpec
from harness.training.assembly import Assembly, assemble

CPU = torch.device("cpu")
PARTS = ("actor", "critics", "optimizers", "replay")


def begun(spec: RunSpec, iterations: int = 0) -> tuple[Assembly, SACLearner]:
    """A run after some iterations."""
    parts = assemble(spec, CPU, registry())
    learner = parts.learner
    assert isinstance(learner, SACLearner)
    parts.base.reseed([5, 6])
    learner.begin(spec.steps)
    for _ in range(iterations):
        learner.iterate()
    return parts, learner


def weights(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    assert one.keys() == other.keys()
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(("train_freq", "gradient_steps"), [(1, 1), (2, 3)])
def test_without_a_bonus_it_is_sb3s_sac(train_freq: int, gradient_steps: int) -> None:
    spec = make_spec(algorithm={"train_freq": train_freq, "gradient_steps": gradient_steps, "ent_coef": "auto_0.2"})
    _, learner = begun(spec, 3)
    env = VecMonitor(PointMass(PointMassConfig(), 2))
    model = SAC(
        "MlpPolicy", env, buffer_size=100, learning_starts=30, batch_size=16, policy_kwargs={"net_arch": [16]},
        train_freq=train_freq, gradient_steps=gradient_steps, ent_coef="auto_0.2", seed=learner.model.seed, device="cpu",
    )  # fmt: skip
    env.venv.reseed([5, 6])  # type: ignore[attr-defined]
    model.learn(learner.step)
    assert model.num_timesteps == learner.step
    assert same(weights(model.policy), weights(learner.model.policy))
    assert model.log_ent_coef is not None
    assert learner.model.log_ent_coef is not None
    assert torch.equal(model.log_ent_coef, learner.model.log_ent_coef)


def test_a_bonus_without_weight_changes_nothing_but_what_it_costs() -> None:
    weightless = make_spec(reward="encoding", combine={"intrinsic_weight": 0.0})
    weightless = (
        weightless.model_copy(update={"reward": None}),
        make_spec(reward="rnd", config=SMALL_RND | {"warm_up_steps": 0}, combine={"intrinsic_weight": 0.0}),
    )
    (_, without), (_, with_bonus) = (begun(spec, 3) for spec in weightless)
    assert same(weights(without.model.policy), weights(with_bonus.model.policy))
    _, weighty = begun(make_spec(reward="rnd", config=SMALL_RND | {"warm_up_steps": 0}), 3)
    assert not same(weights(without.model.policy), weights(weighty.model.policy))


def test_warm_up_leaves_the_random_actions_as_they_are() -> None:
    """A method without weight acts like the baseline, after as many random steps before training as it likes."""
    spec = make_spec(reward="rnd", config=SMALL_RND | {"warm_up_steps": 3}, combine={"intrinsic_weight": 0.0})
    actions = []
    for each in (spec.model_copy(update={"reward": None}), spec):
        parts = assemble(each, CPU, registry())
        if parts.bonus_env is not None:
            parts.bonus_env.warm_up(seed=8)
        parts.base.reseed([5, 6])
        parts.learner.begin(each.steps)
        for _ in range(3):  # random ones until step 30, then the policy's
            parts.learner.iterate()
        assert isinstance(parts.learner, SACLearner)
        assert parts.learner.model.replay_buffer is not None
        actions.append(parts.learner.model.replay_buffer.actions.copy())
    np.testing.assert_array_equal(*actions)
    assert np.unique(actions[0][:30]).size > 30


def test_an_iteration_is_whole_calls_of_training() -> None:
    _, learner = begun(make_spec(algorithm={"log_every": 21, "train_freq": 3}))
    assert learner.vector_steps_per_iteration == 12  # vector steps of two environments
    metrics = learner.iterate()
    assert learner.step == metrics["time/total_timesteps"] == 24
    assert "train/critic_loss" not in metrics
    metrics = learner.iterate()
    assert metrics["train/n_updates"] == 3  # after steps 36, 42 and 48; learning starts after 30
    assert {"train/critic_loss", "train/actor_loss", "train/ent_coef", "rollout/ep_rew_mean"} <= metrics.keys()


def test_targets_follow_at_their_interval_over_the_whole_run() -> None:
    _, learner = begun(make_spec(algorithm={"target_update_interval": 3, "learning_starts": 0, "log_every": 2}))
    followed = []
    for _ in range(7):
        before = weights(learner.model.critic_target)
        learner.iterate()
        followed.append(not same(before, weights(learner.model.critic_target)))
    assert followed == [True, False, False, True, False, False, True]


def test_after_an_emptied_replay_learning_waits_and_the_actor_collects() -> None:
    _, learner = begun(make_spec(algorithm={"learning_starts": 20, "log_every": 12}), 3)
    updates = learner.model._n_updates
    learner.reset(("replay",), seed=0)
    before = weights(learner.model.actor)
    learner.iterate()
    assert (learner.model._n_updates, same(before, weights(learner.model.actor))) == (updates, True)
    learner.iterate()
    assert learner.model._n_updates > updates


def test_what_another_run_has_learnt_is_taken_over_and_nothing_else() -> None:
    _, taught = begun(make_spec(), 4)
    _, learner = begun(make_spec(seed=1))
    learner.start_from(taught.state_dict(), 1000)
    assert learner.step == 1000
    for name in ("actor", "critic", "critic_target"):
        assert same(weights(getattr(taught.model, name)), weights(getattr(learner.model, name)))
    assert learner.model.log_ent_coef is not None
    assert taught.model.log_ent_coef is not None
    assert learner.model.log_ent_coef.item() == taught.model.log_ent_coef.item()
    assert learner.model.critic.optimizer.state
    assert learner.model.replay_buffer is not None
    assert learner.model.replay_buffer.size() == 0


@pytest.mark.parametrize("parts", [("actor",), ("critics",), ("optimizers",), ("replay",), PARTS, ()], ids="+".join)
def test_reset_begins_anew_with_what_it_names_and_leaves_the_rest(parts: tuple, tmp_path: Path) -> None:
    _, learner = begun(make_spec(reward="rnd", config=SMALL_RND), 4)
    model, replay = learner.model, learner.replay
    replay.save(tmp_path)
    before = {"actor": weights(model.actor), "critic": weights(model.critic), "target": weights(model.critic_target)}
    assert model.log_ent_coef is not None
    coefficient, streams = model.log_ent_coef.item(), str(randomness.get_state()["numpy"])
    learner.reset(parts, seed=11)
    assert str(randomness.get_state()["numpy"]) == streams
    assert same(before["actor"], weights(model.actor)) == ("actor" not in parts)
    assert same(before["critic"], weights(model.critic)) == ("critics" not in parts)
    assert same(before["target"], weights(model.critic_target)) == ("critics" not in parts)
    assert same(weights(model.critic), weights(model.critic_target)) == ("critics" in parts)
    assert (model.log_ent_coef.item() == coefficient) == ("critics" not in parts)
    of = {"actor": [model.actor.optimizer], "critics": [model.critic.optimizer, model.ent_coef_optimizer]}
    for part, optimizers in of.items():
        for optimizer in optimizers:
            assert bool(optimizer.state) == (part not in parts and "optimizers" not in parts)  # type: ignore[union-attr]
    assert model.replay_buffer is not None
    assert (model.replay_buffer.size() == 0) == ("replay" in parts)
    replay.save(tmp_path)
    replay.remove_unreferenced(tmp_path)
    assert (list(tmp_path.iterdir()) == []) == ("replay" in parts)
    for _ in range(4):  # learning waits for new transitions
        learner.iterate()
    assert all(parameter.grad is not None for parameter in model.critic.parameters())
    assert not same(before["critic"], weights(model.critic))  # its optimiser still trains it


def test_reset_follows_its_seed() -> None:
    found = []
    for seed in (1, 1, 2):
        _, learner = begun(make_spec(), 1)
        learner.reset(("actor", "critics"), seed)
        found.append(weights(learner.model.policy))
    assert same(found[0], found[1])
    assert not same(found[0], found[2])


def test_discrete_actions_are_refused_when_only_the_environment_could_tell() -> None:
    spec = make_spec().model_copy(update={"environment": EnvironmentSpec(family="deep_sea", config={"size": 4})})
    with pytest.raises(UserError, match=r"sac needs continuous actions, and environments of family 'deep_sea' have Discrete"):
        assemble(spec, CPU, registry())


# --------------------------------------------------------------------------------------------------------------------
# Representations
# --------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("pixels", [False, True])
def test_a_representation_is_what_the_learner_sees_and_only_the_method_trains_it(pixels: bool) -> None:
    spec = make_spec(
        reward="encoding", environment={"pixels": pixels}, algorithm={"trunk_dim": 8, "learning_starts": 0, "log_every": 2}
    )
    parts, learner = begun(spec, 2)
    reward, model = parts.reward, learner.model
    assert isinstance(reward, Encoding)
    encoder = {id(parameter) for parameter in reward.encoder.parameters()}
    optimizers = (model.actor.optimizer, model.critic.optimizer)
    trained = {id(p) for optimizer in optimizers for group in optimizer.param_groups for p in group["params"]}
    assert not encoder & (trained | {id(parameter) for parameter in model.policy.parameters()})
    assert not any("encoder" in name for name in model.policy.state_dict())
    assert parts.bonus_env is not None
    parts.bonus_env.set_phase(1.0, 1.0, train_reward=False)
    before, actor = weights(reward.encoder), weights(model.actor)
    learner.iterate()
    assert same(before, weights(reward.encoder))
    assert not same(actor, weights(model.actor))
    assert model.replay_buffer is not None
    sampled = model.replay_buffer.sample(5)
    assert sampled.observations.shape == sampled.next_observations.shape == (5, FEATURES)
    assert not sampled.observations.requires_grad


def test_features_of_a_batch_are_computed_once_for_all_networks() -> None:
    parts, learner = begun(make_spec(reward="encoding", algorithm={"learning_starts": 0, "log_every": 2}), 1)
    assert isinstance(parts.reward, Encoding)
    encoder = parts.reward.encoder
    encoder.calls = 0
    learner.model.train(gradient_steps=1, batch_size=16)
    assert encoder.calls == 2 + 3  # both ends for SAC; update, observe_batch and bonus of the method


def test_each_network_has_a_trunk_of_its_own_on_the_features() -> None:
    _, learner = begun(make_spec(reward="encoding", algorithm={"trunk_dim": 8}))
    trunks = [
        network.features_extractor for network in (learner.model.actor, learner.model.critic, learner.model.critic_target)
    ]
    assert len({id(trunk) for trunk in trunks}) == 3
    for trunk in trunks:
        assert isinstance(trunk, Trunk)
        linear, norm = trunk.layers
        assert (linear.in_features, linear.out_features) == (FEATURES, 8)  # type: ignore[union-attr]
        assert isinstance(norm, nn.LayerNorm)
        out = trunk(torch.randn(4, FEATURES))
        torch.testing.assert_close(out.mean(1), torch.zeros(4), atol=1e-5, rtol=0)


@pytest.mark.parametrize("pixels", [False, True])
def test_acting_sees_the_features_of_the_observation(pixels: bool) -> None:
    parts, learner = begun(make_spec(reward="encoding", environment={"pixels": pixels}))
    observations = learner.observations
    action, _ = learner.predict(observations, deterministic=True)
    assert isinstance(parts.reward, Encoding)
    with torch.no_grad():
        features = parts.reward.encoder(torch.from_numpy(parts.reward.view(observations)))
        expected = learner.model.policy.unscale_action(learner.model.actor(features, deterministic=True).numpy())
    np.testing.assert_allclose(action, expected, rtol=1e-5)


def test_a_trunk_goes_without_a_representation_too() -> None:
    for pixels in (False, True):
        _, learner = begun(make_spec(environment={"pixels": pixels}, algorithm={"trunk_dim": 8}))
        assert learner.model.actor.features_dim == 8
        learner.iterate()


def test_the_case_with_pixels_sees_the_newest_frame_alone() -> None:
    parts, _ = begun(CASES["pixels"])
    assert parts.reward is not None
    assert parts.reward.view(parts.learner.observations).shape == (2, 1, 36, 36)
