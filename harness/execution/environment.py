"""The environment variables that processes get in which plugins train: none that holds a password of a study's storage."""

from __future__ import annotations

from collections.abc import Mapping

SECRET_VARIABLES = frozenset({"HARNESS_STORAGE", "PGPASSWORD", "PGSSLPASSWORD", "MYSQL_PWD"})
"""The URL of a storage, which may hold a password, and the passwords that drivers of databases look for."""


def without_passwords(environment: Mapping[str, str]) -> dict[str, str]:
    """Environment variables without those that hold passwords of storages."""
    return {name: value for name, value in environment.items() if name not in SECRET_VARIABLES}
