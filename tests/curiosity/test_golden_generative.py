"""VAE, world model, TD-VAE and E2C against numbers from the originals' code."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from curiosity.curiosity_golden import batch, box, build, check_gradients, tensor
from golden_cases import Case, cases, protocol
from gymnasium import spaces
from torch import Tensor

from harness_curiosity import presets
from harness_curiosity.e2c import E2C
from harness_curiosity.gaussians import Gaussian, reconstruction_error
from harness_curiosity.generative_configs import E2CConfig, TDVAEConfig, VAEConfig, WorldModelConfig
from harness_curiosity.td_vae import TDVAE
from harness_curiosity.vae import VAEReward
from harness_curiosity.vae_networks import costs, elbo_loss, reduce_errors, sampled_elbo
from harness_curiosity.world_model import WorldModel


def world_model_config(preset: str, **changes: Any) -> WorldModelConfig:
    (found,) = [it for it in presets.WORLD_MODEL if it.name == preset]
    return WorldModelConfig(**{**found.config, **changes})


# VAE ------------------------------------------------------------------------------------------------------------------
@cases("vae", having="world_models")
def test_golden_vae_of_world_models(case: Case) -> None:
    s, expected = case.settings, case.expected["world_models"]
    config = VAEConfig(
        frames="all",
        architecture="conv",
        latent_dim=s["latent"],
        posterior_scale="log_deviation",
        pixel_reduction="sum",
        batch_reduction="sum",
        beta=1.0,
    )
    ours = build(case, VAEReward, config, box(tuple(s["image"]), 0, 1), spaces.Discrete(2), s["image"][0])
    parameters = list(ours.model.parameters())
    case.fill(parameters, "world_models.")
    images, noise = (tensor(case, case.input(name, exact=True)) for name in ("images", "noise"))
    posterior = ours.posterior(images)
    case.check(expected["mu"], posterior.mean, "world_models.mu")
    case.check(expected["logsigma"], posterior.log_scale, "world_models.logsigma")
    case.check(expected["reconstruction"], ours.model.decode(posterior.sample(noise)), "world_models.reconstruction")
    losses = ours.vae_losses(images, noise)
    case.check(expected["loss"], losses["vae_loss"], "world_models.loss")
    n = s["batch"]
    case.check(expected["reconstruction_term"], n * losses["reconstruction_loss"], "world_models.reconstruction_term")
    case.check(expected["kl_term"], n * losses["kl_loss"], "world_models.kl_term")
    check_gradients(case, expected["grads"], losses["vae_loss"], parameters, "world_models.grads", "world_models.")


class Terms:
    """What the blocks of the case that have no networks are made of."""

    def __init__(self, case: Case) -> None:
        def read(name: str) -> Tensor:
            return tensor(case, case.input(name, exact=True))

        self.posterior = Gaussian.of(read("mu"), read("log variance before halving") / 2, "log_variance")
        self.following = Gaussian.of(
            read("mu of next state"), read("log variance of next state before halving") / 2, "log_variance"
        )
        self.targets, self.reconstruction = read("targets in [0,1)"), read("reconstruction in [0,1)")
        self.next_targets, self.next_reconstruction = read("next targets"), read("reconstruction of next state")
        self.kl = self.posterior.kl_to_standard()
        self.squared = reconstruction_error(self.reconstruction, self.targets, "squared")


@cases("vae", having="rlkit")
def test_golden_scalings_of_the_elbo(case: Case) -> None:
    it, expected = Terms(case), case.expected
    rlkit = expected["rlkit"]
    bernoulli = costs(it.reconstruction, it.targets, "bernoulli", "sum")
    mean_squared = reduce_errors(it.squared, "mean")
    case.check(rlkit["kl"], it.kl.mean(), "rlkit.kl")
    case.check(rlkit["log_prob_bernoulli"], -bernoulli.mean(), "rlkit.log_prob_bernoulli")
    case.check(
        rlkit["loss_beta20_bernoulli"], elbo_loss(bernoulli, it.kl, beta=20, batch="mean"), "rlkit.loss_beta20_bernoulli"
    )
    name = "gaussian_identity_variance"
    case.check(rlkit[f"log_prob_{name}"], -mean_squared.mean(), f"rlkit.log_prob_{name}")
    case.check(
        rlkit[f"loss_beta20_{name}"], elbo_loss(mean_squared, it.kl, beta=20, batch="mean"), f"rlkit.loss_beta20_{name}"
    )
    beta, smm = case.settings["beta"], expected["urlb_smm"]
    case.check(smm["loss_beta0.5"], elbo_loss(mean_squared, it.kl, beta=0.5, batch="mean"), "urlb_smm.loss_beta0.5")
    case.check(smm["per_sample_log_prob_term"], reduce_errors(it.squared, "sum"), "urlb_smm.per_sample_log_prob_term")
    atari = elbo_loss(reduce_errors(it.squared, "sum"), it.kl, beta=beta, batch="sum")
    case.check(expected["atariari"]["loss_beta2"], atari, "atariari.loss_beta2")


@cases("vae", having="skew_fit")
def test_golden_bounds_by_sampled_latents(case: Case) -> None:
    """The mean of logarithms that Skew-Fit weighs by, from the same bound as the bonus's."""
    it, s = Terms(case), case.settings["skew_fit"]
    (entry,) = [entry for entry in case.content["parameters"] if entry["name"].startswith("skewfit.")]
    weight = tensor(case, protocol.parameter_array(case.content["seed"], entry["k"], entry["shape"], entry["gain"]))
    latents = [it.posterior.sample(tensor(case, noise)) for noise in case.inputs("importance noise")]
    assert len(latents) == s["latents_sampled"]
    for block, expected in case.expected["skew_fit"].items():
        bounds = []
        for z in latents:
            decoded = (z @ weight.T).sigmoid()
            if block == "bernoulli":
                # theirs is the logarithm of a mean of two probabilities where a pixel is neither 0 nor 1
                likelihood = (it.targets * decoded + (1 - it.targets) * (1 - decoded) + 1e-8).log().sum(1)
            else:
                likelihood = Gaussian(decoded, torch.zeros_like(decoded)).log_density(it.targets).sum(1)
            bounds.append(sampled_elbo(it.posterior, z, likelihood))
        scaled = s["power"] * torch.stack(bounds).mean(0)
        case.check(expected["power_times_log_p"], scaled, f"skew_fit.{block}.power_times_log_p")
        case.check(expected["relative_weights"], (scaled - scaled.mean()).exp(), f"skew_fit.{block}.relative_weights")


