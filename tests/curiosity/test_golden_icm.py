"""ICM and disagreement against numbers from the code of four repositories."""

from __future__ import annotations

from typing import Any

import torch
from curiosity.curiosity_golden import batch, box, build, check_gradients, tensor
from golden_cases import Case, cases
from gymnasium import spaces
from torch import Tensor, nn

from harness_curiosity import presets
from harness_curiosity.disagreement import Disagreement
from harness_curiosity.dynamics_configs import DisagreementConfig, ICMConfig
from harness_curiosity.icm import ICM

RANDOM = torch.Generator()


def icm_config(preset: str, **changes: Any) -> ICMConfig:
    (found,) = [it for it in presets.ICM if it.name == preset]
    return ICMConfig(**{**found.config, **changes})


def disagreement_config(preset: str, **changes: Any) -> DisagreementConfig:
    (found,) = [it for it in presets.DISAGREEMENT if it.name == preset]
    return DisagreementConfig(**{**found.config, **changes})


def flat(case: Case, name: str) -> Tensor:
    """An input ``(T, N, dim)`` as rows in time order."""
    return tensor(case, case.input(name)).flatten(0, 1)


def actions(case: Case) -> Tensor:
    return torch.tensor(case.settings["actions_taken"]).flatten()


def parts(*modules: nn.Module | None) -> list[nn.Parameter]:
    return [parameter for module in modules if module is not None for parameter in module.parameters()]


@cases("icm_noreward")
def test_golden_icm_of_pathak(case: Case) -> None:
    s, expected = case.settings, case.expected
    height, width, channels = s["observation"]
    config = icm_config(
        "pathak2017",
        forward_hidden=s["hidden"],
        inverse_hidden=s["hidden"],
        forward_share=s["forward_loss_weight"],
        loss_scale=s["prediction_lr_scale"] * s["gradient_factor"],
        eta=s["prediction_beta"],
    )
    icm = build(case, ICM, config, box((channels, height, width), 0, 1), spaces.Discrete(s["actions"]), channels)
    parameters = parts(icm.features, icm.inverse, icm.dynamics)
    case.fill(parameters)
    obs, next_obs = (tensor(case, case.input(name)).permute(0, 3, 1, 2) for name in ("s_t ", "s_{t+1}"))
    transitions = batch(obs, actions(case), next_obs)
    losses = icm.losses(transitions, RANDOM)
    assert icm.features.features_dim == s["features"]
    case.check(expected["features_s1"], icm.encode(obs), "features_s1")
    case.check(expected["inverse_loss"], losses["inverse_loss"], "inverse_loss")
    case.check(expected["forward_loss"], losses["forward_loss"], "forward_loss")
    case.check(expected["predloss"], losses["loss"] / s["gradient_factor"], "predloss")
    case.check(expected["bonus"], config.eta * icm.forward_error(transitions), "bonus")
    torch.testing.assert_close(icm.bonus(transitions), (config.eta * icm.forward_error(transitions)).float())
    check_gradients(case, expected["grads_20_predloss"], losses["loss"], parameters, "grads_20_predloss")
    check_gradients(case, expected["grads_forward_loss"], icm.forward_loss(transitions), parameters, "grads_forward_loss")


@cases("icm_rllte")
def test_golden_icm_of_rllte(case: Case) -> None:
    s, expected = case.settings, case.expected
    config = icm_config(
        "rllte",
        observation_normalisation="none",  # the case gives the networks their inputs
        feature_dim=s["latent_dim"],
        hidden=[s["hidden"]],
        forward_hidden=s["hidden"],
        inverse_hidden=s["hidden"],
    )
    icm = build(case, ICM, config, box((s["observation_dim"],)), spaces.Discrete(s["actions"]))
    parameters = parts(icm.features, icm.inverse, icm.dynamics)
    case.fill(parameters)
    transitions = batch(flat(case, "observations"), actions(case), flat(case, "next observations"))
    losses = icm.losses(transitions, RANDOM)
    case.check(expected["features_obs"], icm.encode(transitions.obs), "features_obs")
    case.check(expected["reward"], icm.forward_error(transitions), "reward")
    case.check(expected["inverse_loss"], losses["inverse_loss"], "inverse_loss")
    case.check(expected["forward_loss"], losses["forward_loss"], "forward_loss")
    case.check(expected["total_loss"], losses["loss"], "total_loss")
    check_gradients(case, expected["grads_total"], losses["loss"], parameters, "grads_total")


def urlb_batch(case: Case) -> Any:
    obs, next_obs, raw = (tensor(case, case.input(name)) for name in ("observations", "next observations", "actions"))
    return batch(obs, raw.tanh(), next_obs)


