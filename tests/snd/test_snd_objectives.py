"""Each objective against its formula, written a second time as directly as possible."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from gymnasium import spaces
from snd.small import CONTINUOUS, VECTORS, N, every_method, make, rollout, weights
from torch import Tensor
from torch.nn import functional as F

from harness import Spaces, Transitions
from harness.nn import contrastive
from harness_snd.config import SNDConfig
from harness_snd.objective import Minibatch, Objective, ObjectiveContext
from harness_snd.objectives.byol import BYOL
from harness_snd.objectives.curl import CURL
from harness_snd.objectives.inverse import InverseDynamics
from harness_snd.objectives.pairs import Pairs
from harness_snd.objectives.simclr import nt_xent
from harness_snd.objectives.stdim import STDIM, mean_norm, positions
from harness_snd.objectives.vicreg import vicreg
from harness_snd.reward import SND

UNCHANGED: dict[str, Any] = {"image_augmentations": [], "vector_augmentations": []}


def build(name: str, world: str | Spaces = "vectors", **config: Any) -> Any:
    """A method, its objective, and a batch of 12 transitions."""
    snd = make(name, world, **config)
    transitions = rollout(4, world if isinstance(world, str) else "vectors")
    return snd, snd.objective, snd.batch(transitions, torch.arange(12), torch.Generator().manual_seed(0))


# The interface --------------------------------------------------------------------------------------------------------
class Norm(Objective[SNDConfig]):
    """An objective of a stranger: features of length 1, and a module of its own."""

    def __init__(self, config: SNDConfig, context: ObjectiveContext) -> None:
        super().__init__(config, context)
        self.scale = torch.nn.Linear(1, 1)

    def terms(self, batch: Minibatch) -> dict[str, Tensor]:
        return {"length": (self.scale(batch.features.norm(dim=1, keepdim=True)) - 1).square().mean()}


class SNDNorm(SND[SNDConfig]):
    objective_class = Norm


def test_a_further_objective_is_one_short_class() -> None:
    snd = SNDNorm(SNDConfig(feature_dim=4, hidden=(8,), minibatches=2, learning_rate=1e-2), VECTORS, N, "cpu", 0)
    losses = [snd.update(rollout(8))["target_loss_length"] for _ in range(50)]
    assert losses[-1] < 0.1 * losses[0]
    assert "objective.scale.weight" in snd.state_dict()


NEXT_STATES = {"snd_std", "snd_vic", "snd_inverse"}


@every_method
def test_only_what_is_asked_for_is_read(name: str) -> None:
    """Objectives on single states never touch the next ones; those on transitions see s_{t+1} of the same row."""
    snd, steps = make(name), rollout(4)
    snd.update(replace(steps, next_obs=torch.full_like(steps.next_obs, torch.nan)))
    assert weights(snd).isfinite().all() == (name not in NEXT_STATES)


@pytest.mark.parametrize("name", sorted(NEXT_STATES))
def test_nothing_is_read_across_the_end_of_an_episode(name: str) -> None:
    """The rows of a minibatch decide; whatever comes before or after them in the rollout does not."""
    steps = rollout(4)
    elsewhere = replace(steps, obs=steps.obs.clone(), next_obs=steps.next_obs.clone())
    elsewhere.obs[6:] = elsewhere.next_obs[6:] = torch.nan
    losses = []
    for transitions in (steps, elsewhere):
        snd = make(name)
        terms = snd.objective.terms(snd.batch(transitions, torch.arange(6), torch.Generator()))
        losses.append(list(terms.values()))
    torch.testing.assert_close(*losses, rtol=0, atol=0)


def test_features_are_computed_once() -> None:
    """SND-VIC needs two passes through the target, for s and s', and distils what it has."""
    snd, objective, batch = build("snd_vic")
    calls: list[int] = []
    snd.target.linear.register_forward_hook(lambda *_: calls.append(1))
    objective.terms(batch)
    snd.predictor_loss(batch)
    assert len(calls) == 2


# SND-V ----------------------------------------------------------------------------------------------------------------
def test_pairs_at_their_labels_distances_cost_nothing() -> None:
    _, objective, _ = build("snd_v")
    z = torch.randn(2, 16)
    direction = torch.zeros(2, 16)
    direction[1, 0] = 4.0  # |4|^2 / 16 = 1
    terms = objective.compare(z, z + direction, torch.tensor([0, 1]))
    assert float(terms["similarity"]) == pytest.approx(0, abs=1e-6)
    assert float(terms["magnitude"]) == 0


