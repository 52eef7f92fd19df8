"""Counts, pseudo-counts, NGU, RIDE, E3B, NovelD, RE3 and APT against numbers from the original codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from golden_cases import Case, cases
from gymnasium import spaces
from torch import nn

from harness import Spaces, Transitions
from harness_episodic.configs.dynamics import E3BConfig, PseudoCountsConfig, RideConfig
from harness_episodic.configs.particles import ICMAPTConfig
from harness_episodic.kernel import Kernel, nearest_squared_distances
from harness_episodic.methods.apt import ICMAPT
from harness_episodic.methods.e3b import E3B
from harness_episodic.methods.ngu import PseudoCounts, lifelong_factor
from harness_episodic.methods.noveld import novelty_difference
from harness_episodic.methods.ride import Ride, impact
from harness_episodic.particles import Bank, DistanceScale, batch_distances, particle_bonus


def steps(case: Case, obs: torch.Tensor, next_obs: torch.Tensor, done: Any) -> list[Transitions]:
    """The transitions of every step, of states ``(T, N, D)`` and ends of episodes ``(T, N)``."""
    ends = torch.tensor(done, dtype=torch.bool)
    n = obs.shape[1]
    zeros, envs = torch.zeros(n), torch.arange(n)
    return [
        Transitions(obs[t], torch.zeros(n, dtype=torch.int64), next_obs[t], zeros, ends[t], torch.zeros_like(ends[t]), envs)
        for t in range(len(obs))
    ]


def world(dim: int) -> Spaces:
    return Spaces(spaces.Box(-np.inf, np.inf, (dim,), np.float32), spaces.Discrete(3))


def as_is(case: Case, method: Any) -> Any:
    """The method in the case's precision, its embedding replaced by the identity, as in the case."""
    method.dynamics.embedding = nn.Identity()
    return method.to(case.dtype)


def tensor(case: Case, array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array).to(case.dtype)


# E3B ------------------------------------------------------------------------------------------------------------------
@cases("e3b")
def test_golden_e3b(case: Case) -> None:
    s = case.settings
    embedded = tensor(case, case.input("embeddings"))
    for code, first_bonus in (("rllte", "keep"), ("facebookresearch", "zero")):
        config = E3BConfig(feature_dim=s["embedding_dim"], ridge=s["ridge"], bonus_on="obs", first_bonus=first_bonus)
        e3b = as_is(case, E3B(config, world(s["embedding_dim"]), s["n_envs"], "cpu", seed=0))
        expected = case.expected[code]
        for t, step in enumerate(steps(case, embedded, embedded, s["done"])):
            e3b.track(step)
            bonus = e3b.episodes.answer(step, e3b.embed, "obs")
            case.check(expected["reward"][t], bonus, f"{code}.reward[{t}]")
        for env, inverse in enumerate(expected.get("inverse_after", [])):
            case.check(inverse, e3b.episodes.inverse[env], f"{code}.inverse_after[{env}]")


# Pseudo-counts and NGU ------------------------------------------------------------------------------------------------
def rounded(case: Case, array: np.ndarray) -> torch.Tensor:
    """Embeddings of the counting cases: few enough values that states recur."""
    return (0.1 * torch.from_numpy(array).double().mul(2).round()).to(case.dtype)


def counting_config(case: Case, **others: Any) -> PseudoCountsConfig:
    s = case.settings
    return PseudoCountsConfig(
        feature_dim=s["embedding_dim"],
        neighbours=s["k"],
        kernel_epsilon=s["kernel_epsilon"],
        cluster_distance=s["kernel_cluster_distance"],
        count_constant=s["c"],
        max_similarity=s["maximum_similarity"],
        bonus_on="obs",
        **others,
    )


@cases("episodic_counts", having="pseudo_counts")
def test_golden_pseudo_counts_of_rllte(case: Case) -> None:
    s = case.settings
    config = counting_config(case, fewer_neighbours="count", distance_mean="rollouts")
    counts = as_is(case, PseudoCounts(config, world(s["embedding_dim"]), s["n_envs"], "cpu", seed=0))
    for rollout, embedded in enumerate(case.inputs("embeddings of rollout")):
        expected = case.expected["pseudo_counts"][rollout]
        states = rounded(case, embedded)
        for t, step in enumerate(steps(case, states, states, s["done"])):
            counts.track(step)
            counts.observe(step)
            bonus = counts.kernel.bonus(counts.episodes.answer(step, counts.embed, "obs"), counts.usual.mean)
            case.check(expected["bonus"][t], bonus, f"pseudo_counts[{rollout}].bonus[{t}]")
        counts.usual.end_rollout()
        where = f"pseudo_counts[{rollout}].distance_mean_after"
        case.check(expected["distance_mean_after"], counts.usual.mean, where)


