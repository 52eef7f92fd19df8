"""Films as files: GIF by Pillow, which is always there, and MP4 by the ffmpeg that the extra ``video`` brings."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import numpy as np

from harness.errors import ResultsError, UserError
from harness.play.pictures import enlarge
from harness.runs.files import write_bytes_atomic
from harness.runs.guarded import reason_of

KINDS = (".gif", ".mp4")

_MILLISECONDS = 1000
_LAST_SECONDS = 1.0
"""Time for which a GIF shows its last picture, before it begins anew."""


def check_video_file(file: Path, run: Path) -> None:
    """Refuse a file that no film could be written to, before anything is played.

    Args:
        file: The file to be written.
        run: Folder of the run, which stays as it is.

    Raises:
        UserError: It is of an unknown kind, lies in the run's folder or where there is none, or a package is missing.
    """
    kind = file.suffix.lower()
    if kind not in KINDS:
        raise UserError(f"--video {file}: films are written as {' or '.join(KINDS)}, so its name must end in one of these")
    check_output(file, run, "--video")
    if kind == ".mp4" and find_spec("imageio_ffmpeg") is None:
        raise UserError(
            f"--video {file}: writing mp4 needs imageio-ffmpeg; pip install 'exploration-harness[video]', or name a .gif"
        )


def check_output(file: Path, run: Path, option: str) -> None:
    """Refuse a file in a folder that is not there, or in a run's own.

    Args:
        file: The file to be written.
        run: Folder of the run, which stays as it is.
        option: Option that named the file.

    Raises:
        UserError: It cannot lie there; says where it can.
    """
    folder = file.absolute().parent
    if not folder.is_dir():
        raise UserError(f"{option} {file}: there is no folder {folder}")
    if folder.resolve().is_relative_to(run.resolve()):
        raise UserError(f"{option} {file}: a run's folder stays as it is; name a file somewhere else")


def write_video(file: Path, pictures: Sequence[np.ndarray], fps: float) -> None:
    """Write a film, whole or not at all.

    Args:
        file: Its path, ending in one of `KINDS`.
        pictures: Pictures of one size, uint8 ``(height, width, 3)``, at least one.
        fps: Pictures per second.

    Raises:
        ResultsError: It cannot be written.
    """
    data = _gif(pictures, fps) if file.suffix.lower() == ".gif" else _mp4(pictures, fps)
    write_file(file, data)


def write_file(file: Path, data: bytes) -> None:
    """Replace a file that the user has named.

    Raises:
        ResultsError: It cannot be written.
    """
    try:
        write_bytes_atomic(file, data)
    except OSError as error:
        raise ResultsError(f"{file}: cannot be written ({reason_of(error)})") from error


def _gif(pictures: Sequence[np.ndarray], fps: float) -> bytes:
    from PIL import Image

    def images() -> Iterator[Any]:
        return (Image.fromarray(enlarge(picture)) for picture in pictures)

    durations = [round(_MILLISECONDS / fps)] * len(pictures)
    durations[-1] += round(_LAST_SECONDS * _MILLISECONDS)
    buffer, all_images = io.BytesIO(), images()
    first = next(all_images)
    first.save(buffer, "GIF", save_all=True, append_images=all_images, duration=durations, loop=0)
    return buffer.getvalue()


def _mp4(pictures: Sequence[np.ndarray], fps: float) -> bytes:
    import imageio_ffmpeg

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "film.mp4"
        height, width = _even(enlarge(pictures[0])).shape[:2]
        arguments: dict[str, Any] = {"fps": fps, "macro_block_size": 1, "ffmpeg_log_level": "error"}
        write_frames = cast(Callable[..., Generator[None, Any, None]], imageio_ffmpeg.write_frames)
        writer = write_frames(str(file), (width, height), **arguments)
        try:
            writer.send(None)
            for picture in pictures:
                writer.send(np.ascontiguousarray(_even(enlarge(picture))))
        except OSError as error:
            raise ResultsError(f"ffmpeg could not write the film: {error}") from error
        finally:
            writer.close()
        return file.read_bytes()


def _even(picture: np.ndarray) -> np.ndarray:
    """A picture with even sides, which this kind of film needs: the last row and column are repeated."""
    height, width = picture.shape[:2]
    return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
