"""A run's policy plays again: to the run's own numbers, with any seeds, and without a trace in the run's folder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from play.conftest import SHORT, SMALL_RND, trained
from support.algorithms import small_spec
from support.specs import make_spec

from harness import experiment
from harness.cli import main
from harness.errors import UserError
from harness.runs.files import read_csv_rows
from harness.training.run import train


def last_rows(folder: Path) -> list[dict[str, str]]:
    _, rows = read_csv_rows(folder / "evaluations.csv")
    return [row for row in rows if row["step"] == rows[-1]["step"]]


def contents(folder: Path) -> dict[str, tuple[str, int]]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file): (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns) for file in files}


@pytest.mark.parametrize("name", ["plain", "two_critics", "car"])
def test_the_last_evaluation_is_played_again_to_the_same_rows(name: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(name)
    before = contents(folder)
    played = experiment.play(folder, device="cpu")
    (own,) = played.seeds
    rows = last_rows(folder)
    assert [(it.episode_return, it.length) for it in own.episodes] == [
        (float(row["return"]), int(row["length"])) for row in rows
    ]
    for episode, row in zip(own.episodes, rows, strict=True):
        assert episode.metrics
        assert {name: float(row[name]) for name in episode.metrics} == episode.metrics
    assert played.agrees
    assert contents(folder) == before


@pytest.mark.parametrize("algorithm", ["dqn", "sac", "recurrent_ppo"])
def test_other_algorithms_play_their_last_evaluation_again(algorithm: str, tmp_path: Path) -> None:
    folder = trained(small_spec(algorithm), tmp_path)
    assert experiment.play(folder, device="cpu").agrees


@pytest.mark.parametrize(("iterations", "agrees"), [(1, None), (2, True), (3, None)])
def test_an_interrupted_run_plays_with_what_it_has_learned_so_far(
    tmp_path: Path, iterations: int, agrees: bool | None
) -> None:
    spec, looks = make_spec(**SHORT), iter([False] * iterations)  # the second of four iterations ends with an evaluation
    assert train(spec, tmp_path, device="cpu", stop=lambda: next(looks, True)).state == "interrupted"
    played = experiment.play(tmp_path / spec.path, device="cpu")
    assert played.run.step == 80 * iterations
    assert len(played.seeds[0].episodes) == spec.evaluation.episodes
    assert played.agrees is agrees


def test_seeds_episodes_and_actions_are_chosen_freely(car: Path) -> None:
    def returns(**wanted: object) -> list[list[int]]:
        options: dict = {"episodes": 2, "seeds": (1, 2), "max_steps": 9} | wanted
        return [[it.length for it in one.episodes] for one in experiment.play(car, device="cpu", **options).seeds]

    assert returns() == [[9, 9], [9, 9]]
    assert returns(episodes=5, seeds=(3,)) == [[9] * 5]
    sampled = [experiment.play(car, seeds=(1,), episodes=1, deterministic=False).seeds[0].score for _ in range(2)]
    assert sampled[0] == sampled[1]


def test_likeliest_actions_differ_from_sampled_ones(plain: Path) -> None:
    def paths(deterministic: bool) -> list[dict[str, float]]:
        played = experiment.play(plain, deterministic=deterministic, episodes=8, seeds=(5,))
        return [dict(it.metrics) | {"return": it.episode_return} for it in played.seeds[0].episodes]

    likeliest = paths(True)
    assert all(one == likeliest[0] for one in likeliest)
    assert len({tuple(one.values()) for one in paths(False)}) > 1


def test_a_run_that_trains_is_left_alone(copied: Path) -> None:
    from harness.runs.folder import RunFolder

    with RunFolder(copied).claim():
        before = contents(copied)
        assert experiment.play(copied, device="cpu").agrees
        assert contents(copied) == before


# --------------------------------------------------------------------------------------------------------------------
# What cannot be played is refused in a sentence
# --------------------------------------------------------------------------------------------------------------------
def damage_state(folder: Path, change: object) -> None:
    (file,) = (folder / "checkpoint").glob("step-*/state.json")
    content = json.loads(file.read_text())
    change(content)  # type: ignore[operator]
    file.write_text(json.dumps(content))


HOSTILE = {
    "no checkpoint": (lambda f: [p.rename(f / "gone") for p in (f / "checkpoint").glob("step-*")], "no checkpoint yet"),
    "tensors are cut": (lambda f: next(f.glob("checkpoint/*/tensors*")).write_bytes(b"x"), "damaged"),
    "state is a list": (lambda f: next(f.glob("checkpoint/*/state.json")).write_text("[1]"), "damaged"),
    "another run's": (lambda f: damage_state(f, lambda it: it["state"].update(digest="00000000")), "another run's"),
    "no learner": (lambda f: damage_state(f, lambda it: it["state"].pop("learner")), "does not fit"),
    "learner is text": (lambda f: damage_state(f, lambda it: it["state"].update(learner="x")), "does not fit"),
    "a weight is missing": (
        lambda f: damage_state(f, lambda it: it["state"]["learner"]["policy"].pop("value_net.bias")),
        "does not fit",
    ),
    "a weight is another": (
        lambda f: damage_state(
            f,
            lambda it: it["state"]["learner"]["policy"].update(
                {"value_net.bias": it["state"]["learner"]["policy"]["value_net.weight"]}
            ),
        ),
        "does not fit",
    ),
    "evaluated is text": (lambda f: damage_state(f, lambda it: it["state"].update(evaluated="many")), "does not fit"),
    "run.json is empty": (lambda f: (f / "run.json").write_text(""), "run.json"),
    "run.json is a folder": (lambda f: [(f / "run.json").unlink(), (f / "run.json").mkdir()], "run.json"),
    "a pipe for state": (
        lambda f: [
            (p := next(f.glob("checkpoint/*/state.json"))).unlink(),
            __import__("os").mkfifo(p),
        ],
        "a named pipe",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("command", ["play", "export"])
def test_hostile_folders_are_refused_in_a_sentence(
    command: str, name: str, copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change, expected = HOSTILE[name]
    change(copied)  # type: ignore[no-untyped-call]
    monkeypatch.chdir(tmp_path)
    assert main([command, str(copied)]) == 2
    errors = capsys.readouterr().err
    assert expected in errors
    assert "Traceback" not in errors
    assert not list(tmp_path.glob("*.zip"))


def test_settings_that_are_not_valid_any_more_are_named(copied: Path) -> None:
    from harness.spec import RunSpec

    record = json.loads((copied / "run.json").read_text())
    record["spec"]["algorithm"]["config"]["n_envs"] = -1
    spec = RunSpec.model_validate(record["spec"])
    record |= {"digest": spec.digest, "method_digest": spec.method_digest}
    (copied / "run.json").write_text(json.dumps(record))
    place = copied.parent.with_name(f"none-{spec.digest}")
    copied.parent.rename(place)
    with pytest.raises(UserError, match="its settings are not valid here"):
        experiment.play(place / "seed-0")


def test_a_folder_above_runs_names_them(results: Path, plain: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"not the folder of a run.*none-"):
        experiment.play(plain.parent)
    with pytest.raises(UserError, match="no such folder"):
        experiment.play(tmp_path / "nowhere")


def test_nan_in_a_policy_is_told(tmp_path: Path) -> None:
    import hashlib as hashes

    import safetensors.torch

    folder = trained(make_spec(reward="rnd", config=SMALL_RND, **SHORT), tmp_path)
    (file,) = folder.glob("checkpoint/*/tensors.safetensors")
    tensors = safetensors.torch.load(file.read_bytes())
    for name, tensor in tensors.items():
        if name.endswith("action_net.weight"):
            tensor.fill_(float("nan"))
    data = safetensors.torch.save(tensors)
    file.write_bytes(data)
    damage_state(folder, lambda it: it.update(sha256=hashes.sha256(data).hexdigest()))
    with pytest.raises(UserError, match="not finite"):
        experiment.play(folder)


# --------------------------------------------------------------------------------------------------------------------
# The command
# --------------------------------------------------------------------------------------------------------------------
def test_json_holds_every_episode(plain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["play", str(plain), "--json", "--seed", "7", "--seed", "8", "--episodes", "2", "--deterministic"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [(one["seed"], len(one["episodes"])) for one in document["seeds"]] == [(7, 2), (8, 2)]
    assert document["evaluation"] == {"episodes": 2, "deterministic": True}
    assert document["agrees"] is None
    assert document["seeds"][0]["episodes"][0]["metrics"].keys() == {"success", "rightmost", "bad_episode"}


def test_the_table_says_that_the_returns_are_the_recorded_ones(plain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["play", str(plain), "--device", "cpu"]) == 0
    output = capsys.readouterr().out
    assert "task/none/seed-0 after 320 of 320 steps, sampled actions" in output
    assert "these are the episodes of its own evaluation at this step: the same" in output
    changed = last_rows(plain)
    assert f"mean return {sum(float(row['return']) for row in changed) / len(changed):g}" in output


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--show"], "--show needs a terminal"),
        (["--show", "--json"], "--json prints nothing but JSON"),
        (["--show", "--window"], "choose one"),
        (["--video", "film.avi"], ".gif or .mp4"),
        (["--video", "nowhere/film.gif"], "there is no folder"),
        (["--strip", "--episode", "4"], "no episode 4 to be filmed among 3"),
        (["--episodes", "0"], "--episodes"),
        (["--device", "tpu"], "tpu"),
    ],
)
def test_mistakes_are_refused_before_anything_is_played(
    arguments: list[str], expected: str, plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr("harness.play.playing.evaluate", None)
    assert main(["play", str(plain), *arguments]) == 2
    assert expected in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_without_a_desktop_there_is_no_window(plain: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    assert main(["play", str(plain), "--window"]) == 2
    errors = capsys.readouterr().err
    assert "--window" in errors
    assert "use --show or --video FILE" in errors


def test_a_film_does_not_go_into_the_folder_of_the_run(plain: Path, capsys) -> None:
    before = contents(plain)
    assert main(["play", str(plain), "--video", str(plain / "film.gif")]) == 2
    assert "a run's folder stays as it is" in capsys.readouterr().err
    assert main(["export", str(plain), "--out", str(plain / "policy.zip")]) == 2
    assert contents(plain) == before