@pytest.mark.parametrize(("scale", "expected"), [(9.9, 0.0), (10.1, 4.02)])
def test_magnitude_is_penalised_above_its_threshold(scale: float, expected: float) -> None:
    _, objective, _ = build("snd_v")
    z = torch.full((3, 16), scale)
    assert float(objective.compare(z, z, torch.zeros(3))["magnitude"]) == pytest.approx(expected, abs=1e-3)


def test_close_pairs_without_augmentation_have_distance_zero() -> None:
    _, objective, batch = build("snd_v", close_share=1.0, **UNCHANGED)
    assert float(objective.terms(batch)["similarity"].detach()) == 0


def test_pairs_come_from_the_whole_rollout() -> None:
    snd = make("snd_v", pair_share=100)
    steps = rollout(20)
    batch = snd.batch(steps, torch.arange(12), torch.Generator().manual_seed(0))
    assert isinstance(snd.objective, Pairs)
    anchors, partners, labels = snd.objective.sample_pairs(batch)
    assert len(anchors) == 1200
    assert set(anchors.tolist()) == set(range(60))
    assert torch.equal(partners[~labels], anchors[~labels])
    assert labels.float().mean() == pytest.approx(0.5, abs=0.05)
    assert (partners[labels] == anchors[labels]).float().mean() == pytest.approx(1 / 60, abs=0.02)


@pytest.mark.parametrize(("n", "pairs"), [(12, 1), (16, 2), (2, 1)])
def test_an_eighth_as_many_pairs_as_transitions(n: int, pairs: int) -> None:
    snd = make("snd_v")
    assert isinstance(snd.objective, Pairs)
    batch = snd.batch(rollout(20), torch.arange(n), torch.Generator().manual_seed(0))
    assert len(snd.objective.sample_pairs(batch)[0]) == pairs


# SND-STD --------------------------------------------------------------------------------------------------------------
def direct_stdim(objective: STDIM, batch: Minibatch, *, over_patches: bool) -> dict[str, Tensor]:
    """All logits at once, position by position."""
    (layers, features), (next_layers, next_features) = batch.trace, batch.next_trace
    patches, next_patches = (each[objective.layer - 1] for each in (layers, next_layers))
    target, terms = torch.arange(len(features)), {"global": [], "local": []}
    norms = {"global": [], "local": []}
    for row in range(patches.shape[2]):
        for column in range(patches.shape[3]):
            for kind, prediction in (
                ("global", objective.predict_globally(next_features)),
                ("local", objective.predict_locally(next_patches[:, :, row, column])),
            ):
                logits = prediction @ patches[:, :, row, column].T
                terms[kind].append(F.cross_entropy(logits if over_patches else logits.T, target))
                norms[kind].append(logits.norm())
    beta_1, beta_2 = objective.config.deviation_weight, objective.config.norm_weight
    return {
        "infonce_global": torch.stack(terms["global"]).mean(),
        "infonce_local": torch.stack(terms["local"]).mean(),
        "norm": beta_2 * sum(torch.stack(each).mean() for each in norms.values()),
        "deviation": -beta_1 * features.std(1).mean(),
    }


@pytest.mark.parametrize("softmax_over", ["predictions", "patches"])
@pytest.mark.parametrize("max_logits", [1, 2**23])
def test_stdim_is_its_formula_however_it_is_cut(softmax_over: str, max_logits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contrastive, "MAX_LOGITS", max_logits)
    snd, objective, batch = build("snd_std", "images", softmax_over=softmax_over, norm_weight=0.3, deviation_weight=0.7)
    ours, theirs = objective.terms(batch), direct_stdim(objective, batch, over_patches=softmax_over == "patches")
    torch.testing.assert_close(ours, theirs)
    learning = [*snd.target.parameters(), *objective.parameters()]
    gradients = [torch.autograd.grad(sum(terms.values()), learning, retain_graph=True) for terms in (ours, theirs)]
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-5)


def test_the_two_softmaxes_differ() -> None:
    terms = [build("snd_std", "images", softmax_over=axis) for axis in ("predictions", "patches")]
    one, other = (objective.terms(batch)["infonce_local"] for _, objective, batch in terms)
    assert abs(float((one - other).detach())) > 1e-4


def test_roles_can_be_exchanged() -> None:
    """Predicting the next state's patches is predicting the earlier ones of a film that runs backwards."""
    forwards, steps = make("snd_std", "images", predicts="next_obs", deviation_weight=0), rollout(4, "images")
    backwards = make("snd_std", "images", deviation_weight=0)
    film = replace(steps, obs=steps.next_obs, next_obs=steps.obs)
    terms = [
        snd.objective.terms(snd.batch(transitions, torch.arange(12), torch.Generator()))
        for snd, transitions in ((forwards, steps), (backwards, film))
    ]
    torch.testing.assert_close(*terms)


