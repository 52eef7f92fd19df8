"""The connection to a cluster, and how many runs have room there."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from harness.errors import UserError
from harness.execution.capacity import cores, threads_of
from harness.spec import RunSpec
from harness_ray.config import RayConfig
from harness_ray.nodes import check_nodes

_OBJECT_STORE_BYTES = 80 << 20
"""Shared memory of a Ray of this machine alone, near Ray's minimum: nothing but a line of text goes through it."""


_KNOCK_SECONDS = 10.0


def connect(config: RayConfig) -> bool:
    """Connect this process to the cluster.

    Returns:
        Whether there was no connection before.

    Raises:
        UserError: Ray is not installed, there is no such cluster, or one of its nodes cannot load the harness.
    """
    try:
        import ray
    except ImportError:
        raise UserError("executor 'ray' needs Ray; pip install 'exploration-harness[ray]'") from None
    if ray.is_initialized():
        return False
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    address = config.address or os.environ.get("RAY_ADDRESS")
    if address not in (None, "auto", "local"):
        _check_address(address)
    own: dict[str, Any] = {"num_cpus": cores(), "object_store_memory": _OBJECT_STORE_BYTES, "include_dashboard": False}
    handler = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=address or "local", log_to_driver=False, logging_level=logging.ERROR, **({} if address else own))
    except Exception as error:  # noqa: BLE001  of no class of its own on a machine that is too busy to start it in time
        cause = " ".join(str(error).split())
        raise UserError(f"no Ray cluster can be used at {address or 'this machine'!r}: {cause}") from None
    finally:
        with suppress(ValueError):  # not in the main thread, where Ray has not replaced it either
            signal.signal(signal.SIGTERM, handler)
    if address not in (None, "local"):
        try:
            check_nodes()
        except UserError:
            ray.shutdown()
            raise
    return True


def _check_address(address: str) -> None:
    """Knock at the door: Ray itself would wait for minutes before it says that nobody is there."""
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal() and "/" not in host):
        raise UserError(f"Ray's address {address!r}: expected auto, or HOST:PORT of the cluster's head, such as node1:6379")
    try:
        socket.create_connection((host, int(port)), _KNOCK_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise UserError(f"no Ray cluster answers at {address}: {error}; start one: ray start --head --port {port}") from None


def disconnect() -> None:
    """End the connection, and a Ray of this machine alone with it."""
    import ray

    ray.shutdown()


def demand(spec: RunSpec, config: RayConfig, device: str) -> dict[str, float]:
    """What a run asks for, by Ray's names of resources."""
    import ray

    gpus = config.gpus
    if gpus is None:
        gpus = 1.0 if device == "cuda" or (device == "auto" and ray.cluster_resources().get("GPU", 0) > 0) else 0.0
    asked = {"CPU": config.cpus or float(threads_of(spec)), "GPU": gpus, "memory": float(config.memory_bytes)}
    return {name: amount for name, amount in (asked | config.resources).items() if amount}


def room(asked: Mapping[str, float]) -> int:
    """How many runs that ask for this the nodes have room for, were nothing else there."""
    import ray

    nodes: Sequence[Mapping[str, float]] = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return sum(int(min(node.get(name, 0.0) / amount for name, amount in asked.items())) for node in nodes)
