"""Proto-RL passes the conformance kit, with small networks that learn fast enough for it."""

from __future__ import annotations

from harness.testing import MethodConformance


class TestProtoRL(MethodConformance):
    method = "proto_rl"
    config = {  # noqa: RUF012 - as every plugin's
        "channels": 8,
        "projection_dim": 16,
        "predictor_hidden": 32,
        "prototypes": 32,
        "queue_size": 128,
        "update_every": 1,
        "learning_rate": 1e-3,
    }
