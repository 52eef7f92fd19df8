"""From an environment's observations to those of an agent: one vector of numbers, or one image with its channels first.

Bounds of vectors are left out: many environments leave the ones that they declare, and nothing here depends on them.
What would come out garbled is refused: other shapes and kinds of numbers than declared, numbers that are not finite,
indices without a place in their one-hot vector, pixels that a byte cannot hold.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import KeysView, Sequence
from math import prod
from typing import Any, cast

import numpy as np
from gymnasium import spaces

from harness.environments.declared_spaces import WIDEST_PIXEL
from harness.environments.gymnasium.config import IMAGE_LAYOUTS, GymnasiumConfig
from harness.errors import RunError, UserError, suggest

MAX_NUMBERS = 1_000_000
"""The most numbers of one vector; a space that needs more was not meant to be flattened."""

Path = tuple[str | int, ...]


class ObservationConverter(ABC):
    """Turns each observation into one array.

    Attributes:
        space: Space of one environment's observations as the agent sees them.
        frame_channels: Channels of an image; ``None`` for vectors.
    """

    space: spaces.Box
    frame_channels: int | None = None

    @abstractmethod
    def __call__(self, observation: Any) -> np.ndarray:
        """The observation as an array of `space`.

        Raises:
            RunError: It is not what the environment declares.
        """


def observation_converter(space: spaces.Space[Any], config: GymnasiumConfig) -> ObservationConverter:
    """What the settings make of an environment's observations.

    Raises:
        UserError: They cannot, or do not say what they should.
    """
    if config.observation in IMAGE_LAYOUTS:
        return Images(*_image_part(space, config), str(config.observation))
    if config.keys is not None:
        space = _select(space, config.keys)
    if config.observation is None:
        for path, leaf in _leaves(space):
            if isinstance(leaf, spaces.Box) and leaf.dtype == np.uint8 and len(leaf.shape) in (2, 3):
                raise UserError(
                    f"{_name(path)} has the shape {leaf.shape} in bytes, perhaps an image: set 'observation' to hwc, chw or"
                    " hw, or to vector to flatten it"
                )
    return Vectors(space)


class Vectors(ObservationConverter):
    """Any boxes, indices and bits, in dictionaries and tuples or not, as one float32 vector.

    Parts follow each other in the order of the space, as `gymnasium.spaces.flatten` has them: boxes row by row, indices as
    one-hot vectors.

    Args:
        space: Observation space of the environment.

    Raises:
        UserError: A part of it is none of these, or the vector would be longer than `MAX_NUMBERS`.
    """

    def __init__(self, space: spaces.Space[Any]) -> None:
        self._leaves = [(path, _leaf_reader(path, leaf)) for path, leaf in _leaves(space)]
        size = sum(reader.size for _, reader in self._leaves)
        if not 0 < size <= MAX_NUMBERS:
            raise UserError(f"observations would be vectors of {size:,} numbers; between 1 and {MAX_NUMBERS:,} are possible")
        self.space = spaces.Box(-np.inf, np.inf, (size,), np.float32)

    def __call__(self, observation: Any) -> np.ndarray:
        """The vector."""
        vectors = [reader(_part(observation, path)) for path, reader in self._leaves]
        vector = vectors[0] if len(vectors) == 1 else np.concatenate(vectors)
        if not np.isfinite(vector).all():
            raise RunError(f"observation holds numbers that are not finite in float32: {_first_bad(vector)}")
        return vector


class Images(ObservationConverter):
    """One image as uint8 with its channels first.

    Bytes stay as they are, whole numbers from 0 to 255 become bytes, and shares from 0 to 1 are multiplied by 255.

    Args:
        path: Where the image is in an observation.
        space: Space of the image in its own layout.
        layout: ``hwc``, ``chw`` or ``hw``.

    Raises:
        UserError: The space holds something else.
    """

    def __init__(self, path: Path, space: spaces.Space[Any], layout: str) -> None:
        self._path, self._axes = path, {"hwc": (2, 0, 1), "chw": (0, 1, 2), "hw": (0, 1)}[layout]
        if not isinstance(space, spaces.Box) or len(space.shape) != len(layout):
            raise UserError(f"'observation: {layout}' needs a Box of {len(layout)} dimensions; {_name(path)} is {space}")
        _check_layout(path, space.shape, layout)
        self._source = cast(spaces.Box, space)
        self._scale = _pixel_scale(path, self._source)
        shape = tuple(space.shape[axis] for axis in self._axes)
        self._shape = (1, *shape) if layout == "hw" else shape
        self.space = spaces.Box(0, 255, self._shape, np.uint8)
        self.frame_channels = int(self._shape[0])

    def __call__(self, observation: Any) -> np.ndarray:
        """The image, uint8 ``(channels, height, width)``."""
        image = _checked_array(self._path, self._source, _part(observation, self._path))
        if image.dtype != np.uint8:
            image = image * self._scale
            if not (np.isfinite(image).all() and image.min() >= 0 and image.max() <= 255):
                raise RunError(f"{_name(self._path)} has pixels outside of {self._source}")
            image = np.rint(image).astype(np.uint8)
        return image.transpose(self._axes).reshape(self._shape).copy()  # environments may draw into the same array again


class _LeafReader:
    """Reads one part of an observation into ``size`` float32 numbers; see `Vectors`."""

    def __init__(self, path: Path, space: spaces.Box | spaces.MultiBinary) -> None:
        self._path, self._space = path, space
        self.size = prod(space.shape)

    def __call__(self, value: Any) -> np.ndarray:
        return _checked_array(self._path, self._space, value).astype(np.float32).reshape(-1)


class _OneHotReader(_LeafReader):
    def __init__(self, path: Path, space: spaces.Discrete | spaces.MultiDiscrete) -> None:
        self._path, self._space = path, space
        counts = np.array([space.n]) if isinstance(space, spaces.Discrete) else space.nvec.reshape(-1)
        self._start, self._counts = np.asarray(space.start).reshape(-1).astype(np.int64), counts.astype(np.int64)
        self._offsets = np.cumsum(self._counts) - self._counts
        self.size = int(self._counts.sum())

    def __call__(self, value: Any) -> np.ndarray:
        index = _checked_array(self._path, self._space, value).reshape(-1).astype(np.int64) - self._start
        if (index < 0).any() or (index >= self._counts).any():
            raise RunError(f"{_name(self._path)} is {np.asarray(value).tolist()}, which is outside of {self._space}")
        vector = np.zeros(self.size, np.float32)
        vector[self._offsets + index] = 1
        return vector


def _leaf_reader(path: Path, space: spaces.Space[Any]) -> _LeafReader:
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete):
        return _OneHotReader(path, cast(spaces.Discrete | spaces.MultiDiscrete, space))
    if isinstance(space, spaces.Box | spaces.MultiBinary):
        return _LeafReader(path, cast(spaces.Box | spaces.MultiBinary, space))
    raise UserError(
        f"{_name(path)} is {space}, which no network here reads; leave the part out with 'keys', or convert it with a wrapper"
    )


def _leaves(space: spaces.Space[Any], path: Path = ()) -> list[tuple[Path, spaces.Space[Any]]]:
    if isinstance(space, spaces.Dict):
        parts = cast(dict[Any, spaces.Space[Any]], space.spaces)
        return [found for name, part in parts.items() for found in _leaves(part, (*path, name))]
    if isinstance(space, spaces.Tuple):
        elements = cast(tuple[spaces.Space[Any], ...], space.spaces)
        return [found for index, part in enumerate(elements) for found in _leaves(part, (*path, index))]
    return [(path, space)]


def _select(space: spaces.Space[Any], keys: Sequence[str]) -> spaces.Dict:
    """The named parts of a dictionary, in the order in which they are named."""
    if not isinstance(space, spaces.Dict):
        raise UserError(f"keys: observations are no dictionary but {space}; leave 'keys' out")
    for key in keys:
        if key not in space.spaces:
            raise UserError(
                f"keys: observations have no part {key!r}{suggest(key, map(str, cast(KeysView[str], space.keys())))}"
            )
    selected = spaces.Dict()
    selected.spaces = {key: space.spaces[key] for key in keys}  # its constructor would sort them
    return selected


def _image_part(space: spaces.Space[Any], config: GymnasiumConfig) -> tuple[Path, spaces.Space[Any]]:
    if config.keys is not None:
        return (config.keys[0],), _select(space, config.keys).spaces[config.keys[0]]
    if isinstance(space, spaces.Dict):
        raise UserError(
            f"keys: name the part that is the image, one of {', '.join(map(str, cast(KeysView[str], space.keys())))}"
        )
    return (), space


def _check_layout(path: Path, shape: tuple[int, ...], layout: str) -> None:
    """Refuse an image whose axes are evidently in the other order."""
    if 0 in shape:
        raise UserError(f"{_name(path)} is an image of the shape {shape}, which has no pixels")
    turned = {"chw": "hwc", "hwc": "chw"}.get(layout)
    channels, *sides = (shape[-1], *shape[:-1]) if layout == "chw" else shape  # were it the other one
    if turned is not None and channels <= WIDEST_PIXEL < min(sides):
        raise UserError(
            f"{_name(path)} has the shape {shape}, hardly an image of layout {layout}; set 'observation: {turned}'"
        )


def _pixel_scale(path: Path, space: spaces.Box) -> float:
    low, high = float(space.low.min()), float(space.high.max())
    if np.issubdtype(space.dtype, np.integer) and low >= 0 and high <= 255:
        return 1.0
    if np.issubdtype(space.dtype, np.floating) and low >= 0 and high <= 1:
        return 255.0
    raise UserError(
        f"{_name(path)} is no image of bytes or of shares from 0 to 1 but {space}; convert it with a wrapper, or set"
        " 'observation: vector'"
    )


def _part(observation: Any, path: Path) -> Any:
    part = observation
    for index, key in enumerate(path):
        try:
            part = part[key]
        except (KeyError, IndexError, TypeError):
            raise RunError(f"{_name(path[: index + 1])} is declared and not there") from None
    return part


def _checked_array(path: Path, space: spaces.Space[Any], value: Any) -> np.ndarray:
    """The value as an array of the shape and the kind of numbers that are declared."""
    array = np.asarray(value)
    if array.shape != space.shape:
        raise RunError(f"{_name(path)} has the shape {array.shape}, declared is {space.shape}")
    if array.dtype != space.dtype and not _fits(array.dtype, np.dtype(space.dtype)):
        raise RunError(f"{_name(path)} holds {array.dtype}, declared is {space.dtype}")
    return array


def _fits(given: np.dtype, declared: np.dtype) -> bool:
    """Whether numbers are of the declared kind; how many bytes each takes makes no difference."""
    if declared.kind in "iu":
        return given.kind in "iub"
    return given.kind in {"f": "fiub", "b": "b"}.get(declared.kind, declared.kind)


def _name(path: Path) -> str:
    return "observation" + "".join(f"[{key!r}]" for key in path)


def _first_bad(vector: np.ndarray) -> str:
    index = int(np.flatnonzero(~np.isfinite(vector))[0])
    return f"number {index} of {len(vector)} is {vector[index]}"
