"""Proto-RL against numbers from the authors' code: Sinkhorn, loss and gradients, candidates, queue and bonus."""

from __future__ import annotations

import copy
import re
from decimal import Decimal, localcontext
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from golden_cases import Case, assert_close, cases
from gymnasium import spaces

from harness import Spaces, Transitions
from harness.nn.neighbours import kth_distance
from harness.nn.sinkhorn import sinkhorn
from harness_proto_rl import reward as reward_module
from harness_proto_rl.config import ProtoRLConfig
from harness_proto_rl.reward import ProtoRL

ACTIONS = spaces.Box(-1, 1, (2,), np.float32)


def build(case: Case, world: Spaces, **config: Any) -> ProtoRL:
    proto = ProtoRL(ProtoRLConfig(**config), world, 1, "cpu", seed=0)
    return proto.double() if case.dtype == torch.float64 else proto


def transitions(obs: torch.Tensor, next_obs: torch.Tensor) -> Transitions:
    n = len(obs)
    zeros, never = torch.zeros(n), torch.zeros(n, dtype=torch.bool)
    return Transitions(obs, torch.zeros(n, 2), next_obs, zeros, never, never, torch.zeros(n, dtype=torch.int64))


# Sinkhorn -------------------------------------------------------------------------------------------------------------
def scores_of(case: Case, entry: dict[str, Any]) -> torch.Tensor:
    """The scores that an entry's words describe, in the case's precision."""
    inputs = {entry["j"]: entry["name"] for entry in case.content["inputs"]}
    by_name = dict(zip((inputs[j] for j in sorted(inputs)), case.inputs(""), strict=True))
    uniforms = torch.from_numpy(by_name[f"scores for {entry['name']}"]).to(case.dtype)
    words, scores = entry["scores"], 2 * uniforms - 1
    if found := re.match(r"(\d+) \* \(2 \* input - 1\)", words):
        scores = int(found[1]) * scores
    elif found := re.match(r"all ([\d.]+)", words):
        scores = torch.full_like(scores, float(found[1]))
    elif words.startswith("every row equal to row 0"):
        scores = scores[:1].repeat(len(scores), 1)
    elif found := re.search(r"column (\d+) set to (-?\d+)", words):
        scores[:, int(found[1])] = float(found[2])
    elif found := re.search(r"row (\d+) lowered by (\d+)", words):
        scores[int(found[1])] -= float(found[2])
    elif found := re.search(r"entry \((\d+), (\d+)\) set to \+infinity", words):
        scores[int(found[1]), int(found[2])] = float("inf")
    else:
        assert words == "2 * input - 1", words
    return scores


def in_unbounded_range(scores: torch.Tensor, temperature: float, iterations: int) -> np.ndarray:
    """The original's formula, in 60 decimal digits with exponents that do not end."""
    with localcontext(prec=60, Emin=-(10**15), Emax=10**15):
        kernel = [[(Decimal(score) / Decimal(repr(temperature))).exp() for score in row] for row in scores.tolist()]
        for _ in range(iterations):
            columns = [sum(column) for column in zip(*kernel, strict=True)]
            kernel = [[entry / total for entry, total in zip(row, columns, strict=True)] for row in kernel]
            kernel = [[entry / sum(row) for entry in row] for row in kernel]
        return np.array([[float(entry) for entry in row] for row in kernel])


@cases("proto_sinkhorn")
def test_golden_sinkhorn(case: Case) -> None:
    """As the original wherever no entry of its float64 run underflowed, and as its formula everywhere."""
    s = case.settings
    for entry in case.expected["cases"]:
        scores = scores_of(case, entry)
        finite = scores.clamp(max=1e4)  # a limit that is reached long before
        steepness = float(finite.abs().max()) / s["temperature"]
        tolerance = 1e-7 if case.dtype == torch.float64 else 1e-6 * max(10.0, steepness)  # logits are rounded
        q = sinkhorn(scores, s["temperature"], s["iterations"])
        exact = in_unbounded_range(finite, s["temperature"], s["iterations"])
        assert_close(exact.tolist(), q, tolerance, entry["name"])
        torch.testing.assert_close(q.sum(1), torch.ones(len(q), dtype=q.dtype))
        if "q" in entry and min(entry["column_sums"]) > 0:
            assert_close(entry["q"], q, tolerance, entry["name"])
            assert_close(entry["column_sums"], q.sum(0), tolerance, entry["name"])


@cases("proto_sinkhorn")
def test_golden_sinkhorn_leaves_out_what_the_original_lost(case: Case) -> None:
    """Where a prototype underflowed to nothing, the original balances the others as if it were not there."""
    s, lost = case.settings, []
    for entry in case.expected["cases"]:
        dead = np.flatnonzero(np.array(entry.get("column_sums", [1])) == 0)
        if len(dead):
            others = np.delete(np.arange(entry["shape"][1]), dead)
            q = sinkhorn(scores_of(case, entry)[:, others], s["temperature"], s["iterations"])
            case.check(np.array(entry["q"])[:, others].tolist(), q, f"cases[{entry['name']}].q")
            lost.append(entry["name"])
    assert lost


