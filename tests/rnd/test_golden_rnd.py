"""RND against numbers from the original code: CleanRL's RND, and the variant in the SND repository."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any
from unittest import mock

import numpy as np
import torch
from golden_cases import Case, cases
from gymnasium import spaces

from harness import Spaces, Transitions
from harness.nn.moments import CumulativeMoments
from harness_rnd import presets
from harness_rnd.config import RNDConfig
from harness_rnd.reward import RND

_BUILT: dict[tuple[object, ...], RND] = {}


def build(case: Case, config: Mapping[str, Any], space: spaces.Box, frame_channels: int) -> RND:
    """An RND with the case's weights; built once per configuration, since checking what fills them takes long."""
    key = (case.path, RNDConfig(**config).model_dump_json())
    if key not in _BUILT:
        world = Spaces(space, spaces.Discrete(2), frame_channels)
        with mock.patch("torch.nn.init.orthogonal_"):  # takes seconds, and every weight is overwritten
            rnd = RND(RNDConfig(**config), world, n_envs=case.settings["batch"], device="cpu", seed=0)
        case.fill([*rnd.pair.target.parameters(), *rnd.pair.predictor.parameters()])
        _BUILT[key] = rnd
    rnd = copy.deepcopy(_BUILT[key])
    return rnd.double() if case.dtype == torch.float64 else rnd


def gradients(case: Case, rnd: RND) -> dict[str, torch.Tensor | None]:
    parameters = [*rnd.pair.target.parameters(), *rnd.pair.predictor.parameters()]
    return {name: p.grad for name, p in zip(case.parameter_names(), parameters, strict=True)}


def check_loss(case: Case, rnd: RND, states: torch.Tensor, keep: torch.Tensor | None, name: str, block: str = "") -> None:
    expected = case.expected[block] if block else case.expected
    where = f"{block}.{{}}_{name}" if block else f"{{}}_{name}"
    rnd.zero_grad(set_to_none=True)
    loss = rnd.loss(states, keep)
    loss.backward()
    case.check(expected[f"loss_{name}"], loss, where.format("loss"))
    case.check(expected[f"grads_{name}"], gradients(case, rnd), where.format("grads"))
    if f"mask_{name}_kept" in expected and keep is not None:
        assert int(keep.sum()) == expected[f"mask_{name}_kept"]


def transitions(obs: torch.Tensor, next_obs: torch.Tensor) -> Transitions:
    n = len(obs)
    zeros, never = torch.zeros(n), torch.zeros(n, dtype=torch.bool)
    return Transitions(obs, torch.zeros(n, dtype=torch.int64), next_obs, zeros, never, never, torch.arange(n))


def number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    assert found is not None, f"{pattern!r} is not in the notes: {text}"
    return float(found[1])


def prepare(images: np.ndarray, note: str, darkened: slice) -> None:
    """What the note of an input says was done to it: some images darkened, the first row constant."""
    images[darkened] //= int(number(r"integer-divided by (\d+)", note))
    images[:, :, 0] = number(r"row 0 set to (\d+)", note)


# CleanRL --------------------------------------------------------------------------------------------------------------
class CleanRL:
    """The case's settings on our classes, with the observation statistics already fed."""

    def __init__(self, case: Case, **changes: Any) -> None:
        s = case.settings
        config = dict(presets.CLEANRL.config) | {
            "observation_clip": s["clip"],
            "leaky_slope": s["leaky_relu_negative_slope"],
            "feature_dim": s["feature_dim"],
            "keep": s["update_proportion"],
        }
        (batch,) = case.inputs("observation")
        self.frame_channels = case.inputs("statistics batch")[0].shape[1]
        space = spaces.Box(0, 255, batch.shape[1:], np.uint8)
        self.rnd = build(case, config | changes, space, self.frame_channels)
        for entry, statistics in zip(self._notes(case, "statistics"), case.inputs("statistics batch"), strict=True):
            prepare(statistics, entry, slice(None))
            self.rnd.observations.update(torch.from_numpy(statistics))
        (note,) = self._notes(case, "observation")
        prepare(batch, note, slice(1, None, 2))
        self.states = torch.from_numpy(self.rnd.view(batch))

    @staticmethod
    def _notes(case: Case, name: str) -> list[str]:
        return [entry["note"] for entry in case.content["inputs"] if entry["name"].startswith(name)]


