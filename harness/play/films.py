"""Where film strips lie: beside the tasks of a suite's results and never in a run's folder, so that reports find them.

``results/<suite>/films/<task>/<method>-<digest>/seed-<n>.png`` is the strip of a run, and the ``.json`` beside it says what
it shows.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.runs.folder import RunFolder, RunRecord
from harness.runs.guarded import MIB, Unreadable, read_bytes, read_json
from harness.runs.output import OutputFolder
from harness.spec import MAX_COUNT

FILMS = "films"
"""The folder of a suite's films, below its results."""

_MAX_RECORD_BYTES, _MAX_PICTURE_BYTES = MIB // 16, 16 * MIB
_MAX_PIXELS = 10_000_000

_Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]


class FilmRecord(BaseModel):
    """What a strip shows.

    Attributes:
        digest: Digest of the run.
        step: Steps of training after which the policy was saved.
        steps: Steps of the whole run.
        seed: The seed from which those of the evaluation were derived.
        evaluation: Number of the evaluation, which decides its seeds as well.
        episode: Number of the episode among those of the evaluation, counted from 0.
        deterministic: Whether the likeliest actions were taken.
        episode_return: Return of the episode.
        length: Steps of the episode.
        shown: The steps that are shown.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    format: Literal[1] = 1
    digest: str = Field(max_length=64)
    step: _Count
    steps: _Count
    seed: _Count
    evaluation: _Count
    episode: _Count
    deterministic: bool
    episode_return: float = Field(allow_inf_nan=False)
    length: _Count
    shown: list[_Count] = Field(min_length=1, max_length=100)


def film_name(record: RunRecord) -> str:
    """The path of a run's strip below the results of its suite, without an ending."""
    spec = record.spec
    return f"{FILMS}/{spec.task}/{spec.method}-{record.digest}/seed-{spec.seed}"


def store_film(folder: RunFolder, record: RunRecord, film: FilmRecord, picture: bytes) -> Path:
    """Keep a strip where reports find it; an earlier one of the same run is replaced.

    Args:
        folder: The folder of the run, which stays as it is.
        record: Content of its ``run.json``.
        film: What the strip shows.
        picture: The strip as a PNG file.

    Returns:
        The path of the picture.

    Raises:
        ResultsError: It cannot be written.
    """
    output, name = OutputFolder(_suite_folder(folder)), film_name(record)
    file = output.write(f"{name}.png", picture)
    output.write(f"{name}.json", film.model_dump_json(indent=2) + "\n")
    return file


def read_film(folder: RunFolder, record: RunRecord) -> tuple[FilmRecord, np.ndarray] | None:
    """The strip of a run; ``None`` if none was made.

    Returns:
        What it shows, and the picture, uint8 ``(height, width, 3)``.

    Raises:
        Unreadable: What lies there is no strip of this run.
    """
    stem = _suite_folder(folder) / film_name(record)
    text, file = stem.with_name(f"{stem.name}.json"), stem.with_name(f"{stem.name}.png")
    content = read_json(text, _MAX_RECORD_BYTES)
    data = read_bytes(file, _MAX_PICTURE_BYTES)
    if content is None or data is None:
        return None
    try:
        film = FilmRecord.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise Unreadable(text, f"says of no film what it shows ({'.'.join(map(str, first['loc']))}: {first['msg']})") from None
    if film.digest != record.digest:
        raise Unreadable(text, f"belongs to a run with digest {film.digest}, not {record.digest}")
    return film, _decode(file, data)


def _suite_folder(folder: RunFolder) -> Path:
    return folder.path.absolute().parents[2]


def _decode(file: Path, data: bytes) -> np.ndarray:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow's of pictures that are larger than anybody wants
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:  # reads its beginning alone
                width, height = image.size
                if width * height <= _MAX_PIXELS:
                    return np.asarray(image.convert("RGB"))
    except Exception as error:  # noqa: BLE001  a decoder that is fed with anything may raise anything
        raise Unreadable(file, f"is no picture that can be read ({error})") from None
    raise Unreadable(file, f"is larger than any strip, {width} x {height} pixels")
