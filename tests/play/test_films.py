"""What can be seen of an episode: the right pictures in the right order, in files, on a terminal and in reports."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from play.conftest import SHORT, trained
from report.pages import without_own_script
from rich.console import Console
from support.specs import make_spec

from harness import experiment
from harness.cli import main
from harness.cli.display.playing import TerminalPicture, shrink
from harness.errors import UserError
from harness.play.camera import Frame
from harness.play.pictures import STRIP_HEIGHT, enlarge, evenly_spaced, film_strip
from harness.play.reel import Reel

WHITE = (255, 255, 255)


def frames_of(folder: Path, **options: object) -> tuple[experiment.Played, list[Frame]]:  # type: ignore[name-defined]
    frames: list[Frame] = []
    return experiment.play(folder, device="cpu", on_frame=frames.append, **options), frames  # type: ignore[arg-type]


def test_every_step_of_the_chosen_episode_is_seen(plain: Path) -> None:
    for episode in range(3):
        played, frames = frames_of(plain, filmed=episode)
        own = played.seeds[0].episodes[episode]
        assert [frame.step for frame in frames] == list(range(own.length + 1))
        assert frames[-1].episode_return == pytest.approx(own.episode_return)
        rows = [np.argwhere((frame.picture[4::8, 4::8] == WHITE).all(axis=2)) for frame in frames]
        assert [place.tolist()[0][0] for place in rows[:-1]] == list(range(6))  # a row deeper with each step
        assert not len(rows[-1])  # beyond the last one
        columns = [int(place[0][1]) for place in rows[:-1]]
        assert max(columns) <= own.metrics["rightmost"] * 5


def test_one_environment_that_plays_several_episodes_is_filmed_in_the_right_one(tmp_path: Path, plain: Path) -> None:
    played, frames = frames_of(plain, episodes=19, filmed=1, seeds=(3,))  # 16 environments, the first of which plays two
    assert [frame.step for frame in frames] == list(range(7))
    assert frames[-1].episode_return == pytest.approx(played.seeds[0].episodes[1].episode_return)


def test_filming_changes_no_number(car: Path) -> None:
    seen, frames = frames_of(car)
    assert len(frames) == 12  # the simulator shows no last observation
    assert seen.seeds[0].episodes == experiment.play(car, device="cpu").seeds[0].episodes
    assert len({frame.picture.tobytes() for frame in frames}) > 5


def test_episodes_that_are_cut_are_filmed_up_to_there(plain: Path) -> None:
    _, frames = frames_of(plain, max_steps=3)
    assert [frame.step for frame in frames] == [0, 1, 2, 3]


def test_a_family_without_pictures_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = trained(make_spec(family="gymnasium", environment={"id": "CartPole-v1"}, **SHORT), tmp_path)
    assert main(["play", str(folder), "--video", str(tmp_path / "film.gif")]) == 2
    assert "family 'gymnasium' show no pictures" in capsys.readouterr().err
    assert not (tmp_path / "film.gif").exists()
    assert main(["play", str(folder), "--episodes", "1"]) == 0


def test_a_gif_shows_the_episode(plain: Path, tmp_path: Path) -> None:
    _, frames = frames_of(plain, video=tmp_path / "film.gif", fps=10)
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == len(frames) == 7
        assert film.info["duration"] == 100
        for i, frame in enumerate(frames):
            film.seek(i)
            shown = np.asarray(film.convert("RGB"))
            assert np.abs(shown.astype(int) - enlarge(frame.picture)).max() < 8


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # imageio-ffmpeg leaves closing pipes to Python
def test_an_mp4_shows_the_episode(plain: Path, tmp_path: Path) -> None:
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    _, frames = frames_of(plain, video=tmp_path / "film.mp4", fps=10)
    read = ffmpeg.read_frames(str(tmp_path / "film.mp4"))
    about = next(read)
    pictures = [np.frombuffer(data, np.uint8).reshape(*about["size"][::-1], 3) for data in read]
    assert about["fps"] == 10
    assert len(pictures) == len(frames)
    for picture, frame in zip(pictures, frames, strict=True):
        assert np.abs(picture.astype(int) - enlarge(frame.picture)).mean() < 6


def test_mp4_without_ffmpeg_names_the_extra(plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.play.video.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"exploration-harness\[video\]"):
        experiment.play(plain, video=tmp_path / "film.mp4")


# --------------------------------------------------------------------------------------------------------------------
# Parts
# --------------------------------------------------------------------------------------------------------------------
@given(st.lists(arrays(np.uint8, (3, 5, 3)), min_size=1, max_size=6))
def test_a_reel_gives_back_what_it_took(pictures: list[np.ndarray]) -> None:
    reel = Reel()
    for picture in pictures:
        reel.append(picture)
    assert len(reel) == len(pictures)
    assert all(np.array_equal(one, other) for one, other in zip(reel, pictures, strict=True))
    assert np.array_equal(reel[-1], pictures[-1])
    with pytest.raises(ValueError, match="cannot go on"):
        reel.append(np.zeros((1, 1, 3), np.uint8))
    reel.close()


@given(st.integers(1, 10_000), st.integers(2, 20))
def test_strips_begin_at_the_first_picture_and_end_at_the_last(count: int, most: int) -> None:
    chosen = evenly_spaced(count, most)
    assert (chosen[0], chosen[-1], len(chosen)) == (0, count - 1, min(count, most))
    gaps = np.diff(chosen)
    assert len(gaps) == 0 or gaps.max() - gaps.min() <= 1


@pytest.mark.parametrize("size", [(64, 64), (210, 160), (400, 600), (7, 3)])
def test_strips_have_one_height_and_keep_shapes(size: tuple[int, int]) -> None:
    strip = film_strip([np.full((*size, 3), 9, np.uint8), np.full((*size, 3), 200, np.uint8)])
    width = round(size[1] * STRIP_HEIGHT / size[0])
    assert strip.shape == (STRIP_HEIGHT, 2 * width + 6, 3)
    assert (strip[:, :width] == 9).all()
    assert (strip[:, -width:] == 200).all()


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 60), st.integers(2, 60))
def test_pictures_fit_into_the_terminal(rows: int, columns: int, width: int, height: int) -> None:
    small = shrink(np.zeros((rows, columns, 3), np.uint8), width, height // 2 * 2)
    assert small.shape[0] <= height
    assert small.shape[1] <= width
    assert small.shape[0] % 2 == 0


def test_a_terminal_shows_half_blocks_in_the_colours_of_the_picture() -> None:
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[0, 0], picture[1, 0], picture[0, 1] = (1, 2, 3), (4, 5, 6), (7, 8, 9)
    console = Console(file=io.StringIO(), force_terminal=True, color_system="truecolor", width=2, height=4)
    console.print(TerminalPicture(Frame(picture, 3, 0.5)))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b[38;2;1;2;3;48;2;4;5;6m▀" in shown
    assert "\x1b[38;2;7;8;9;48;2;0;0;0m▀" in shown


def test_a_terminal_without_colours_shows_characters() -> None:
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[:, 1] = 255
    console = Console(file=io.StringIO(), force_terminal=True, color_system=None, width=40, height=4)
    console.print(TerminalPicture(Frame(picture, 3, 0.5)))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[0].startswith(" ")
    assert lines[0].endswith("@")
    assert lines[-1] == "step 3, return 0.5"


# --------------------------------------------------------------------------------------------------------------------
# Strips in reports
# --------------------------------------------------------------------------------------------------------------------
@pytest.fixture
def with_strip(plain: Path, tmp_path: Path) -> Path:
    """Results of one run, with its strip."""
    place = tmp_path / Path(*plain.parts[-4:])
    shutil.copytree(plain, place)
    assert main(["play", str(place), "--strip"]) == 0
    return tmp_path / "test"


def written(results: Path, out: Path, formats: tuple[str, ...] = ("html", "md")) -> dict[str, bytes]:
    experiment.report(results, out, formats=formats)
    return {str(file.relative_to(out)): file.read_bytes() for file in sorted(out.rglob("*")) if file.is_file()}


def test_a_report_shows_the_strip_and_is_the_same_to_the_byte(with_strip: Path, tmp_path: Path) -> None:
    first, again = (written(with_strip, tmp_path / name) for name in ("one", "two"))
    assert first == again
    page, text = first["index.html"].decode(), first["report.md"].decode()
    assert "task, none, seed 0, after 320 of 320 steps of training: episode 1 of evaluation 2 from seed 0" in text
    assert "steps 0, 1, 2, 3, 4, 5, 6 are shown" in text
    assert "data:image/png;base64," in page
    assert "figures/test-film-1.svg" in first


def test_a_report_without_strips_has_no_such_section(plain: Path, tmp_path: Path, no_figures: None) -> None:
    assert b"Films" not in written(plain, tmp_path, ("md",))["report.md"]


def test_playing_again_replaces_the_strip_with_the_same_bytes(with_strip: Path) -> None:
    files = sorted((with_strip / "films").rglob("seed-0.*"))
    before = [file.read_bytes() for file in files]
    run = next(with_strip.glob("task/*/seed-0"))
    assert main(["play", str(run), "--strip"]) == 0
    assert [file.read_bytes() for file in files] == before
    assert len(files) == 2


def bomb() -> bytes:
    buffer = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["text", "bomb", "jpeg", "pipe", "other run", "no record", "markup"])
def test_hostile_strips_are_named_and_not_shown(name: str, with_strip: Path, tmp_path: Path, no_figures: None) -> None:
    picture, record = (next((with_strip / "films").rglob(f"seed-0.{kind}")) for kind in ("png", "json"))
    content = json.loads(record.read_text())
    if name == "text":
        picture.write_text("<script>")
    elif name == "bomb":
        picture.write_bytes(bomb())
    elif name == "jpeg":
        buffer = io.BytesIO()
        Image.new("RGB", (4, 4)).save(buffer, "JPEG")
        picture.write_bytes(buffer.getvalue())
    elif name == "pipe":
        import os

        picture.unlink()
        os.mkfifo(picture)
    elif name == "other run":
        record.write_text(json.dumps(content | {"digest": "00000000"}))
    elif name == "no record":
        record.write_text(json.dumps({"digest": content["digest"]}))
    else:
        record.write_text(json.dumps(content | {"length": "<script>alert(1)</script>"}))
    files = written(with_strip, tmp_path / "out")
    assert b"not shown: " in files["report.md"]
    assert "<script" not in without_own_script(tmp_path / "out" / "index.html")
    assert not any(b"are shown" in data for data in files.values())
