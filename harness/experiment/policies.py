"""What a run has learned: played, filmed and exported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.experiment.outcomes import PathLike

if TYPE_CHECKING:
    from harness.play.camera import OnFrame
    from harness.play.export import Exported
    from harness.play.playing import Played


def play(
    run: PathLike,
    *,
    episodes: int | None = None,
    deterministic: bool | None = None,
    seeds: Sequence[int] = (),
    max_steps: int | None = None,
    device: str = "auto",
    filmed: int = 0,
    video: PathLike | None = None,
    fps: float = 15.0,
    strip: bool = False,
    on_frame: OnFrame | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> Played:
    """Play episodes with the policy that a run has learned, finished or not; its folder is read and never changed.

    Args:
        run: Folder of the run.
        episodes: Number of episodes for each seed; ``None`` for as many as in the run's own evaluations.
        deterministic: Whether the likeliest actions are taken; ``None`` for what the run's own evaluations do.
        seeds: Seeds from which those of environments and actions are derived; none for those of the run's last evaluation,
            which gives a finished run's own returns again.
        max_steps: Steps after which an episode is cut; ``None`` for the run's own setting.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        filmed: Number of the first seed's episode that is filmed, counted from 0.
        video: File of a film, ending in ``.gif`` or ``.mp4``; ``None`` for none.
        fps: Pictures per second of the film.
        strip: Whether a strip of pictures is kept beside the results, where reports find it.
        on_frame: Takes each picture of that episode as soon as there is one.
        on_wait: Told now and then of an episode that has not ended after many steps.

    Raises:
        UserError: This is no run's folder, something that it needs is not installed, there is no checkpoint that can be used,
            or what is asked for cannot be done.
    """
    from harness.play.opened import opened_run, read_run
    from harness.play.playing import PlayRequest
    from harness.play.playing import play as play_episodes
    from harness.play.video import check_video_file
    from harness.registry import installed

    folder, file = Path(run), None if video is None else Path(video)
    request = PlayRequest(episodes, deterministic, max_steps, seeds, filmed, file, fps, strip, on_frame, on_wait)
    evaluation = request.evaluation(read_run(folder).spec)
    if file is not None:
        check_video_file(file, folder)
    with opened_run(folder, installed(), evaluation=evaluation, device=device) as opened:
        return play_episodes(opened, request)


def export(run: PathLike, file: PathLike | None = None) -> Exported:
    """Write the policy of a run as a zip file that Stable-Baselines3 opens.

    Args:
        run: Folder of the run, which is read and never changed.
        file: The file to be written; ``None`` for one in the working directory, named after task, method and seed.

    Raises:
        UserError: This is no run's folder, there is no checkpoint that can be used, or Stable-Baselines3 has no model that
            could hold the policy.
    """
    from harness.play.export import export_policy
    from harness.play.opened import opened_run, read_run
    from harness.play.video import check_output
    from harness.registry import installed
    from harness.runs.output import file_stem

    spec = read_run(Path(run)).spec
    out = Path(f"{file_stem(spec.task, spec.method)}-seed-{spec.seed}.zip") if file is None else Path(file)
    check_output(out, Path(run), "--out")
    with opened_run(Path(run), installed(), device="cpu") as opened:
        return export_policy(opened, out)