@cases("episodic_counts", having="ride")
def test_golden_ride_of_rllte(case: Case) -> None:
    s = case.settings
    kernel = Kernel(s["kernel_epsilon"], s["kernel_cluster_distance"], s["c"], s["maximum_similarity"])
    config = RideConfig(feature_dim=s["embedding_dim"], episodic="kernel", neighbours=s["k"])
    ride = as_is(case, Ride(config, world(s["embedding_dim"]), s["n_envs"], "cpu", seed=0))
    afterwards = case.inputs("embedding after rollout")
    for rollout, embedded in enumerate(case.inputs("embeddings of rollout")):
        states = rounded(case, np.concatenate([embedded, afterwards[rollout]]))
        for t, step in enumerate(steps(case, states[:-1], states[1:], s["done"])):
            ride.track(step)
            ride.observe(step)
            distances = ride.episodes.answer(step, ride.embed, "obs")
            bonus = (step.next_obs - step.obs).square().mean(1) * kernel.bonus(distances, ride.usual.mean)
            if kernel == Kernel():  # the method has the published one
                torch.testing.assert_close(ride.bonus(step), bonus.float(), rtol=1e-6, atol=0)
            case.check(case.expected["ride"][rollout]["reward"][t], bonus, f"ride[{rollout}].reward[{t}]")
        ride.usual.end_rollout()


@cases("episodic_counts", having="ngu_rllte_combination")
def test_golden_combination_of_rllte(case: Case) -> None:
    lifelong, episodic = (tensor(case, np.array(case.settings[name])) for name in ("lifelong", "episodic_for_ngu"))
    factor = lifelong_factor(lifelong, 0.0, 1.0, case.settings["max_reward_scaling"])
    case.check(case.expected["ngu_rllte_combination"], factor * episodic, "ngu_rllte_combination")


@cases("episodic_counts", having="ngu_paper_independent")
def test_golden_pseudo_counts_of_the_paper(case: Case) -> None:
    s, zoo = case.settings, case.settings["deep_rl_zoo"]
    counts = as_is(case, PseudoCounts(counting_config(case), world(s["embedding_dim"]), 1, "cpu", seed=0))
    states = rounded(case, case.input("deep_rl_zoo embeddings"))[:, None]
    ends = [[t + 1 in zoo["reset_before_step"]] for t in range(len(states))]
    for t, step in enumerate(steps(case, states, states, ends)):
        counts.track(step)
        counts.observe(step)
        bonus = counts.kernel.bonus(counts.episodes.answer(step, counts.embed, "obs"), counts.usual.mean)
        expected, where = case.expected["ngu_paper_independent"][t], f"ngu_paper_independent[{t}]"
        case.check(expected["bonus"], bonus, f"{where}.bonus")
        case.check(expected["distance_mean"], counts.usual.mean, f"{where}.distance_mean")


@cases("episodic_counts", having="deep_rl_zoo")
def test_golden_kernel_of_deep_rl_zoo(case: Case) -> None:
    """Its ring writes before it looks, and its mean moves at every tenth query: both by hand, the rest as here."""
    s, zoo = case.settings, case.settings["deep_rl_zoo"]
    kernel = Kernel(s["kernel_epsilon"], s["kernel_cluster_distance"], s["c"], s["maximum_similarity"])
    k, capacity = zoo["num_neighbors"], zoo["capacity"]
    rows = torch.zeros(1, capacity, s["embedding_dim"], dtype=case.dtype)
    seen, pending, all_seen, mean = 0, [], [], torch.zeros(1, dtype=case.dtype)
    for t, state in enumerate(rounded(case, case.input("deep_rl_zoo embeddings"))):
        seen = 0 if t in zoo["reset_before_step"] else seen
        filled = torch.arange(capacity)[None] < seen
        rows[0, seen % capacity] = state
        seen += 1
        bonus = torch.zeros(1)
        if seen > k:
            distances = nearest_squared_distances(state[None], rows, filled, k)
            pending.append(distances[0])
            if len(pending) == 10:
                all_seen, pending = [*all_seen, *pending], []
                mean = torch.cat(all_seen).mean()[None]
            bonus = kernel.bonus(distances, mean)
        expected = case.expected["deep_rl_zoo"][t]
        case.check(expected["bonus"], bonus, f"deep_rl_zoo[{t}].bonus")
        case.check(expected["distance_mean"], mean, f"deep_rl_zoo[{t}].distance_mean")


