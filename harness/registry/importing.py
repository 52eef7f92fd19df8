"""Import paths, as descriptions have them."""

from __future__ import annotations

import importlib
from typing import Any


def import_object(path: str) -> Any:
    """Import what a path names.

    Args:
        path: Module and attribute, as ``"package.module:Attribute"``.
    """
    module, _, attributes = path.partition(":")
    found: Any = importlib.import_module(module)
    for attribute in attributes.split("."):
        found = getattr(found, attribute)
    return found
