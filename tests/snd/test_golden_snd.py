"""The three published methods against numbers from the SND repository, and their objectives against ST-DIM's and VICReg's."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from golden_cases import Case, cases, protocol
from gymnasium import spaces
from torch import Tensor
from torch.nn import functional as F

from harness import Spaces, Transitions
from harness.errors import UserError
from harness.nn.augmentations import Augmentation, add_noise, apply_where, mask_tiles
from harness.nn.covariance import deviation
from harness.nn.layers import ConvEncoder, Convolution
from harness.nn.moments import CumulativeMoments
from harness_snd import configs, presets
from harness_snd.objective import Minibatch, ObjectiveContext
from harness_snd.objectives.pairs import SNDV, Pairs, choose_pairs
from harness_snd.objectives.stdim import SNDSTD, STDIM
from harness_snd.objectives.vicreg import SNDVIC, vicreg
from harness_snd.reward import SND

METHODS = {
    SNDV: (configs.SNDVConfig, presets.SND_V),
    SNDSTD: (configs.SNDSTDConfig, presets.SND_STD),
    SNDVIC: (configs.SNDVICConfig, presets.SND_VIC),
}
_FILLED: dict[Path, list[Tensor]] = {}


class Reference:
    """A case's settings on the shipped class, with its weights, and its stacks of frames in our order."""

    def __init__(self, case: Case, method: type[SND], **changes: Any) -> None:
        self.case, s = case, case.settings
        self.shape = (s["channels_in_state"], s["height"], s["width"])
        used = re.match(r"(\d+)(?:\.\.(\d+))?", s["channels_used"])
        assert used is not None and used[1] == "0", "the newest frame comes first in the SND repository"
        self.frame_channels = int(used[2] or 0) + 1
        self.snd = self._build(method, {"eta": s["eta"], "feature_dim": s["feature_dim"], **changes})

    def _build(self, method: type[SND], changes: Mapping[str, Any]) -> SND:
        model, (_, atari, procgen) = METHODS[method]
        config = model(**{**(procgen if self.frame_channels == 3 else atari).config, **changes})
        world = Spaces(spaces.Box(0, 1, self.shape, np.float32), spaces.Discrete(2), self.frame_channels)
        with mock.patch("torch.nn.init.orthogonal_"):  # takes seconds, and every weight is overwritten
            snd = method(config, world, self.case.settings["batch"], "cpu", 0)
        fill(self.case, snd)
        return snd.double() if self.case.dtype == torch.float64 else snd

    def view(self, stack: np.ndarray) -> Tensor:
        """The newest frame, after turning stacks ``(B, C, H, W)`` so that it comes last, in the case's precision."""
        frames = stack.reshape(len(stack), -1, self.frame_channels, *stack.shape[2:])
        newest_last = np.ascontiguousarray(frames[:, ::-1]).reshape(stack.shape)
        return torch.from_numpy(self.snd.view(newest_last)).to(self.case.dtype)

    def states(self, name: str) -> Tensor:
        return self.view(self.case.input(name))

    def next_states(self) -> Tensor:
        assert "0.5 * (input 0 + input 1)" in self.case.settings["next_state"]
        return 0.5 * (self.states("state (time t)") + self.states("mixing image"))

    def batch(self, states: Tensor, next_states: Tensor | None = None) -> Minibatch:
        step = transitions(states, torch.full_like(states, torch.nan) if next_states is None else next_states)
        return self.snd.batch(step, torch.arange(len(states)), torch.Generator())

    def check(self, name: str, actual: Any, block: str = "") -> None:
        expected = self.case.expected[block] if block else self.case.expected
        self.case.check(expected[name], actual, f"{block}.{name}" if block else name)

    def check_loss(self, loss: Tensor, name: str | None, gradients: str, block: str = "") -> None:
        """Compare a loss, and every gradient of one backward of it."""
        if name is not None:
            self.check(name, loss, block)
        self.snd.zero_grad(set_to_none=True)
        loss.backward()
        self.check(
            gradients, dict(zip(self.case.parameter_names(), (p.grad for p in parameters(self.snd)), strict=True)), block
        )

    def check_features_and_bonus(self, states: Tensor, names: tuple[str, str], block: str = "") -> None:
        target, predictor = names
        self.check(target, self.snd.target(states), block)
        self.check(predictor, self.snd.pair.predictor(states), block)
        error = self.snd.error(states)
        self.check("error", error, block)
        self.check("intrinsic_reward", self.case.settings["eta"] * error, block)
        bonus = self.snd.bonus(transitions(states, torch.full_like(states, torch.nan)))
        self.check("intrinsic_reward_clipped_0_1", bonus, block)