# RIDE -----------------------------------------------------------------------------------------------------------------
@cases("ride")
def test_golden_ride(case: Case) -> None:
    s = case.settings
    height, width, channels = s["observation"]
    images = spaces.Box(0, 255, (channels, width, height), np.uint8)
    config = RideConfig(
        forward_weight=s["forward_loss_coef"], inverse_weight=s["inverse_loss_coef"], loss_scale=s["unroll"], feature_dim=128
    )
    ride = Ride(config, Spaces(images, spaces.Discrete(s["actions"]), channels), s["batch"], "cpu", seed=0).to(case.dtype)
    parameters = list(ride.dynamics.parameters())
    case.fill(parameters)
    # there channels stand last, and are moved to the front by turning the axes around
    seen = torch.from_numpy(case.input("observations")).permute(0, 1, 4, 3, 2)
    obs, next_obs = seen[:-1].flatten(0, 1), seen[1:].flatten(0, 1)
    n = len(obs)
    never, zeros = torch.zeros(n, dtype=torch.bool), torch.zeros(n)
    actions = torch.tensor(s["actions_taken"]).flatten()
    batch = Transitions(obs, actions, next_obs, zeros, never, never, torch.zeros(n, dtype=torch.int64))
    embedded, next_embedded = ride.embed(obs), ride.embed(next_obs)
    visits = torch.tensor(s["episode_visits_of_next_state"]).flatten()
    control = impact(embedded, next_embedded, torch.ones(n))
    reward = s["intrinsic_reward_coef"] * impact(embedded, next_embedded, visits)
    losses = ride.losses(batch)
    losses["loss"].backward()
    case.check(case.expected["embedding"], embedded, "embedding")
    case.check(case.expected["next_embedding"], next_embedded, "next_embedding")
    case.check(case.expected["control"], control, "control")
    case.check(case.expected["reward"], reward, "reward")
    for name, weight in (("forward_loss", config.forward_weight), ("inverse_loss", config.inverse_weight)):
        case.check(case.expected[name], s["unroll"] * weight * losses[name], name)
    gradients = dict(zip(case.parameter_names(), (p.grad for p in parameters), strict=True))
    case.check(case.expected["grads"], gradients, "grads")


# NovelD ---------------------------------------------------------------------------------------------------------------
@cases("noveld")
def test_golden_noveld(case: Case) -> None:
    s = case.settings
    predicted = tensor(case, case.input("predictor minus nothing"))
    errors = (predicted - tensor(case, case.input("random target"))).norm(dim=2)
    for t, visits in enumerate(torch.tensor(s["visits_of_next_state"])):
        gain = novelty_difference(errors[t], errors[t + 1], visits, s["scale_fac"])
        case.check(case.expected["before_coefficient"][t], gain, f"before_coefficient[{t}]")
        case.check(case.expected["reward"][t], s["intrinsic_reward_coef"] * gain, f"reward[{t}]")


# RE3 ------------------------------------------------------------------------------------------------------------------
@cases("re3", having="rad")
def test_golden_re3_of_the_authors(case: Case) -> None:
    """With their deviation, which is another than the running one."""
    s = case.settings
    bank = tensor(case, case.input("bank features"))
    for call, array in enumerate(case.inputs("query features")):
        queries, expected, where = tensor(case, array), case.expected["rad"][call], f"rad[{call}]"
        kept = torch.cat([queries, bank])
        distances = batch_distances(queries, kept, s["k"] + 1)
        averaged = batch_distances(queries, kept, s["average_uses_k"])
        std = tensor(case, np.array(expected["std_after_update_quirk"]))
        case.check(expected["kth_distance"], particle_bonus(distances), f"{where}.kth_distance")
        case.check(expected["average_of_5"], particle_bonus(averaged, average="mean"), f"{where}.average_of_5")
        case.check(expected["normalised"], particle_bonus(distances, std), f"{where}.normalised")
        logarithm = particle_bonus(averaged, std, average="mean", log=True)
        case.check(expected["a2c_log_normalised_average"], logarithm, f"{where}.a2c_log_normalised_average")