@cases("vae", having="srl_zoo")
def test_golden_sums_over_both_states(case: Case) -> None:
    it, expected = Terms(case), case.expected["srl_zoo"]
    both = it.kl.sum() + it.following.kl_to_standard().sum()
    following = reconstruction_error(it.next_reconstruction, it.next_targets, "squared")
    case.check(expected["kl_beta2"], case.settings["beta"] * both, "srl_zoo.kl_beta2")
    case.check(expected["generation"], it.squared.sum() + following.sum(), "srl_zoo.generation")
    case.check(expected["autoencoder"], it.squared.mean() + following.mean(), "srl_zoo.autoencoder")


@cases("pixyz_vae")
def test_golden_vae_of_pixyz(case: Case) -> None:
    s, expected = case.settings, case.expected
    config = VAEConfig(
        hidden=(),
        latent_dim=s["z"],
        posterior_scale="softplus",
        likelihood="bernoulli",
        pixel_reduction="sum",
        batch_reduction="mean",
        beta=s["beta"],
    )
    ours = build(case, VAEReward, config, box((s["x"],), 0, 1), spaces.Discrete(2))
    parameters = list(ours.model.parameters())
    case.fill(parameters)
    states, noise = (tensor(case, case.input(name)) for name in ("observations", "noise"))
    losses = ours.vae_losses(states, noise)
    case.check(expected["loss_beta2"], losses["vae_loss"], "loss_beta2")
    posterior = ours.posterior(states)
    case.check(expected["kl"], posterior.kl_to_standard(), "kl")
    latents = posterior.sample(noise)
    likelihood = -costs(ours.model.decode(latents), states, "bernoulli", "sum")
    case.check(expected["elbo_sampled"], sampled_elbo(posterior, latents, likelihood), "elbo_sampled")
    check_gradients(case, expected["grads"], losses["vae_loss"], parameters, "grads")


