"""What is remembered of episodes, on two scripted episodes: against formulas by hand, cleared at their ends, never shared."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

from harness import Spaces, Transitions
from harness.errors import UserError
from harness_episodic.configs.counting import CountsConfig, NovelDConfig
from harness_episodic.configs.dynamics import E3BConfig, NGUConfig, PseudoCountsConfig, RideConfig
from harness_episodic.configs.particles import APTConfig, RE3Config
from harness_episodic.elliptical import EllipticalMemory
from harness_episodic.kernel import Kernel
from harness_episodic.methods.apt import APT
from harness_episodic.methods.counts import Counts
from harness_episodic.methods.e3b import E3B
from harness_episodic.methods.ngu import NGU, PseudoCounts, lifelong_factor
from harness_episodic.methods.noveld import NovelD
from harness_episodic.methods.re3 import RE3
from harness_episodic.methods.ride import Ride
from harness_episodic.visits import StateCoder

DIM = 3
WORLD = Spaces(spaces.Box(-np.inf, np.inf, (DIM,), np.float32), spaces.Discrete(4))
EPISODES = [[0, 1, 1, 2, 0], [1, 3, 1]]
"""States by number, of two episodes one after the other."""


def state(number: int) -> torch.Tensor:
    return torch.tensor([[np.cos(number), np.sin(number), number / 3]], dtype=torch.float32)


def walk(episodes: list[list[int]] = EPISODES, *, cut: bool = False) -> list[Transitions]:
    """The transitions of one environment; episodes end by termination, or by a cut."""
    found = []
    for episode in episodes:
        for k, (before, after) in enumerate(pairwise(episode)):
            done = k == len(episode) - 2
            ends = torch.tensor([done and not cut]), torch.tensor([done and cut])
            found.append(
                Transitions(state(before), torch.tensor([k % 4]), state(after), torch.zeros(1), *ends, torch.tensor([0]))
            )
    return found


def joined(steps: list[Transitions], others: list[Transitions]) -> list[Transitions]:
    """Two environments side by side, as far as both go."""
    fields = Transitions.__dataclass_fields__
    pairs = []
    for one, other in zip(steps, others, strict=False):
        both = {name: torch.cat([getattr(one, name), getattr(other, name)]) for name in fields}
        pairs.append(Transitions(**both | {"env_index": torch.arange(2)}))
    return pairs


def play(method: Any, steps: list[Transitions], *, train: bool = True) -> torch.Tensor:
    """The bonuses of each step, ``(T, N)``, as a rollout gives them."""
    bonuses = []
    for step in steps:
        method.track(step)
        if train:
            method.observe(step)
        bonuses.append(method.bonus(step))
    return torch.stack(bonuses)


def identity(method: Any) -> Any:
    """The method with embedded states that are the states."""
    method.dynamics.embedding = nn.Identity()
    return method


# Counts ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("cut", [False, True])
def test_episodic_counts_include_the_first_state_and_end_with_the_episode(cut: bool) -> None:
    bonuses = play(Counts(CountsConfig(), WORLD, 1, "cpu", 0), walk(cut=cut))[:, 0]
    visits = [1, 2, 1, 2, 1, 2]  # 0: 1, 1, 2, 0 again; then 1: 3, 1 again
    assert bonuses.square().reciprocal().round().tolist() == visits


def test_lifetime_counts_go_on_over_episodes_and_environments() -> None:
    counts = Counts(CountsConfig(scope="lifetime"), WORLD, 2, "cpu", 0)
    bonuses = play(counts, joined(walk(), walk([[1, 2, 0, 0, 0]])))
    # first step: 0 and 1 began, 1 and 2 were reached: 1 twice
    assert bonuses[0].square().reciprocal().round().tolist() == [2, 1]
    assert counts.lifetime.of(counts.codes(state(0))).item() == 5


def test_the_product_multiplies_both() -> None:
    parts = {
        scope: play(Counts(CountsConfig(scope=scope), WORLD, 1, "cpu", 0), walk())
        for scope in ("episode", "lifetime", "product")
    }
    torch.testing.assert_close(parts["product"], parts["episode"] * parts["lifetime"])


def test_lifetime_counts_stand_still_where_nothing_is_trained() -> None:
    counts = Counts(CountsConfig(scope="lifetime"), WORLD, 1, "cpu", 0)
    assert play(counts, walk(), train=False).tolist() == [[1.0]] * 6
    assert len(counts.lifetime) == 0


def test_codes_are_those_of_any_process() -> None:
    program = (
        "import torch; from harness_episodic.visits import StateCoder;"
        "print(StateCoder((2,), images=False, code='bytes')(torch.tensor([[1.0, -0.0]])).item())"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert int(told) == StateCoder((2,), images=False, code="bytes")(torch.tensor([[1.0, 0.0]])).item()


def test_bins_and_simhash_make_near_states_one() -> None:
    near = torch.tensor([[0.11, 0.52], [0.14, 0.58], [0.51, 0.52]])
    bins = StateCoder((2,), images=False, code="bins", bin_width=0.1)(near)
    assert (bins[0] == bins[1]) and bins[0] != bins[2]
    generator = torch.Generator().manual_seed(0)
    simhash = StateCoder((2,), images=False, code="simhash", bits=16, generator=generator)
    codes = simhash(torch.tensor([[1.0, 2.0], [2.0, 4.0], [-1.0, -2.0]]))
    assert codes[0] == codes[1] and codes[0] != codes[2]


def test_images_are_averaged_down_before_they_are_binned() -> None:
    images = torch.zeros(3, 1, 8, 8, dtype=torch.uint8)
    images[1, 0, 0, 0] = 9
    images[2] = 200
    codes = StateCoder((1, 8, 8), images=True, code="bins", image_side=2)(images)
    assert codes[0] == codes[1] and codes[0] != codes[2]


# E3B ------------------------------------------------------------------------------------------------------------------
def by_inversion(numbers: list[int], ridge: float) -> list[float]:
    """phi^T C^-1 phi of all but the first state of an episode, each with the inverse of what came before."""
    found = []
    for k in range(1, len(numbers)):
        earlier = torch.cat([state(number) for number in numbers[:k]]).double()
        phi = state(numbers[k])[0].double()
        covariance = ridge * torch.eye(DIM, dtype=torch.float64) + earlier.T @ earlier
        found.append(float(phi @ torch.linalg.solve(covariance, phi)))
    return found


def test_elliptical_bonuses_are_those_of_the_inverted_covariance() -> None:
    config = E3BConfig(feature_dim=DIM, ridge=0.1)
    bonuses = play(identity(E3B(config, WORLD, 1, "cpu", 0)), walk())[:, 0]
    expected = [value for episode in EPISODES for value in by_inversion(episode, 0.1)]
    torch.testing.assert_close(bonuses, torch.tensor(expected), rtol=1e-4, atol=1e-6)


def test_environments_do_not_share_a_covariance() -> None:
    config = E3BConfig(feature_dim=DIM)
    alone = play(identity(E3B(config, WORLD, 1, "cpu", 0)), walk())
    beside = play(identity(E3B(config, WORLD, 2, "cpu", 0)), joined(walk(), walk([[3, 3, 2, 3, 1, 2, 3]])))
    torch.testing.assert_close(beside[:, 0], alone[:, 0])


def test_the_inverse_stays_symmetric_and_finite() -> None:
    memory = EllipticalMemory(2, 8, 0.1, first_bonus=True)
    generator = torch.Generator().manual_seed(0)
    envs = torch.arange(2)
    for k in range(300):
        states = torch.randn(2, 8, generator=generator) * 10.0 ** (k % 7)
        assert memory.compare(states, envs).isfinite().all()
        memory.insert(states, envs)
    assert memory.inverse.isfinite().all()
    assert torch.equal(memory.inverse, memory.inverse.transpose(1, 2))
    memory.clear(torch.tensor([1]))
    assert torch.equal(memory.inverse[1], torch.eye(8) / 0.1)


# Pseudo-counts, NGU, RIDE ---------------------------------------------------------------------------------------------
def test_a_state_that_recurs_counts_once_more() -> None:
    """With the usual distance far above all others but 0, the count is of equal states."""
    kernel = Kernel(epsilon=1e-6, cluster_distance=0.0, count_constant=0.0)
    squared = torch.tensor([[0.0, 0.0, 4.0], [4.0, 9.0, 16.0], [torch.inf] * 3])
    assert kernel.bonus(squared, torch.tensor(1.0)).round(decimals=2).tolist()[0] == pytest.approx(2**-0.5, abs=0.01)
    assert kernel.bonus(squared, torch.tensor(1.0))[1] > 100
    assert kernel.bonus(squared, torch.tensor(1.0))[2] == 0


def test_pseudo_counts_wait_for_k_neighbours_and_forget_the_episode() -> None:
    config = PseudoCountsConfig(feature_dim=DIM, neighbours=2)
    bonuses = play(identity(PseudoCounts(config, WORLD, 1, "cpu", 0)), walk())[:, 0]
    assert [value > 0 for value in bonuses.tolist()] == [False, True, True, True, False, True]


def test_what_is_not_trained_moves_no_usual_distance() -> None:
    method = identity(PseudoCounts(PseudoCountsConfig(feature_dim=DIM, neighbours=1), WORLD, 1, "cpu", 0))
    play(method, walk(), train=False)
    assert method.usual.mean == 0
    assert method.episodes.rings.lengths.tolist() == [0]


def test_the_lifelong_factor_is_clipped_and_waits_for_a_deviation() -> None:
    novelty = torch.tensor([0.0, 1.0, 3.0, 100.0])
    assert lifelong_factor(novelty, 1.0, 1.0, 5.0).tolist() == [1, 1, 3, 5]
    assert lifelong_factor(novelty[:2], 1.0, 0.0, 5.0).tolist() == [1, 1]


def test_ngu_multiplies_its_parts() -> None:
    config = NGUConfig(feature_dim=DIM, neighbours=1, hidden=(8,), rnd_hidden=(8,), rnd_feature_dim=4)
    ngu = identity(NGU(config, WORLD, 1, "cpu", 0))
    plain = PseudoCountsConfig(feature_dim=DIM, neighbours=1)
    counts = play(identity(PseudoCounts(plain, WORLD, 1, "cpu", 0)), walk())
    products = play(ngu, walk())
    assert (products >= counts).all() and (products <= 5 * counts).all() and not torch.equal(products, counts)


def test_ride_divides_the_move_by_the_root_of_visits() -> None:
    bonuses = play(identity(Ride(RideConfig(feature_dim=DIM), WORLD, 1, "cpu", 0)), walk())[:, 0]
    moves = [(a, b) for episode in EPISODES for a, b in pairwise(episode)]
    visits = [1, 2, 1, 2, 1, 2]
    expected = [float((state(b) - state(a)).norm()) / n**0.5 for (a, b), n in zip(moves, visits, strict=True)]
    torch.testing.assert_close(bonuses, torch.tensor(expected))


# NovelD, RE3, APT -----------------------------------------------------------------------------------------------------
def test_noveld_pays_on_first_visits_alone() -> None:
    method = NovelD(NovelDConfig(hidden=(8,), feature_dim=4, alpha=0.0), WORLD, 1, "cpu", 0)
    steps = walk()
    bonuses = play(method, steps)[:, 0]
    errors = torch.stack([method.errors(step.next_obs)[0] for step in steps]).detach()
    first = torch.tensor([1, 0, 1, 0, 1, 0])
    torch.testing.assert_close(bonuses, errors * first)


def test_re3_pays_nothing_until_there_are_neighbours_and_never_looks_ahead() -> None:
    config = RE3Config(hidden=(8,), feature_dim=4, neighbours=2, distance_scale="none", bank_size=16)
    bonuses = play(RE3(config, WORLD, 1, "cpu", 0), walk())[:, 0]
    again = play(RE3(config, WORLD, 1, "cpu", 0), walk([[0, 1, 1, 3, 0]]))[:, 0]
    assert bonuses[0] == 0 and bonuses[1] == 0, "one state alone; then the same again"
    assert bonuses[2] > 0
    torch.testing.assert_close(bonuses[:2], again[:2])


def test_apt_forgets_single_steps_when_batches_are_sampled() -> None:
    apt = APT(APTConfig(neighbours=2), WORLD, 1, "cpu", 0)
    batch = Transitions(
        **{name: torch.cat([getattr(step, name) for step in walk()]) for name in Transitions.__dataclass_fields__}
    )
    fresh = APT(APTConfig(neighbours=2), WORLD, 1, "cpu", 0)
    for step in walk():
        apt.observe(step)
    for one in (apt, fresh):
        one.observe_batch(batch)
    torch.testing.assert_close(apt.bonus(batch), fresh.bonus(batch))
    assert apt.particles.scale.moments.count == fresh.particles.scale.moments.count


def test_convolutions_need_images() -> None:
    with pytest.raises(UserError, match="architecture: nature needs images"):
        RE3(RE3Config(architecture="nature"), WORLD, 1, "cpu", 0)


@pytest.mark.parametrize("actions", [spaces.MultiDiscrete([2, 3]), spaces.MultiBinary(3)])
def test_other_actions_are_refused_by_name(actions: spaces.Space[Any]) -> None:
    with pytest.raises(UserError, match="e3b needs actions that are Discrete or a Box"):
        E3B(E3BConfig(), Spaces(WORLD.observation, actions), 1, "cpu", 0)