@cases("rnd_cleanrl")
def test_golden_observation_statistics(case: Case) -> None:
    ours, expected = CleanRL(case), case.expected["obs_rms"]
    moments = ours.rnd.observations.moments
    assert moments is not None
    case.check(expected["mean"], moments.mean, "obs_rms.mean")
    case.check(expected["var"], moments.std**2, "obs_rms.var")
    case.check(expected["count"], moments.count, "obs_rms.count")
    case.check(expected["mean_at_constant_pixel"], moments.mean[0, 0, 0], "obs_rms.mean_at_constant_pixel")
    case.check(expected["var_at_constant_pixel"], moments.std[0, 0, 0] ** 2, "obs_rms.var_at_constant_pixel")
    x = ours.rnd.network_input(ours.states)
    case.check(case.expected["normalised_observation"], x, "normalised_observation")
    corner = np.asarray(case.expected["normalised_observation_rows_0_and_1_of_image_1"])
    case.check(corner, x[1, 0, :2, : corner.shape[1]], "normalised_observation_rows_0_and_1_of_image_1")
    clipped = (x.abs() >= case.settings["clip"]).double().flatten(1).mean(1)
    case.check(case.expected["clipped_share_per_image"], clipped, "clipped_share_per_image")


@cases("rnd_cleanrl")
def test_golden_cleanrl_features_and_bonus(case: Case) -> None:
    ours = CleanRL(case)
    x = ours.rnd.network_input(ours.states)
    case.check(case.expected["target_features"], ours.rnd.pair.target(x), "target_features")
    case.check(case.expected["predictor_features"], ours.rnd.pair.predictor(x), "predictor_features")
    step = transitions(torch.zeros_like(ours.states), ours.states)
    case.check(case.expected["intrinsic_reward"], ours.rnd.bonus(step), "intrinsic_reward")


@cases("rnd_cleanrl")
def test_golden_cleanrl_loss_and_gradients(case: Case) -> None:
    ours = CleanRL(case)
    uniforms = torch.from_numpy(case.input("mask uniforms"))
    check_loss(case, ours.rnd, ours.states, None, "ones")
    check_loss(case, ours.rnd, ours.states, uniforms >= 0, "ones")
    check_loss(case, ours.rnd, ours.states, uniforms < case.settings["update_proportion"], "partial")
    check_loss(case, ours.rnd, ours.states, uniforms < 0, "none")


@cases("rnd_cleanrl", having="openai_reading_slope_")
def test_golden_openai_reading(case: Case) -> None:
    for block, expected in case.expected.items():
        if not block.startswith("openai_reading_slope_"):
            continue
        slope = float(block.removeprefix("openai_reading_slope_"))
        ours = CleanRL(case, leaky_slope=slope, aggregation="mean")
        x = ours.rnd.network_input(ours.states)
        case.check(expected["target_features"], ours.rnd.pair.target(x), f"{block}.target_features")
        case.check(expected["predictor_features"], ours.rnd.pair.predictor(x), f"{block}.predictor_features")
        bonus = ours.rnd.bonus(transitions(torch.zeros_like(ours.states), ours.states))
        name = "intrinsic_reward_mean_over_features"
        case.check(expected[name], bonus, f"{block}.{name}")