def fill(case: Case, snd: SND) -> None:
    """Give a method the case's weights, which are drawn once."""
    if case.path not in _FILLED:
        case.fill(parameters(snd))
        _FILLED[case.path] = [parameter.detach().clone() for parameter in parameters(snd)]
    with torch.no_grad():
        for parameter, filled in zip(parameters(snd), _FILLED[case.path], strict=True):
            parameter.copy_(filled)


def parameters(snd: SND) -> list[torch.nn.Parameter]:
    """In the order of the files: target, heads of its objective, predictor."""
    return [*snd.target.parameters(), *snd.objective.parameters(), *snd.pair.predictor.parameters()]


def transitions(obs: Tensor, next_obs: Tensor) -> Transitions:
    n = len(obs)
    never = torch.zeros(n, dtype=torch.bool)
    return Transitions(obs, torch.zeros(n, dtype=torch.int64), next_obs, torch.zeros(n), never, never, torch.arange(n))


def number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    assert found is not None, f"{pattern!r} is not in the notes: {text}"
    return float(found[1])


# SND-V ----------------------------------------------------------------------------------------------------------------
def check_sndv_block(case: Case, block: str) -> None:
    threshold = case.settings["magnitude_threshold"]
    ours = Reference(case, SNDV, magnitude_threshold=threshold, image_augmentations=())
    refill_last_layer(case, ours.snd, case.expected[block]["target_fc1_gain"])
    states = ours.states("state batch")
    ours.check_features_and_bonus(states, ("target_features", "predictor_features"), block)

    objective = ours.snd.objective
    assert isinstance(objective, Pairs)
    z_a, z_b = (ours.snd.target(ours.states(f"pair member {name}")) for name in "ab")
    ours.check("features_a", z_a, block)
    ours.check("features_b", z_b, block)
    ours.check("pair_distance", (z_a - z_b).square().mean(1), block)
    terms = objective.compare(z_a, z_b, torch.tensor(case.settings["labels"]))
    ours.check("loss_similarity", terms["similarity"], block)
    ours.check("loss_magnitude", terms["magnitude"], block)
    target_loss = sum(terms.values(), torch.zeros(()))
    ours.check_loss(target_loss, "target_loss", "grads_target_loss", block)

    uniforms = torch.from_numpy(case.input("mask uniforms"))
    kept = uniforms > number(r"test is u > (\d+(?:\.\d+)?)", case.text("fixed"))
    assert int(kept.sum()) == case.expected[block]["mask_partial_kept"]
    loss = ours.snd.predictor_loss
    ours.check_loss(loss(ours.batch(states), kept), "predictor_loss_partial", "grads_predictor_loss_partial", block)
    ours.check_loss(loss(ours.batch(states), kept | ~kept), "predictor_loss_ones", "grads_predictor_loss_ones", block)
    z_a, z_b = (ours.snd.target(ours.states(f"pair member {name}")) for name in "ab")
    target_loss = sum(objective.compare(z_a, z_b, torch.tensor(case.settings["labels"])).values(), torch.zeros(()))
    ours.check_loss(target_loss + loss(ours.batch(states)), "total_loss_ones", "grads_total_ones", block)


def refill_last_layer(case: Case, snd: SND, gain: float) -> None:
    """Fill the target's last weights with the block's gain instead of the one that the file lists."""
    (k,) = [entry["k"] for entry in case.content["parameters"] if entry["name"] == "target.fc1.weight"]
    weight = snd.target.linear.weight
    with torch.no_grad():
        weight.copy_(torch.from_numpy(protocol.parameter_array(case.content["seed"], k, weight.shape, gain)))


