"""Nested state as safetensors and JSON: written whole, read without ever running code.

A tree is a dict, list or tuple of trees; its leaves are tensors, arrays, numbers, strings, booleans and ``None``. Arrays go
into one safetensors file; everything else into a JSON skeleton that says where each array belongs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import torch

Tree = Any

_TENSOR, _ARRAY, _TUPLE, _PAIRS, _FLOAT = "$tensor", "$array", "$tuple", "$pairs", "$float"


def flatten(tree: Tree) -> tuple[Any, dict[str, torch.Tensor]]:
    """Take a tree apart.

    Returns:
        The skeleton, plain JSON, and the tensors that it names; arrays become tensors that share their memory.

    Raises:
        TypeError: When a leaf is of a type that trees do not have.
    """
    tensors: dict[str, torch.Tensor] = {}
    return _flatten(tree, "", tensors), tensors


def unflatten(skeleton: Any, tensors: dict[str, torch.Tensor]) -> Tree:
    """The tree that `flatten` took apart."""
    if isinstance(skeleton, list):
        return [unflatten(item, tensors) for item in cast(list[Any], skeleton)]
    if not isinstance(skeleton, dict):
        return skeleton
    entries = cast(dict[str, Any], skeleton)
    if len(entries) == 1:
        ((tag, content),) = entries.items()
        if tag in _DECODERS:
            return _DECODERS[tag](content, tensors)
    return {key: unflatten(value, tensors) for key, value in entries.items()}


_DECODERS: dict[str, Callable[[Any, dict[str, torch.Tensor]], Tree]] = {
    _TENSOR: lambda name, tensors: tensors[name],
    _ARRAY: lambda name, tensors: tensors[name].numpy(),
    _TUPLE: lambda items, tensors: tuple(unflatten(item, tensors) for item in items),
    _PAIRS: lambda pairs, tensors: {unflatten(key, tensors): unflatten(value, tensors) for key, value in pairs},
    _FLOAT: lambda text, tensors: float(text),
}


def _flatten(tree: Tree, path: str, tensors: dict[str, torch.Tensor]) -> Any:
    if isinstance(tree, torch.Tensor):
        return {_TENSOR: _add(tree.detach().cpu().contiguous(), path, tensors)}
    if isinstance(tree, np.ndarray):
        array = cast(np.ndarray, tree)
        return {_ARRAY: _add(torch.from_numpy(np.ascontiguousarray(array).reshape(array.shape)), path, tensors)}
    if isinstance(tree, dict):
        return _flatten_dict(cast(dict[Any, Tree], tree), path, tensors)
    if isinstance(tree, list | tuple):
        items = [_flatten(item, f"{path}/{i}", tensors) for i, item in enumerate(cast(Sequence[Tree], tree))]
        return items if isinstance(tree, list) else {_TUPLE: items}
    return _flatten_scalar(tree, path)


def _add(tensor: torch.Tensor, path: str, tensors: dict[str, torch.Tensor]) -> str:
    """Add a tensor under ``path``, unless the same memory is there already (SB3 names shared layers three times)."""
    if tensor.untyped_storage().nbytes() != tensor.nbytes:
        tensor = tensor.clone()  # a slice of something larger: safetensors refuses memory that is shared in part
    for name, known in tensors.items():
        if (
            known.data_ptr() == tensor.data_ptr()
            and known.shape == tensor.shape
            and known.dtype == tensor.dtype
            and tensor.numel()
        ):
            return name
    tensors[path] = tensor
    return path


def _flatten_dict(tree: dict[Any, Tree], path: str, tensors: dict[str, torch.Tensor]) -> dict[str, Any]:
    if all(isinstance(key, str) and not key.startswith("$") for key in tree):
        return {key: _flatten(value, f"{path}/{key}", tensors) for key, value in tree.items()}
    return {_PAIRS: [[_flatten_scalar(key, path), _flatten(value, f"{path}/{key}", tensors)] for key, value in tree.items()]}


def _flatten_scalar(leaf: Any, path: str) -> Any:
    plain: Any = leaf
    if isinstance(leaf, np.generic):
        plain = plain.item()
    if isinstance(plain, float) and not math.isfinite(plain):
        return {_FLOAT: repr(plain)}
    if plain is None or isinstance(plain, bool | int | float | str):
        return plain
    raise TypeError(f"state at {path or '/'} is of type {type(plain).__name__}, which cannot be saved")