@cases("icm_urlb", having="icm")
def test_golden_icm_of_urlb(case: Case) -> None:
    s, expected = case.settings, case.expected["icm"]
    config = icm_config("urlb", forward_hidden=s["hidden"], inverse_hidden=s["hidden"], eta=s["icm_scale"])
    icm = build(case, ICM, config, box((s["observation_dim"],)), box((s["action_dim"],), -1, 1))
    parameters = parts(icm.dynamics, icm.inverse)
    case.fill(parameters, "icm.")
    check_urlb(case, icm, expected, "icm")
    case.check(expected["reward"], (s["icm_scale"] * icm.forward_error(urlb_batch(case))).log1p(), "icm.reward")
    torch.testing.assert_close(icm.bonus(urlb_batch(case)), tensor(case, expected["reward"]).float(), rtol=1e-5, atol=0)
    loss = icm.losses(urlb_batch(case), RANDOM)["loss"]
    check_gradients(case, expected["grads"], loss, parameters, "icm.grads", "icm.")


@cases("icm_urlb", having="icm_apt")
def test_golden_trunk_of_icm_apt(case: Case) -> None:
    """The features of ICM-APT: a linear layer, layer normalisation and tanh, trained by both models."""
    s, expected = case.settings, case.expected["icm_apt"]
    config = icm_config(
        "urlb",
        features="inverse",
        hidden=[],
        feature_dim=s["icm_rep_dim"],
        feature_output="layer_norm_tanh",
        forward_hidden=s["hidden"],
        inverse_hidden=s["hidden"],
        forward_trains_features=True,
    )
    icm = build(case, ICM, config, box((s["observation_dim"],)), box((s["action_dim"],), -1, 1))
    parameters = parts(icm.features, icm.dynamics, icm.inverse)
    case.fill(parameters, "icm_apt.")
    with torch.no_grad():
        next(m for m in icm.features.modules() if isinstance(m, nn.LayerNorm)).weight.add_(1)  # as `fixed` says
    check_urlb(case, icm, expected, "icm_apt")
    case.check(expected["representation"], icm.encode(urlb_batch(case).obs), "icm_apt.representation")
    loss = icm.losses(urlb_batch(case), RANDOM)["loss"]
    check_gradients(case, expected["grads"], loss, parameters, "icm_apt.grads", "icm_apt.")


def check_urlb(case: Case, icm: ICM, expected: Any, block: str) -> None:
    transitions = urlb_batch(case)
    features, next_features = icm.encode(transitions.obs), icm.encode(transitions.next_obs)
    inverse_error = icm.actions.error(icm.guess(features, next_features), transitions.action, norm=True)
    case.check(expected["forward_error"], icm.forward_error(transitions), f"{block}.forward_error")
    case.check(expected["backward_error"], inverse_error, f"{block}.backward_error")
    case.check(expected["loss"], icm.losses(transitions, RANDOM)["loss"], f"{block}.loss")


@cases("lsc_dynamics")
def test_golden_dynamics_of_burda(case: Case) -> None:
    s, expected = case.settings, case.expected
    config = icm_config(
        "burda2018", observation_normalisation="none", feature_dim=s["feature_dim"], forward_hidden=s["hidden"]
    )
    icm = build(case, ICM, config, box((s["feature_dim"],)), spaces.Discrete(s["actions"]))
    parameters = parts(icm.dynamics)
    case.fill(parameters)
    features, following = (flat(case, f"features of {name}").requires_grad_() for name in ("s_t ", "s_{t+1}"))
    error = icm.error_between(features, following, actions(case))
    case.check(expected["reward"], error, "reward")
    case.check(expected["loss"], error.mean(), "loss")
    error.mean().backward()
    grads = {name: p.grad for name, p in zip(case.parameter_names(), parameters, strict=True)}
    grads |= {"features_s": features.grad, "features_next": following.grad}
    case.check(expected["grads"], grads, "grads")


@cases("disagreement_rllte")
def test_golden_disagreement_of_rllte(case: Case) -> None:
    s, expected = case.settings, case.expected
    config = disagreement_config(
        "rllte",
        observation_normalisation="none",
        feature_dim=s["latent_dim"],
        hidden=[s["hidden"]],
        forward_hidden=s["hidden"],
        members=s["ensemble_size"],
    )
    ours = build(case, Disagreement, config, box((s["observation_dim"],)), spaces.Discrete(s["actions"]))
    case.fill(parts(ours.features, ours.dynamics))
    transitions = batch(flat(case, "observations"), actions(case), flat(case, "next observations"))
    case.check(expected["features_obs"], ours.encode(transitions.obs), "features_obs")
    case.check(expected["reward"], ours.variance(transitions), "reward")


@cases("icm_urlb", having="disagreement")
def test_golden_disagreement_of_urlb(case: Case) -> None:
    s, expected = case.settings, case.expected["disagreement"]
    config = disagreement_config("urlb", forward_hidden=s["hidden"], members=s["n_models"])
    ours = build(case, Disagreement, config, box((s["observation_dim"],)), box((s["action_dim"],), -1, 1))
    parameters = parts(ours.dynamics)
    case.fill(parameters, "disagreement.")
    errors = ours.member_errors(urlb_batch(case))
    reference = torch.tensor(expected["errors"])
    case.check(expected["errors"], errors if len(reference) == s["n_models"] else errors.T, "disagreement.errors")
    case.check(expected["reward"], ours.variance(urlb_batch(case)), "disagreement.reward")
    case.check(expected["loss"], errors.mean(), "disagreement.loss")
    check_gradients(case, expected["grads"], errors.mean(), parameters, "disagreement.grads", "disagreement.")