@cases("sndv", having="below_threshold")
def test_golden_sndv_below_threshold(case: Case) -> None:
    check_sndv_block(case, "below_threshold")


@cases("sndv", having="above_threshold")
def test_golden_sndv_above_threshold(case: Case) -> None:
    check_sndv_block(case, "above_threshold")


@cases("sndv", having="preprocess_modes_after_")
def test_golden_sndv_input_modes(case: Case) -> None:
    (block,) = [key for key in case.expected if key.startswith("preprocess_modes_after_")]
    batches = case.inputs("stats batch")
    whole = CumulativeMoments(batches[0].shape[1:])
    for batch in batches:
        whole.update(torch.from_numpy(batch))
    assert int(whole.count) == case.expected[block]["count"]
    for mode, name in enumerate(("none", "subtract_mean", "standardise")):
        ours = Reference(case, SNDV, observation_normalisation=name)
        for batch in batches:
            states = ours.view(batch)
            ours.snd.observe(transitions(states, torch.full_like(states, torch.nan)))
        ours.check(f"mode_{mode}", ours.snd.network_input(ours.states("state batch")), block)
    ours.check("running_mean", whole.mean, block)
    ours.check("running_std", whole.std, block)


@cases("sndv", having="pair_sampling")
def test_golden_sndv_pair_sampling(case: Case) -> None:
    given = case.expected["pair_sampling"]
    anchors, far = torch.tensor(given["indices_a_given"]), torch.tensor(given["indices_far_given"])
    partners, labels = choose_pairs(anchors, far, torch.tensor(given["label_uniforms_given"]), given["far_ratio"])
    assert anchors.tolist() == given["picked_a"]
    assert partners.tolist() == given["picked_b"]
    assert labels.float().tolist() == given["labels"]


@cases("sndv_augmentation", having="deterministic")
def test_golden_augmentation_with_given_uniforms(case: Case) -> None:
    s, expected = case.settings, case.expected["deterministic"]
    images = torch.from_numpy(case.input("image")).to(case.dtype)
    noise = torch.from_numpy(case.input("noise uniforms")).to(case.dtype)
    gates = [torch.from_numpy(case.input(f"gate uniforms ({name})")) for name in ("tile mask", "noise")]
    case.check(expected["noise_only"], add_noise(images, noise, s["noise_k"]), "deterministic.noise_only")
    for size, block in tile_blocks(expected):
        if original_fails(expected[block]):
            check_never_drawn(size, images.shape)
            continue
        tiles = torch.from_numpy(case.input(f"tile uniforms, size {size}", exact=True))
        masked = mask_tiles(images, tiles, s["tile_mask_p"])
        case.check(expected[block]["mask_only"], masked, f"deterministic.{block}.mask_only")
        share = (mask_tiles(torch.ones_like(images), tiles, s["tile_mask_p"]) == 0).double().mean()
        case.check(expected[block]["share_zeroed"], share, f"deterministic.{block}.share_zeroed")
        gated = apply_where(gates[0], s["apply_p"], masked, images)
        full = apply_where(gates[1], s["apply_p"], add_noise(gated, noise, s["noise_k"]), gated)
        case.check(expected[block]["full_augment"], full, f"deterministic.{block}.full_augment")


def tile_blocks(expected: Mapping[str, Any]) -> list[tuple[int, str]]:
    """The tile sizes of a case with given uniforms, each with the name of its block."""
    found = [(re.fullmatch(r"tile_(\d+)", name), name) for name in expected]
    blocks = [(int(size[1]), name) for size, name in found if size is not None]
    assert blocks, "no tile size at all"
    return blocks


def original_fails(entry: Any) -> bool:
    """Whether the original code raised an error where this entry would have its numbers."""
    return isinstance(entry, Mapping) and ("raises" in entry or any(original_fails(part) for part in entry.values()))