# World model ----------------------------------------------------------------------------------------------------------
@cases("mdn_rnn")
def test_golden_memory_of_ctallec(case: Case) -> None:
    s = case.settings
    time, n = s["time"], s["batch"]
    codes, following, actions = (tensor(case, case.input(name)) for name in ("latents", "next latents", "actions"))
    transitions = batch(
        torch.zeros(n * time, 3),
        actions.flatten(0, 1),
        torch.zeros(n * time, 3),
        torch.from_numpy(case.input("terminals")).flatten().bool(),
        tensor(case, case.input("rewards")).flatten(),
    )
    rows = torch.arange(n * time).unflatten(0, (n, time))
    for block, expected in case.expected.items():
        if not block.startswith("with"):
            continue
        config = world_model_config(
            "ctallec",
            latent_dim=s["latent"],
            recurrent=s["hidden"],
            components=s["mixtures"],
            predict_reward=block == "with_reward",
        )
        ours = build(case, WorldModel, config, box((3,)), box((s["action"],), -1, 1))
        parameters = list(ours.memory_model.parameters())
        case.fill(parameters)
        losses = ours.memory_losses(
            transitions, codes.flatten(0, 1), following.flatten(0, 1), rows, torch.ones_like(rows, dtype=torch.bool)
        )
        case.check(expected["gmm"], losses["surprise"], f"{block}.gmm")
        case.check(expected["bce"], losses["done_loss"], f"{block}.bce")
        case.check(expected["mse"], losses.get("reward_loss", torch.zeros(())), f"{block}.mse")
        case.check(expected["loss"], losses["loss"], f"{block}.loss")
        check_gradients(case, expected["grads"], losses["loss"], parameters, f"{block}.grads")
    mixture = ours.memory_model.mixture(ours.memory_model(actions.transpose(0, 1), codes.transpose(0, 1)))
    whole = case.expected
    case.check(whole["surprise_(time,batch)"], mixture.surprise(following.transpose(0, 1)), "surprise_(time,batch)")
    case.check(whole["mus"], mixture.components.mean, "mus")
    case.check(whole["sigmas"], mixture.components.scale, "sigmas")
    case.check(whole["logpi"], mixture.log_weights, "logpi")


@cases("mdn_hardmaru")
def test_golden_mixture_of_ha(case: Case) -> None:
    s, expected = case.settings, case.expected
    config = world_model_config("ha2018", latent_dim=s["latent"], recurrent=s["rnn_size"], components=s["mixtures"])
    ours = build(case, WorldModel, config, box((3,)), spaces.Discrete(2))
    parameters = list(ours.memory_model.head.parameters())
    case.fill(parameters)
    outputs, following = (tensor(case, case.input(name)) for name in ("recurrent outputs", "next latents"))
    surprise = ours.memory_model.mixture(ours.memory_model.head(outputs)).surprise(following)
    case.check(expected["surprise_per_dimension"], surprise, "surprise_per_dimension")
    case.check(expected["loss"], surprise.mean(), "loss")
    check_gradients(case, expected["grads"], surprise.mean(), parameters, "grads")
    means, variances = (tensor(case, case.input(f"posterior {name}")) for name in ("means", "log variances"))
    image, reconstruction = (tensor(case, case.input(name)) for name in ("image", "reconstruction"))
    errors = costs(reconstruction, image, config.likelihood, config.pixel_reduction)
    divergence = Gaussian.of(means, variances, config.posterior_scale).kl_to_standard()
    floor = s["kl_tolerance"] * s["latent"]
    vae = expected["vae"]
    case.check(vae["r_loss"], errors.mean(), "vae.r_loss")
    case.check(vae["kl_loss"], divergence.clamp(min=floor).mean(), "vae.kl_loss")
    case.check(
        vae["loss"], elbo_loss(errors, divergence, beta=config.beta, batch=config.batch_reduction, floor=floor), "vae.loss"
    )


