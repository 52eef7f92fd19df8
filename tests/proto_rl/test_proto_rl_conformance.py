"""Proto-RL passes the conformance kit, with small networks that learn fast enough for it."""

from __future__ import annotations

from support.conformance import QuickConformance

QUICK = {
    "channels": 8,
    "projection_dim": 16,
    "predictor_hidden": 32,
    "prototypes": 32,
    "queue_size": 128,
    "update_every": 1,
    "learning_rate": 1e-3,
}


class TestProtoRL(QuickConformance):
    method, config = "proto_rl", QUICK
    long = frozenset({"fresh_process"})