def check_never_drawn(tile: int, shape: Sequence[int]) -> None:
    """The original fails on tiles that do not divide the image; ours leaves them out, and refuses if none is left."""
    assert any(size % tile for size in shape[2:]), f"the original fails on tiles of {tile} in images of {tuple(shape[2:])}"
    assert tile not in Augmentation(["mask"], shape[1:], images=True, tile_sizes=(1, tile)).tile_sizes
    with pytest.raises(UserError, match="divides"):
        Augmentation(["mask"], shape[1:], images=True, tile_sizes=(tile,))


@cases("sndv_augmentation", having="statistics_original_rng")
def test_golden_augmentation_statistics(case: Case) -> None:
    """Our own random numbers: the same shares, deviations and bounds, within five standard errors of 512 images."""
    expected, random, n = case.expected["statistics_original_rng"], torch.Generator().manual_seed(0), 512
    for name, line in expected.items():
        if (found := re.fullmatch(r"height(\d+)_tile(\d+)", name)) is None:
            continue
        side, tile = int(found[1]), int(found[2])
        if original_fails(line):
            check_never_drawn(tile, (n, 1, side, side))
            continue
        mask = augmentation(case, side, "mask", tile_sizes=(tile,)).apply("mask", torch.ones(n, 1, side, side), random)
        share = (mask == 0).double().mean((1, 2, 3))
        assert abs(float(share.mean()) - line["share_zeroed"]) < 5 * line["std_over_images_of_share"] * (2 / n) ** 0.5, name
        assert abs(float(share.std()) / line["std_over_images_of_share"] - 1) < 5 / n**0.5, name
        tiles = F.max_pool2d(mask, tile) == -F.max_pool2d(-mask, tile)
        assert tiles.all() == line["tiles_constant"], name
    noise, line = augmentation(case, 48, "noise").apply("noise", torch.zeros(n, 1, 48, 48), random), expected["noise"]
    assert abs(float(noise.min()) - line["min"]) < 1e-4 and abs(float(noise.max()) - line["max"]) < 1e-4
    assert abs(float(noise.std()) - line["std"]) < 1e-3 and abs(float(noise.mean()) - line["mean"]) < 1e-3
    applied = augmentation(case, 48, "noise")(torch.zeros(8 * n, 1, 48, 48), random).flatten(1).any(1)
    assert abs(float(applied.double().mean()) - expected["apply_share"]) < 0.05


def augmentation(case: Case, side: int, change: Any, **settings: Any) -> Augmentation:
    s = case.settings
    known = {"probability": s["apply_p"], "mask_probability": s["tile_mask_p"], "noise": s["noise_k"]}
    return Augmentation([change], (1, side, side), images=True, **known, **settings)


@cases("sndv_augmentation", having="deterministic")
def test_golden_tile_sizes(case: Case) -> None:
    """At the sizes of the study, the sizes that divide the image are the ones that the original draws from."""
    for side, sizes in ((96, case.settings["tile_sizes_if_height_96"]), (64, case.settings["tile_sizes_otherwise"])):
        assert Augmentation(["mask"], (1, side, side), images=True).tile_sizes == sizes


def test_augmentation_of_a_size_that_some_tiles_do_not_divide() -> None:
    """The two tests above on 40 x 24 pixels, in which tiles of 16 make the original fail; numbers of plain NumPy."""
    for dtype in (torch.float64, torch.float32):
        case = Case(Path("another_size"), augmentation_case(batch=6, height=40, width=24), dtype)
        test_golden_augmentation_with_given_uniforms(case)
        test_golden_augmentation_statistics(case)
        test_golden_tile_sizes(case)


