"""RND passes the conformance kit, with small networks that learn fast enough for it."""

from __future__ import annotations

from harness.testing import MethodConformance


class TestRND(MethodConformance):
    method = "rnd"
    config = {"feature_dim": 64, "minibatches": 4, "warm_up_steps": 8, "learning_rate": 1e-3}  # noqa: RUF012