def test_equal_states_cost_the_logarithm_of_their_number() -> None:
    snd, steps = make("snd_std", "images"), rollout(4, "images")
    same = replace(steps, obs=steps.obs[:1].expand_as(steps.obs), next_obs=steps.next_obs[:1].expand_as(steps.obs))
    terms = snd.objective.terms(snd.batch(same, torch.arange(12), torch.Generator()))
    for kind in ("global", "local"):
        assert float(terms[f"infonce_{kind}"].detach()) == pytest.approx(math.log(12), rel=1e-5)


def test_positions_are_counted_row_by_row_and_a_hidden_layer_is_one() -> None:
    layer = torch.arange(2 * 3 * 4 * 5.0).view(2, 3, 4, 5)
    assert torch.equal(positions(layer)[7], layer[:, :, 1, 2])
    assert torch.equal(positions(layer[:, :, 0, 0]), layer[:, :, 0, 0].unsqueeze(0))


@pytest.mark.parametrize(("world", "config", "layer", "channels"), [
    ("images", {}, 2, 6), ("images", {"local_layer": 1}, 1, 4), ("vectors", {}, 1, 24), ("vectors", {"hidden": [7]}, 1, 7),
])  # fmt: skip
def test_local_features_are_of_the_last_layer_but_one(world: str, config: dict[str, Any], layer: int, channels: int) -> None:
    _, objective, _ = build("snd_std", world, **config)
    assert (objective.layer, objective.predict_locally[0].in_features) == (layer, channels)


def test_norms_without_logits() -> None:
    predictions, patches = torch.randn(1, 5, 3, dtype=torch.float64), torch.randn(4, 5, 3, dtype=torch.float64)
    direct = torch.stack([(predictions[0] @ patch.T).norm() for patch in patches]).mean()
    torch.testing.assert_close(mean_norm(predictions, patches), direct)


def test_the_norm_of_dead_patches_has_no_gradient() -> None:
    patches = torch.zeros(2, 5, 3, requires_grad=True)
    mean_norm(torch.randn(1, 5, 3), patches).backward()
    assert patches.grad is not None
    assert not patches.grad.any()


# SND-VIC --------------------------------------------------------------------------------------------------------------
def test_vicreg_by_hand() -> None:
    z = torch.tensor([[1.0, 2.0, 7.0], [3.0, -2.0, 7.0]])
    other = torch.tensor([[0.1, 0.0, 7.0], [-0.1, 0.0, 7.0]])
    terms = vicreg(z, other, 0.0)
    assert float(terms["invariance"]) == pytest.approx((0.9**2 + 2**2 + 3.1**2 + 2**2) / 6)
    hinges = (1 / 3, (1 - 0.02**0.5 + 1 + 1) / 3)  # the first view's first two deviations are above 1
    assert float(terms["variance"]) == pytest.approx(sum(hinges))
    assert float(terms["covariance"]) == pytest.approx(2 * 16 / 3)  # (-4)^2 twice, of three features


def test_decorrelated_features_of_unit_deviation_leave_the_invariance_alone() -> None:
    z = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]) * 0.75**0.5
    terms = vicreg(z, z + 5, 0.0)
    assert {name: round(float(value), 5) for name, value in terms.items()} == {
        "invariance": 25.0, "variance": 0.0, "covariance": 0.0,
    }  # fmt: skip


def test_the_weights_of_vic_are_in_its_terms() -> None:
    raw, weighted = (
        build("snd_vic", invariance_weight=a, variance_weight=b, covariance_weight=c) for a, b, c in ((1, 1, 1), (25, 12.5, 1))
    )
    ours, official = (objective.terms(batch) for _, objective, batch in (raw, weighted))
    for name, factor in (("invariance", 25), ("variance", 12.5), ("covariance", 1)):
        torch.testing.assert_close(official[name], factor * ours[name])


# Beyond the paper -----------------------------------------------------------------------------------------------------
def test_barlow_twins_is_its_formula() -> None:
    _, objective, batch = build("snd_barlow", second_view="next_obs", **UNCHANGED)
    z, other = ((f - f.mean(0)) / (f.var(0, correction=0) + 1e-5).sqrt() for f in (batch.features, batch.next_features))
    correlation = torch.einsum("nd,ne->de", z, other) / 12
    identity = torch.eye(16)
    terms = objective.terms(batch)
    torch.testing.assert_close(terms["invariance"], ((correlation - 1).square() * identity).sum())
    torch.testing.assert_close(terms["redundancy"], 5e-3 * (correlation.square() * (1 - identity)).sum())