def augmentation_case(batch: int, height: int, width: int) -> dict[str, Any]:
    """A file like ``sndv_augmentation.json`` for other sizes and another seed."""
    seed, shape = 11, (batch, 1, height, width)
    sizes = (1, 2, 4, 8, 16)
    tiles = {size: (batch, 1, height // size, width // size) for size in sizes if height % size == width % size == 0}
    given = [("image", 0, "blocks8", shape), ("noise uniforms", 50, "unit", shape)]
    given += [(f"gate uniforms ({name})", 51 + i, "unit", (batch,)) for i, name in enumerate(("tile mask", "noise"))]
    given += [(f"tile uniforms, size {size}", 60 + i, "unit", tiles[size]) for i, size in enumerate(sizes) if size in tiles]
    arrays = {name: protocol.make_input(seed, j, dims, kind) for name, j, kind, dims in given}
    wide = {name: array.astype(np.float64) for name, array in arrays.items()}
    image, noise = wide["image"], 0.2 * (2 * wide["noise uniforms"] - 1)
    masked_at, noisy_at = (arrays[f"gate uniforms ({name})"][:, None, None, None] < 0.5 for name in ("tile mask", "noise"))
    blocks: dict[str, Any] = {"noise_only": protocol.digest(image + noise)}
    statistics: dict[str, Any] = {}
    for size in sizes:
        if size not in tiles:
            blocks[f"tile_{size}"] = statistics[f"height{height}_tile{size}"] = {"raises": "RuntimeError: shapes differ"}
            continue
        kept = np.kron(arrays[f"tile uniforms, size {size}"] < np.float32(0.9), np.ones((size, size)))
        gated = np.where(masked_at, image * kept, image)
        blocks[f"tile_{size}"] = {
            "mask_only": protocol.digest(image * kept),
            "share_zeroed": float((kept == 0).mean()),
            "full_augment": protocol.digest(np.where(noisy_at, gated + noise, gated)),
        }
        deviation = (0.09 * size * size / height**2) ** 0.5
        line = {"share_zeroed": 0.1, "tiles_constant": True, "std_over_images_of_share": deviation}
        statistics[f"height{height}_tile{size}"] = line
    statistics |= {"noise": {"min": -0.2, "max": 0.2, "mean": 0.0, "std": 0.2 / 3**0.5}, "apply_share": 0.5}
    inputs = [
        {"name": name, "j": j, "kind": kind, "shape": list(dims), **protocol.digest(arrays[name])}
        for name, j, kind, dims in given
    ]
    return {
        "case": "sndv_augmentation",
        "seed": seed,
        "settings": {
            "tile_mask_p": 0.1,
            "noise_k": 0.2,
            "apply_p": 0.5,
            "tile_sizes_if_height_96": [1, 2, 4, 8, 12, 16],
            "tile_sizes_otherwise": [1, 2, 4, 8, 16],
        },
        "inputs": inputs,
        "expected": {"deterministic": blocks, "statistics_original_rng": statistics},
        "precision": {"zero_up_to_rounding": [], "worst_float32_deviations": []},
    }


# SND-STD --------------------------------------------------------------------------------------------------------------
class STD(Reference):
    def __init__(self, case: Case, **changes: Any) -> None:
        weights = {"deviation_weight": case.settings["beta1"], "norm_weight": case.settings["beta2"]}
        super().__init__(case, SNDSTD, **weights, **changes)
        assert isinstance(self.snd.objective, STDIM)
        self.objective = self.snd.objective

    def pairs(self) -> Minibatch:
        return self.batch(self.states("state (time t)"), self.next_states())


@cases("snd_std")
def test_golden_std_features_and_bonus(case: Case) -> None:
    ours = STD(case)
    assert case.settings["cnd_error_k"] == 2, "the error is a mean of squares"
    ours.check_features_and_bonus(ours.states("state (time t)"), ("target_features_state", "predictor_features_state"))
    ours.check("target_features_next_state", ours.snd.target(ours.next_states()))


@cases("snd_std")
def test_golden_std_logits_and_terms(case: Case) -> None:
    ours, s = STD(case), case.settings
    batch = ours.pairs()
    predictions, patches = ours.objective.predictions_and_patches(batch)
    logits = [prediction.expand_as(patches) @ patches.mT for prediction in predictions]
    for kind, actual in zip(
        ("global", "local"), logits, strict=True
    ):  # their sums add up one prediction's rounding P * N times
        name = f"logits_{kind}_local"
        case.check(case.expected[name], actual, name, gradient=True)
    ours.check("logits_global_local_first_position", logits[0][0])

    terms = ours.objective.terms(batch)
    ours.check("infonce_global_local", terms["infonce_global"])
    ours.check("infonce_local_local", terms["infonce_local"])
    ours.check("feature_std_term", terms["deviation"] / s["beta1"])
    norms = [case.expected[f"logits_norm_{kind}_local"] for kind in ("global", "local")]
    case.check(sum(norms), terms["norm"] / s["beta2"], "logits_norm_global_local")
    logged = case.expected["original_logged_terms"]
    case.check(logged["loss_target"], terms["infonce_global"] + terms["infonce_local"], "original_logged_terms.loss_target")
    case.check(logged["loss_target_norm"], terms["norm"], "original_logged_terms.loss_target_norm")
    case.check(logged["loss_reg"], terms["deviation"], "original_logged_terms.loss_reg")


@cases("snd_std", having="direction_check")
def test_golden_std_both_softmax_directions(case: Case) -> None:
    for name, expected in case.expected["direction_check"].items():
        ours = STD(case, softmax_over="patches" if "official" in name else "predictions")
        terms = ours.objective.terms(ours.pairs())
        case.check(expected[0], terms["infonce_global"], f"direction_check.{name}")
        case.check(expected[1], terms["infonce_local"], f"direction_check.{name}")


@cases("snd_std")
def test_golden_std_losses_and_gradients(case: Case) -> None:
    ours, s = STD(case), case.settings

    def losses() -> tuple[Tensor, Tensor]:
        batch = ours.pairs()
        target = sum(ours.objective.terms(batch).values(), torch.zeros(()))
        return ours.snd.predictor_loss(batch), target

    predictor, target = losses()
    ours.check("predictor_loss_sum", predictor)
    ours.check("target_loss_weighted", s["cnd_loss_target"] * target)
    total = s["cnd_loss_pred"] * predictor + s["cnd_loss_target"] * target
    ours.check_loss(total, "total_loss", "grads_total")
    predictor, target = losses()  # weights of 0, as in the original, leave zeros instead of no gradient
    ours.check_loss(s["cnd_loss_pred"] * predictor + 0 * target, None, "grads_predictor_loss_only")
    predictor, target = losses()
    ours.check_loss(0 * predictor + s["cnd_loss_target"] * target, None, "grads_target_loss_only")


# SND-VIC --------------------------------------------------------------------------------------------------------------
class VIC(Reference):
    def __init__(self, case: Case) -> None:
        weights = {f"{name}_weight": weight for name, weight in case.settings["weights"].items()}
        super().__init__(case, SNDVIC, variance_epsilon=case.settings["variance_epsilon"], **weights)

    def pairs(self) -> Minibatch:
        return self.batch(self.states("state (time t)"), self.next_states())


@cases("snd_vic")
def test_golden_vic_features_and_bonus(case: Case) -> None:
    ours = VIC(case)
    ours.check_features_and_bonus(ours.states("state (time t)"), ("target_features_state", "predictor_features_state"))
    ours.check("target_features_next_state", ours.snd.target(ours.next_states()))


@cases("snd_vic")
def test_golden_vic_terms_losses_and_gradients(case: Case) -> None:
    ours, weights = VIC(case), case.settings["weights"]
    batch = ours.pairs()
    terms = ours.snd.objective.terms(batch)
    for name, weight in weights.items():
        ours.check(name, terms[name] / weight)
    views = (batch.features, batch.next_features)
    active = [int((deviation(view, case.settings["variance_epsilon"]) < 1).sum()) for view in views]
    assert active == case.expected["hinge_active_features"]
    ours.check_loss(sum(terms.values(), torch.zeros(())), "target_loss", "grads_target_loss")
    ours.check_loss(ours.snd.predictor_loss(ours.pairs()), "predictor_loss", "grads_predictor_loss")
    batch = ours.pairs()
    total = sum(ours.snd.objective.terms(batch).values(), torch.zeros(())) + ours.snd.predictor_loss(batch)
    ours.check_loss(total, "total_loss", "grads_total")


@cases("snd_vic", having="official_on_same_network_features")
def test_golden_vic_official_terms_on_network_features(case: Case) -> None:
    batch, block = VIC(case).pairs(), "official_on_same_network_features"
    terms = official_vicreg(vicreg(batch.features, batch.next_features, case.settings["variance_epsilon"]))
    for name, expected in case.expected[block].items():
        case.check(expected, terms[name], f"{block}.{name}")


@cases("snd_vic", having="bare_features")
def test_golden_vic_bare_features(case: Case) -> None:
    """The terms and their gradients on given features, with the weights of SND and with those of the official code."""
    expected, weights = case.expected["bare_features"], case.settings["weights"]
    a_scale = number(r"^(\d+(?:\.\d+)?) \* input", expected["a"])
    b_scales = [float(scale) for scale in re.findall(r"(\d+(?:\.\d+)?) \* ", expected["b"])]
    first, second = (torch.from_numpy(case.input(f"bare features {name}")).to(case.dtype) for name in "ab")
    for kind, block in (("snd", expected["snd"]), ("official", expected["official"])):
        a = (a_scale * first).requires_grad_()
        b = (b_scales[0] * a.detach() + b_scales[1] * second).requires_grad_()
        terms = vicreg(a, b, case.settings["variance_epsilon"])
        terms = official_vicreg(terms) if kind == "official" else terms
        total = terms.get("total_25_25_1", sum(weights[name] * terms[name] for name in weights))
        total.backward()
        values = {**terms, "total": total, "total_25_25_1": total, "grad_a": a.grad, "grad_b": b.grad}
        for name, leaf in block.items():
            case.check(leaf, values[name], f"bare_features.{kind}.{name}", gradient=name.startswith("grad"))


def official_vicreg(terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The official code's terms: half our variance; 25 : 25 : 1."""
    official = {**terms, "variance": terms["variance"] / 2}
    return {**official, "total_25_25_1": 25 * official["invariance"] + 25 * official["variance"] + official["covariance"]}


# The official ST-DIM --------------------------------------------------------------------------------------------------
ENCODERS = {
    "stdim_official": [
        Convolution(32, 3, 2, 1),
        Convolution(64, 3, 2, 1),
        Convolution(64, 3, 2, 1),
        Convolution(128, 3, 1, 1),
    ],
    "stdim_official_nature": [Convolution(32, 8, 4), Convolution(64, 4, 2), Convolution(128, 4, 2), Convolution(64, 3, 1)],
}


@cases("stdim_official")
def test_golden_official_stdim(case: Case) -> None:
    """The shipped objective with its softmax over patches, on the official encoder and on SND's."""
    s = case.settings
    first, mixing = (torch.from_numpy(images).to(case.dtype)[:, :1] for images in case.inputs(""))
    mixed = 0.5 * (first + mixing)
    states, later = (mixed, first) if "0.5" in s["x_tprev"] else (first, mixed)
    encoder = ConvEncoder((1, s["height"], s["width"]), ENCODERS[case.content["case"]], s["feature_size"])
    context = ObjectiveContext(encoder, (1, s["height"], s["width"]), True, spaces.Discrete(2), torch.Generator())
    config = configs.SNDSTDConfig(softmax_over="patches", local_layer=3, norm_weight=0, deviation_weight=0)
    objective = STDIM(config, context)
    trained = [*encoder.parameters(), *objective.parameters()]
    case.fill(trained)
    encoder.to(case.dtype), objective.to(case.dtype)

    batch = Minibatch(encoder, transitions(states, later), torch.arange(len(states)), lambda x: x, torch.Generator())
    case.check(case.expected["features_x_t"], batch.next_features, "features_x_t")
    local = batch.trace[0][2].permute(0, 2, 3, 1)
    assert list(local.shape) == case.expected["local_map_shape_(B,y,x,channels)"]
    case.check(case.expected["local_map_x_tprev"], local, "local_map_x_tprev")
    terms = objective.terms(batch)
    case.check(case.expected["loss_global_local"], terms["infonce_global"], "loss_global_local")
    case.check(case.expected["loss_local_local"], terms["infonce_local"], "loss_local_local")
    loss = sum(terms.values(), torch.zeros(()))
    case.check(case.expected["loss"], loss, "loss")
    loss.backward()
    gradients = dict(zip(case.parameter_names(), (p.grad for p in trained), strict=True))
    case.check(case.expected["grads"], gradients, "grads")