@cases("re3", having="rllte")
def test_golden_re3_of_rllte(case: Case) -> None:
    """Its states see their own future: the whole rollout is kept first."""
    s = case.settings["rllte"]
    states = tensor(case, case.input("rllte observations"))
    kth, average = torch.zeros(states.shape[:2]).to(case.dtype), torch.zeros(states.shape[:2]).to(case.dtype)
    for env in range(s["n_envs"]):
        bank = Bank(s["storage_size"], s["observation_dim"]).to(case.dtype)
        for state in states[:, env]:
            bank.push(state[None])
        kth[:, env] = particle_bonus(bank.distances(states[:, env], s["k"] + 1), log=True)
        average[:, env] = particle_bonus(bank.distances(states[:, env], s["k"]), average="mean_of_logs")
    for t in range(len(states)):
        case.check(case.expected["rllte"]["reward"][t], kth[t], f"rllte.reward[{t}]")
        case.check(case.expected["rllte"]["reward_average"][t], average[t], f"rllte.reward_average[{t}]")


# APT ------------------------------------------------------------------------------------------------------------------
@cases("apt_urlb")
def test_golden_apt(case: Case) -> None:
    s = case.settings
    for name, variant in s["variants"].items():
        scale = DistanceScale("mean" if variant["knn_rms"] else "none")
        average = "mean" if variant["knn_avg"] else "kth"
        for call, array in enumerate(case.inputs("representation of call")):
            embedded, expected = tensor(case, array), case.expected[name][call]
            distances = batch_distances(embedded, embedded, s["k"])
            scale.see(distances if variant["knn_avg"] else distances[:, -1])
            bonus = particle_bonus(distances, scale.value, clip=variant["knn_clip"], average=average, log=True)
            case.check(expected["reward"], bonus, f"{name}[{call}].reward")
            if variant["knn_rms"]:
                case.check(expected["running_mean"], scale.moments.mean, f"{name}[{call}].running_mean")
                case.check(expected["n"], scale.moments.count, f"{name}[{call}].n")


@cases("icm_urlb", having="icm_apt")
def test_golden_icm_apt(case: Case) -> None:
    s = case.settings
    config = ICMAPTConfig(feature_dim=s["icm_rep_dim"], hidden_dim=s["hidden"], hidden=())
    actions = spaces.Box(-1, 1, (s["action_dim"],), np.float32)
    apt = ICMAPT(config, Spaces(world(s["observation_dim"]).observation, actions), 1, "cpu", seed=0).to(case.dtype)
    dynamics = apt.dynamics
    parts = {"trunk": dynamics.embedding, "forward_net": dynamics.forward_model, "backward_net": dynamics.inverse_model}
    named: dict[str, torch.Tensor] = {}
    for part, module in parts.items():
        parameters = list(module.parameters())
        case.fill(parameters, f"icm_apt.{part}.")
        names = [name for name in case.parameter_names() if name.startswith(f"icm_apt.{part}.")]
        named |= dict(zip((name.removeprefix("icm_apt.") for name in names), parameters, strict=True))
    with torch.no_grad():
        named["trunk.1.weight"].add_(1)
    obs, next_obs = (tensor(case, case.input(name)) for name in ("observations", "next observations"))
    taken = tensor(case, case.input("actions before tanh")).tanh()
    n = len(obs)
    never = torch.zeros(n, dtype=torch.bool)
    batch = Transitions(obs, taken, next_obs, torch.zeros(n), never, never, torch.zeros(n, dtype=torch.int64))
    embedded, next_embedded = apt.embed(obs), apt.embed(next_obs)
    forward = dynamics.forward_errors(embedded, taken, next_embedded, "norm")
    backward = dynamics.actions.error(dynamics.guess(embedded, next_embedded), taken, norm=True)
    loss = apt.loss(batch)
    loss.backward()
    expected = case.expected["icm_apt"]
    case.check(expected["representation"], embedded, "icm_apt.representation")
    case.check(expected["forward_error"], forward, "icm_apt.forward_error")
    case.check(expected["backward_error"], backward, "icm_apt.backward_error")
    case.check(expected["loss"], loss, "icm_apt.loss")
    case.check(expected["grads"], {name: parameter.grad for name, parameter in named.items()}, "icm_apt.grads")