def test_nt_xent_is_its_formula() -> None:
    z, other = torch.randn(4, 3), torch.randn(4, 3)
    both, total = torch.cat([z, other]), 0.0
    for i in range(8):
        similarities = F.cosine_similarity(both[i : i + 1], both) / 0.3
        others = [k for k in range(8) if k != i]
        total += float(similarities[others].logsumexp(0) - similarities[(i + 4) % 8])
    assert float(nt_xent(z, other, 0.3)) == pytest.approx(total / 8, rel=1e-5)


def test_byol_is_its_formula_and_its_slow_copy_follows() -> None:
    snd, objective, batch = build("snd_byol", second_view="next_obs", decay=0.75, **UNCHANGED)
    assert isinstance(objective, BYOL)

    def side(one: Tensor, other: Tensor) -> Tensor:
        p = F.normalize(objective.predict(objective.projector(snd.target(one))))
        return (2 - 2 * (p * F.normalize(objective.slow(other))).sum(1)).mean()

    expected = side(batch.states, batch.next_states) + side(batch.next_states, batch.states)
    torch.testing.assert_close(objective.terms(batch)["prediction"], expected)
    before = weights(objective.slow)
    torch.testing.assert_close(before, torch.cat([weights(snd.target), weights(objective.projector)]))
    snd._learn(batch)
    after = torch.cat([weights(snd.target), weights(objective.projector)])
    torch.testing.assert_close(weights(objective.slow), 0.75 * before + 0.25 * after)


def test_curl_is_its_formula() -> None:
    snd, objective, batch = build("snd_curl", second_view="next_obs", **UNCHANGED)
    assert isinstance(objective, CURL)
    keys, weight = objective.slow(batch.next_states), objective.similarity.weight
    logits = torch.einsum("id,de,je->ij", snd.target(batch.states), weight, keys)
    torch.testing.assert_close(objective.terms(batch)["contrast"], F.cross_entropy(logits, torch.arange(12)))


@pytest.mark.parametrize("start", [0, -1])
def test_discrete_actions_are_classified(start: int) -> None:
    world = Spaces(VECTORS.observation, spaces.Discrete(3, start=start))
    snd, objective, batch = build("snd_inverse", world)
    batch.rollout.action.add_(start)
    assert isinstance(objective, InverseDynamics)
    guesses = objective.guess(torch.cat([snd.target(batch.states), snd.target(batch.next_states)], 1))
    expected = -guesses.log_softmax(1)[torch.arange(12), batch.actions - start].mean()
    torch.testing.assert_close(objective.terms(batch)["action"], expected)


def test_continuous_actions_are_regressed() -> None:
    snd, objective, batch = build("snd_inverse", CONTINUOUS)
    batch = snd.batch(rollout(4, "continuous"), torch.arange(12), torch.Generator())
    guesses = objective.guess(torch.cat([snd.target(batch.states), snd.target(batch.next_states)], 1))
    torch.testing.assert_close(objective.terms(batch)["action"], (guesses - batch.actions).square().mean())


def test_inverse_dynamics_finds_actions_that_move_the_state() -> None:
    snd, steps = make("snd_inverse"), rollout(60)
    moved = steps.obs + 2 * torch.eye(5)[steps.action]
    moving = Transitions(**{**vars(steps), "next_obs": moved})
    losses = [snd.update(moving)["target_loss_action"] for _ in range(80)]
    assert losses[-1] < 0.2 * losses[0]


@pytest.mark.parametrize("name", ["snd_vic", "snd_barlow", "snd_simclr", "snd_byol", "snd_curl"])
def test_views(name: str) -> None:
    """Each view is augmented on its own; the second is of the state or of the next one."""
    for second in ("obs", "next_obs"):
        _, objective, batch = build(name, second_view=second, **UNCHANGED)
        first, other = objective.views(batch)
        assert torch.equal(first, batch.states)
        assert torch.equal(other, batch.states if second == "obs" else batch.next_states)
    _, objective, batch = build(name, second_view="obs", vector_augmentations=["noise"], augmentation_probability=1.0)
    first, other = objective.views(batch)
    assert not torch.equal(first, other)
    assert (first - batch.states).abs().max() <= 0.2
