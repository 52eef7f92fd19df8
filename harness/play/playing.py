"""Episodes by the policy of a run, as its own evaluations play them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import RunError, UserError
from harness.play.camera import Camera, Frame, OnFrame
from harness.play.films import FilmRecord, store_film
from harness.play.opened import OpenedRun
from harness.play.pictures import evenly_spaced, film_strip, png
from harness.play.reel import Reel
from harness.play.video import write_video
from harness.runs.evaluations import read_evaluations
from harness.spec import MAX_COUNT, EvaluationSpec, RunSpec
from harness.training.evaluation import Episode, OnWait, evaluate

_AGREES = 1e-9
"""Relative difference below which two means of the same returns are the same: they were written as decimals between."""


@dataclass(frozen=True)
class PlayRequest:
    """How a policy is to be played. What is ``None`` is as in the run's own evaluations.

    Attributes:
        episodes: Number of episodes for each seed.
        deterministic: Whether the likeliest actions are taken instead of sampled ones.
        max_steps: Steps after which an episode is cut.
        seeds: Seeds from which those of environments and actions are derived; those of the run's last evaluation if empty.
        filmed: Number of the episode of the first seed that is filmed, counted from 0.
        video: The file of a film; ``None`` for none.
        fps: Pictures per second of the film.
        strip: Whether a strip of pictures is kept for reports.
        on_frame: Takes each picture of that episode as soon as there is one; ``None`` if nobody looks.
        on_wait: Told now and then of an episode that has not ended after many steps.
    """

    episodes: int | None = None
    deterministic: bool | None = None
    max_steps: int | None = None
    seeds: Sequence[int] = ()
    filmed: int = 0
    video: Path | None = None
    fps: float = 15.0
    strip: bool = False
    on_frame: OnFrame | None = None
    on_wait: OnWait | None = None

    @property
    def films(self) -> bool:
        """Whether pictures are taken at all."""
        return self.video is not None or self.strip or self.on_frame is not None

    def evaluation(self, spec: RunSpec) -> EvaluationSpec:
        """The evaluation of a run with what is asked for in place of its own settings.

        Raises:
            UserError: Something is out of range.
        """
        wanted = {"episodes": self.episodes, "deterministic": self.deterministic, "max_steps": self.max_steps}
        evaluation = spec.evaluation.model_copy(update={name: value for name, value in wanted.items() if value is not None})
        for seed in self.seeds:
            if not 0 <= seed <= MAX_COUNT:
                raise UserError(f"a seed is a whole number from 0 to {MAX_COUNT}, not {seed}")
        if self.films and not 0 <= self.filmed < evaluation.episodes:
            raise UserError(f"there is no episode {self.filmed + 1} to be filmed among {evaluation.episodes}")
        return evaluation


@dataclass(frozen=True)
class PlayedSeed:
    """The episodes of one seed.

    Attributes:
        seed: The seed from which those of environments and actions were derived.
        index: Number of the evaluation, which decides these as well.
        episodes: The episodes in their order.
    """

    seed: int
    index: int
    episodes: Sequence[Episode]

    @property
    def score(self) -> float:
        """The mean return."""
        return sum(episode.episode_return for episode in self.episodes) / len(self.episodes)


@dataclass(frozen=True)
class Played:
    """What came of it.

    Attributes:
        run: The run, with its policy.
        evaluation: How the policy was played.
        seeds: The episodes of each seed.
        recorded: The mean return that the run itself recorded for these very episodes; ``None`` where it played no such ones.
        pictures: Number of pictures taken.
        video: File of the film; ``None`` for none.
        strip: File of the strip; ``None`` for none.
    """

    run: OpenedRun
    evaluation: EvaluationSpec
    seeds: Sequence[PlayedSeed]
    recorded: float | None = None
    pictures: int = 0
    video: Path | None = None
    strip: Path | None = None

    @property
    def agrees(self) -> bool | None:
        """Whether the returns are those that the run recorded; ``None`` where it recorded none of these episodes."""
        return None if self.recorded is None else math.isclose(self.recorded, self.seeds[0].score, rel_tol=_AGREES)


@dataclass
class _Film:
    """The pictures of the filmed episode, and the steps that they show."""

    reel: Reel = field(default_factory=Reel)
    frames: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])

    def take(self, frame: Frame) -> None:
        self.reel.append(frame.picture)
        self.frames.append((frame.step, frame.episode_return))


def play(run: OpenedRun, request: PlayRequest) -> Played:
    """Play full episodes with the policy of a run.

    Args:
        run: The run, opened with ``request.evaluation(spec)``.
        request: What is asked for.

    Raises:
        UserError: The environments cannot be seen, or a file cannot be written.
        RunError: The environments return what they may not.
    """
    spec = run.record.spec
    evaluation = request.evaluation(spec)
    own = max(run.evaluations - 1, 0)
    wanted = [(seed, 0) for seed in request.seeds] or [(spec.seed, own)]
    film = _Film()
    try:
        played = [
            _play_seed(run, request, evaluation, seed, index, film if number == 0 else None)
            for number, (seed, index) in enumerate(wanted)
        ]
        recorded = None if request.seeds or evaluation != spec.evaluation else _recorded(run)
        filmed = played[0].episodes[request.filmed] if request.films else None
        video = strip = None
        if filmed is not None and request.video is not None:
            write_video(request.video, film.reel, request.fps)
            video = request.video
        if filmed is not None and request.strip:
            strip = _keep_strip(run, request, evaluation, played[0], film)
        return Played(run, evaluation, played, recorded, len(film.reel), video, strip)
    finally:
        film.reel.close()


def _play_seed(
    run: OpenedRun, request: PlayRequest, evaluation: EvaluationSpec, seed: int, index: int, film: _Film | None
) -> PlayedSeed:
    env, camera = run.assembly.evaluation_env, None
    if film is not None and request.films:
        takers: list[Callable[[Frame], None]] = [film.take] if request.video or request.strip else []
        takers += [request.on_frame] if request.on_frame else []
        family = run.record.spec.environment.family

        def take(frame: Frame) -> None:
            for taker in takers:
                taker(frame)

        camera = Camera(env, evaluation, request.filmed, family, take)
    try:
        episodes = evaluate(env, run.assembly.learner, evaluation, seed, index, on_wait=request.on_wait, spectator=camera)
    except RunError as error:
        raise RunError(f"{run.folder.path}: {error}") from error
    return PlayedSeed(seed, index, episodes)


def _recorded(run: OpenedRun) -> float | None:
    """The mean return that the run recorded for the evaluation of its checkpoint, if it was saved at that very step."""
    evaluations, _ = read_evaluations(run.folder)
    if not run.evaluations:
        return None
    return next((one.score for one in evaluations if one.step == run.step), None)


def _keep_strip(run: OpenedRun, request: PlayRequest, evaluation: EvaluationSpec, played: PlayedSeed, film: _Film) -> Path:
    episode = played.episodes[request.filmed]
    chosen = evenly_spaced(len(film.reel))
    record = FilmRecord(
        digest=run.record.digest,
        step=run.step,
        steps=run.record.spec.steps,
        seed=played.seed,
        evaluation=played.index,
        episode=request.filmed,
        deterministic=evaluation.deterministic,
        episode_return=episode.episode_return,
        length=episode.length,
        shown=[film.frames[i][0] for i in chosen],
    )
    return store_film(run.folder, run.record, record, png(film_strip([film.reel[i] for i in chosen])))