# Loss -----------------------------------------------------------------------------------------------------------------
class Loss:
    """The case's weights and images; built once for all tests, since orthogonal matrices take their time."""

    built: ClassVar[dict[tuple[object, ...], ProtoRL]] = {}

    def __init__(self, case: Case) -> None:
        obs, next_obs = case.input("observation"), case.input("next observation")
        self.batch = transitions(torch.from_numpy(obs), torch.from_numpy(next_obs))
        key = (case.path, case.dtype)
        if key not in self.built:
            world = Spaces(spaces.Box(0, 255, obs.shape[1:], np.uint8), ACTIONS, frame_channels=3)
            names = ("projection_dim", "predictor_hidden", "prototypes", "temperature", "sinkhorn_iterations")
            self.proto = build(case, world, **{name: case.settings[name] for name in names})
            case.fill(self.parameters())
            self.built[key] = self.proto
        self.proto = copy.deepcopy(self.built[key])

    def parameters(self) -> list[torch.nn.Parameter]:
        proto = self.proto
        trained = [*proto.projection.parameters(), *proto.predictor.parameters(), *proto.prototypes.parameters()]
        return [*trained, *proto.target.average.parameters()]


@cases("proto_loss")
def test_golden_loss_and_gradients(case: Case) -> None:
    ours, expected = Loss(case), case.expected
    proto, batch = ours.proto, ours.batch
    loss = proto.loss(batch)
    loss.backward()
    weight = proto.prototypes.weight
    case.check(expected["prototypes_after_normalisation"], weight, "prototypes_after_normalisation")
    case.check(expected["loss"], loss, "loss")
    gradients = dict(zip(case.parameter_names(), (p.grad for p in ours.parameters()), strict=True))
    case.check(expected["grads"], gradients, "grads")
    assert weight.grad is not None
    radial = (weight.grad * weight).sum(1).norm()
    case.check(expected["prototype_gradient_radial_part"], radial, "prototype_gradient_radial_part", gradient=True)


@cases("proto_loss")
@torch.no_grad()
def test_golden_scores_and_assignments(case: Case) -> None:
    ours, expected = Loss(case), case.expected
    proto, batch = ours.proto, ours.batch
    projection, target = proto.projection(batch.obs), proto.target(batch.next_obs)
    case.check(expected["projection"], projection, "projection")
    case.check(expected["target_projection"], target, "target_projection")
    proto.loss(batch)
    scores = [proto.prototypes(F.normalize(x, dim=1)) for x in (proto.predictor(projection), target)]
    case.check(expected["scores_s"], scores[0], "scores_s")
    case.check(expected["scores_t"], scores[1], "scores_t")
    case.check(expected["log_p_s"], proto.log_predictions(batch.obs), "log_p_s")
    case.check(expected["q_t"], proto.target_assignments(batch.next_obs), "q_t")


@cases("proto_loss")
def test_golden_update_starts_from_those_gradients(case: Case) -> None:
    """What `update` logs is the loss, and the averages then move their share of the way."""
    ours = Loss(case)
    projection, average = ours.proto.projection, ours.proto.target.average
    before = [p.detach().clone() for p in average.parameters()]
    metrics = ours.proto.update(ours.batch)
    case.check(case.expected["loss"], metrics["prototype_loss"], "loss")
    for old, new, ahead in zip(before, average.parameters(), projection.parameters(), strict=True):
        torch.testing.assert_close(new, 0.95 * old + 0.05 * ahead)


# Candidates and bonus -------------------------------------------------------------------------------------------------
@cases("proto_reward_queue")
def test_golden_candidates_queue_and_bonus(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the class, with projections in place of observations and the original's draws in place of ours."""
    s = case.settings
    dim = s["projection_dim"]
    world = Spaces(spaces.Box(-np.inf, np.inf, (dim,), np.float32), ACTIONS)
    proto = build(case, world, projection_dim=dim, prototypes=s["prototypes"], queue_size=s["queue"], neighbours=s["k"])
    case.fill([proto.prototypes.weight])
    torch.nn.init.eye_(proto.projection.projector.weight)
    drawn_from: list[torch.Tensor] = []

    def given_draw(probabilities: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
        assert uniforms.shape == probabilities.shape[:1]
        drawn_from.append(probabilities)
        return torch.tensor(s["draw_indices"][len(drawn_from) - 1])

    monkeypatch.setattr(reward_module, "sample_indices", given_draw)
    for number, expected in enumerate(case.expected["calls"]):
        assert int(proto.queue.pointer) == expected["pointer_before"]
        states = torch.from_numpy(case.input(f"projections of call {number}"))
        batch = transitions(torch.zeros_like(states), states)
        proto.observe_batch(batch)
        assert int(proto.queue.pointer) == expected["pointer_after"]
        where = f"calls[{number}]"
        case.check(expected["draw_probabilities"], drawn_from[-1], f"{where}.draw_probabilities")
        case.check(expected["queue"], proto.queue.rows, f"{where}.queue")
        case.check(expected["reward"], proto.bonus(batch), f"{where}.reward")
        z = F.normalize(states.to(case.dtype), dim=1)
        distances = kth_distance(z, proto.queue.rows, s["k"])  # the bonus before it becomes float32
        case.check(expected["reward"], distances, f"{where}.reward")
        assert (distances[torch.tensor(expected["reward"]) == 0] == 0).all()
    case.check(case.expected["queue_final"], proto.queue.rows, "queue_final")
