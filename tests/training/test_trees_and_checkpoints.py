"""State on disk: whole or not at all, and equal when it comes back."""

from __future__ import annotations

import collections
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from harness.errors import RunError
from harness.training import checkpoints, trees

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
arrays = st_numpy.arrays(
    st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_]), st_numpy.array_shapes(min_dims=0, min_side=0)
)
leaves = scalars | arrays | arrays.map(torch.from_numpy)
keys = st.text() | st.integers() | st.sampled_from(["$tensor", "$pairs", ""])
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4) | st.lists(inner, max_size=3).map(tuple) | st.dictionaries(keys, inner, max_size=4)
    ),
    max_leaves=12,
)


def equal(a: object, b: object) -> bool:
    if isinstance(a, torch.Tensor | np.ndarray):
        return (
            type(a) is type(b) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
            if isinstance(a, np.ndarray)
            else isinstance(b, torch.Tensor) and equal(a.numpy(), b.numpy())
        )
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a):
        return math.isnan(b)
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and type(a) is type(b):
        return len(a) == len(b) and all(map(equal, a, b))
    return type(a) is type(b) and a == b


@settings(deadline=None)
@given(tree=anything)
def test_any_tree_comes_back(tree: object) -> None:
    skeleton, tensors = trees.flatten(tree)
    assert equal(trees.unflatten(json.loads(json.dumps(skeleton, allow_nan=False)), tensors), tree)


def test_shared_memory_is_stored_once_and_slices_are_copied() -> None:
    weight = torch.arange(6.0)
    skeleton, tensors = trees.flatten({"a": weight, "b": weight, "part": weight[:2]})
    assert len(tensors) == 2
    back = trees.unflatten(skeleton, tensors)
    assert torch.equal(back["b"], weight)
    assert torch.equal(back["part"], weight[:2])


def test_what_cannot_be_saved_is_named() -> None:
    with pytest.raises(TypeError, match=r"/a/0 is of type deque"):
        trees.flatten({"a": [collections.deque()]})


def test_newest_checkpoint_wins_and_the_older_is_removed(tmp_path) -> None:
    folder = tmp_path / "checkpoint"
    assert checkpoints.load(folder) is None
    checkpoints.save(folder, 10, {"x": torch.tensor([1.0])})
    checkpoints.save(folder, 20, {"x": torch.tensor([2.0])})
    step, tree = checkpoints.load(folder)
    assert (step, tree["x"].item()) == (20, 2.0)
    assert [path.name for path in folder.iterdir()] == ["step-000000000020"]


def test_an_unfinished_checkpoint_is_ignored_and_swept_up(tmp_path) -> None:
    folder = tmp_path / "checkpoint"
    checkpoints.save(folder, 10, {"x": 1})
    draft = folder / ".tmp-123"
    draft.mkdir()
    (draft / "tensors.safetensors").write_bytes(b"half")
    assert checkpoints.load(folder) == (10, {"x": 1})
    checkpoints.save(folder, 20, {"x": 2})
    assert not draft.exists()


@pytest.mark.parametrize("file", ["tensors.safetensors", "state.json"])
@pytest.mark.parametrize("damage", ["truncate", "flip", "remove"])
def test_damage_is_found_and_named(tmp_path, file: str, damage: str) -> None:
    folder = tmp_path / "checkpoint"
    path = checkpoints.save(folder, 10, {"x": torch.arange(100.0)}) / file
    content = bytearray(path.read_bytes())
    if damage == "truncate":
        path.write_bytes(content[:-7])
    elif damage == "flip":
        content[-5] ^= 1
        path.write_bytes(content)
    else:
        path.unlink()
    if damage == "flip" and file == "state.json":
        pytest.skip("a flipped bit may leave valid JSON of equal meaning")
    with pytest.raises(RunError, match=r"damaged.*--fresh"):
        checkpoints.load(folder)