# The SND repository's RND ---------------------------------------------------------------------------------------------
class SND:
    """The case's settings on our classes, and its stacks of frames in our order."""

    def __init__(self, case: Case) -> None:
        s = case.settings
        self.case, shape = case, (s["channels_in_state"], s["height"], s["width"])
        used = re.match(r"(\d+)(?:\.\.(\d+))?", s["channels_used"])
        assert used is not None and used[1] == "0", "the newest frame comes first in the SND repository"
        self.frame_channels = int(used[2] or 0) + 1
        config = dict(presets.PECHAC2024.config) | {"feature_dim": s["feature_dim"], "eta": s["eta"]}
        self.rnd = build(case, config, spaces.Box(0, 1, shape, np.float32), self.frame_channels)
        self.states = self.newest_last(case.input("state"))
        self.statistics = [self.newest_last(batch) for batch in case.inputs("stats batch")]

    def newest_last(self, stack: np.ndarray) -> np.ndarray:
        """Reverse the frames of stacks ``(B, C, H, W)``, keeping each frame's channels in order."""
        frames = stack.reshape(len(stack), -1, self.frame_channels, *stack.shape[2:])
        return np.ascontiguousarray(frames[:, ::-1]).reshape(stack.shape)

    def step(self, stack: np.ndarray) -> Transitions:
        """Transitions that leave these states; what they lead to is neither scored nor learnt from."""
        states = torch.from_numpy(self.rnd.view(stack))
        return transitions(states, torch.full_like(states, torch.nan))


@cases("rnd_snd", having="fresh")
def test_golden_snd_before_any_statistics(case: Case) -> None:
    check_block(case, SND(case), "fresh")


@cases("rnd_snd", having="after_updates")
def test_golden_snd_after_updates(case: Case) -> None:
    ours = SND(case)
    for batch in ours.statistics:
        ours.rnd.observe(ours.step(batch))
    check_block(case, ours, "after_updates")


def check_block(case: Case, ours: SND, block: str) -> None:
    expected, step = case.expected[block], ours.step(ours.states)
    x = ours.rnd.network_input(step.obs)
    case.check(expected["network_input"], x, f"{block}.network_input")
    case.check(expected["target_features"], ours.rnd.pair.target(x), f"{block}.target_features")
    case.check(expected["predictor_features"], ours.rnd.pair.predictor(x), f"{block}.predictor_features")
    error = ours.rnd.error(step.obs)
    case.check(expected["error"], error, f"{block}.error")
    case.check(expected["intrinsic_reward"], case.settings["eta"] * error, f"{block}.intrinsic_reward")
    case.check(expected["intrinsic_reward_clipped_0_1"], ours.rnd.bonus(step), f"{block}.intrinsic_reward_clipped_0_1")

    uniforms = torch.from_numpy(case.input("mask uniforms"))
    kept = uniforms < number(r"kept where u < (\d+(?:\.\d+)?)", case.text("fixed"))
    check_loss(case, ours.rnd, step.obs, None, "ones", block)
    check_loss(case, ours.rnd, step.obs, uniforms >= 0, "ones", block)
    check_loss(case, ours.rnd, step.obs, kept, "partial", block)


@cases("rnd_snd", having="running_statistics_after_")
def test_golden_snd_running_statistics(case: Case) -> None:
    (name,) = [key for key in case.expected if key.startswith("running_statistics_after_")]
    expected, ours = case.expected[name], SND(case)
    whole = CumulativeMoments(expected["mean"]["shape"])
    for raw, batch in zip(case.inputs("stats batch"), ours.statistics, strict=True):
        whole.update(torch.from_numpy(raw))
        ours.rnd.observe(ours.step(batch))
    assert int(whole.count) == expected["count"]
    case.check(expected["mean"], whole.mean, f"{name}.mean")
    case.check(expected["var"], whole.accumulator, f"{name}.var")
    case.check(expected["std"], whole.std, f"{name}.std")
    newest = ours.rnd.observations.moments
    assert isinstance(newest, CumulativeMoments)
    torch.testing.assert_close(newest.mean, whole.mean[: ours.frame_channels])
    torch.testing.assert_close(newest.std, whole.std[: ours.frame_channels])