# TD-VAE ---------------------------------------------------------------------------------------------------------------
@cases("td_vae")
def test_golden_td_vae(case: Case) -> None:
    s, expected = case.settings, case.expected
    config = TDVAEConfig(
        processed_dim=s["processed_x_size"], belief_dim=s["belief"], latent_dim=s["z_size"], hidden=s["hidden"]
    )
    ours = build(case, TDVAE, config, box((s["x_size"],), 0, 1), spaces.Discrete(2))
    parameters = list(ours.networks.parameters())
    case.fill(parameters)
    states = tensor(case, case.input("observations"))
    draws = torch.stack([tensor(case, draw) for draw in case.inputs("standard normal draw")])
    noise = (draws[::2], draws[1::2])
    inside = torch.ones(states.shape[0] - 1, states.shape[1], dtype=torch.bool)
    case.check(expected["belief"], ours.networks.belief(states), "belief")
    losses = ours.sequence_losses(states, inside, noise)
    case.check(expected["with_x_of_t2"]["loss"], losses["loss"], "with_x_of_t2.loss")
    check_gradients(case, expected["with_x_of_t2"]["grads"], losses["loss"], parameters, "with_x_of_t2.grads")
    beliefs = ours.networks.belief(states)
    earlier = ours.networks.terms(
        beliefs[:-1][inside], beliefs[1:][inside], states[:-1][inside], (noise[0][inside], noise[1][inside])
    )
    as_coded = torch.stack(list(earlier.values())).sum() / states.shape[1]
    case.check(expected["as_coded"]["loss"], as_coded, "as_coded.loss")
    check_gradients(case, expected["as_coded"]["grads"], as_coded, parameters, "as_coded.grads")


# E2C ------------------------------------------------------------------------------------------------------------------
@cases("e2c")
def test_golden_e2c(case: Case) -> None:
    s, expected = case.settings, case.expected
    widths = {f"{name}_hidden": s["widths"][name] for name in ("encoder", "transition", "decoder")}
    config = E2CConfig(latent_dim=s["z_dim"], transition_weight=s["kl_weight"], **widths)
    ours = build(case, E2C, config, box((s["x_dim"],), 0, 1), box((s["u_dim"],), -np.inf, np.inf))
    parameters = list(ours.networks.parameters())
    case.fill(parameters)
    obs, next_obs, action = (tensor(case, case.input(name)) for name in ("x_t ", "x_{t+1}", "controls"))
    noise = tensor(case, case.input("noise of z_t", exact=True))
    terms = ours.terms(batch(obs, action, next_obs), noise)
    names = {"L_x": "reconstruction", "L_x_next": "prediction", "L_z": "prior", "KL": "transition"}
    for name, ours_name in names.items():
        case.check(expected[name], terms[ours_name], name)
    weight = config.transition_weight
    loss = (terms["reconstruction"] + terms["prediction"] + terms["prior"] + weight * terms["transition"]).mean()
    case.check(expected["loss"], loss, "loss")
    code = ours.networks.posterior(obs).sample(noise)
    case.check(expected["z_predict"], ours.networks.local_model(code).step(code, action), "z_predict")
    check_gradients(case, expected["grads"], loss, parameters, "grads")
