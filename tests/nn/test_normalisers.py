"""Every way to bring bonuses to a scale, against the moments of all bonuses at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from harness.config import IntrinsicRewardConfig
from harness.nn.moments import ReturnNormaliser
from harness.nn.normalisers import DeviationNormaliser, MeanNormaliser, bonus_normaliser


def rollouts() -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.gamma(2.0, size=(5, 4)).astype(np.float32) * scale for scale in (1.0, 3.0)]


def test_the_kinds_by_name():
    assert bonus_normaliser("none", 3, 0.99) is None
    normaliser = bonus_normaliser("return_std", 3, 0.9)
    assert isinstance(normaliser, ReturnNormaliser)
    assert (len(normaliser.filtered), normaliser.gamma) == (3, 0.9)
    assert isinstance(bonus_normaliser("bonus_std", 3, 0.99), DeviationNormaliser)
    assert isinstance(bonus_normaliser("running_mean", 3, 0.99), MeanNormaliser)


@pytest.mark.parametrize(("kind", "moment", "name"), [("bonus_std", np.std, "bonus_running_std"),
                                                      ("running_mean", np.mean, "bonus_running_mean")])  # fmt: skip
def test_bonuses_are_divided_by_the_moment_of_all_so_far_theirs_included(kind, moment, name):
    by_rollout, by_step = bonus_normaliser(kind, 4, 0.99), bonus_normaliser(kind, 4, 0.99)
    assert by_rollout is not None and by_step is not None
    seen = np.zeros((0, 4))
    for rollout in rollouts():
        found = by_rollout.normalise_rollout(torch.from_numpy(rollout))
        assert found.dtype == torch.float32
        np.testing.assert_allclose(found, rollout / moment(np.concatenate([seen, rollout])), rtol=2e-4)
        for bonus in rollout:
            seen = np.concatenate([seen, bonus[None]])
            expected = bonus / moment(seen)
            np.testing.assert_allclose(by_step.normalise_step(torch.from_numpy(bonus)), expected, rtol=2e-4)
    before = by_step.metrics()
    assert before == pytest.approx({name: moment(seen)}, rel=1e-4)
    np.testing.assert_allclose(by_step.scale(torch.ones(2)), 1 / moment(seen), rtol=2e-4)
    assert by_step.metrics() == before


def test_where_environments_start_alike_the_first_step_is_divided_by_what_it_would_have_grown_through():
    alike = torch.full((8,), 5.0)
    inflated, grown = DeviationNormaliser(), DeviationNormaliser()
    assert inflated.normalise_step(alike)[0] > 50
    assert grown.normalise_step(alike, start="horizon")[0] == pytest.approx(12**0.5, rel=0.02)
    later = grown.normalise_step(alike * 1.5, start="horizon")  # from then on, every bonus counts as it is
    values = np.concatenate([np.outer(np.linspace(0, 1, 100), np.full(8, 5.0)).ravel()[::100], np.full(8, 7.5)])
    assert later[0] == pytest.approx(7.5 / values.std(), rel=0.2)


def test_nothing_yet_stays_nothing():
    for kind in ("bonus_std", "running_mean"):
        normaliser = bonus_normaliser(kind, 3, 0.99)
        assert normaliser is not None
        for start in ("horizon", "prior"):
            assert normaliser.normalise_step(torch.zeros(3), start=start).tolist() == [0, 0, 0]
    deviation = DeviationNormaliser()
    deviation.normalise_step(torch.zeros(3), start="horizon")
    assert deviation.normalise_step(torch.full((3,), 2.0), start="horizon").max() < 4


def test_the_running_mean_is_that_of_the_authors():
    """M <- M + delta * B / (n + B) from M = 0 and n = 1e-4 (url_benchmark's ``RMS``), before it divides."""
    mean, count, normaliser = 0.0, 1e-4, MeanNormaliser()
    for rollout in rollouts():
        for bonus in rollout:
            mean, count = mean + (bonus.mean() - mean) * len(bonus) / (count + len(bonus)), count + len(bonus)
            np.testing.assert_allclose(normaliser.normalise_step(torch.from_numpy(bonus)), bonus / mean, rtol=1e-6)


@pytest.mark.parametrize("kind", ["return_std", "bonus_std", "running_mean", "none"])
def test_a_configuration_says_whether_bonuses_are_normalised(kind):
    class Some(IntrinsicRewardConfig):
        bonus_normalisation: str = kind

    assert Some().normalises_bonus is (kind != "none")
