"""Where studies are kept: URLs and their passwords, journals that a kill has torn, what cannot be opened."""

from __future__ import annotations

import json
import os

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config.secrets import masked, masked_arguments
from harness.errors import StudyError, UserError
from harness.tuning.storage import open_storage

SECRET = "hunter2"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://me:{SECRET}@host/db",
        f"postgresql+psycopg://me:{SECRET}@host:5432/db?sslmode=require",
        f"postgresql://me:a@{SECRET}@host/db",
        f"postgresql://me:{SECRET}/?@host/db",
        f"postgresql://host/db?user=me&password={SECRET}",
        f"postgresql://host/db?sslpassword={SECRET}&connect_timeout=3",
        f"mysql://:{SECRET}@host/db",
        f"nonsense://me:{SECRET}@host",
    ],
)
def test_no_password_is_ever_shown(tmp_path, url):
    assert SECRET not in masked(url)
    assert "***" in masked(url)
    assert SECRET not in " ".join(masked_arguments(["tune", "--storage", url, f"--storage={url}"]))
    with pytest.raises(StudyError) as caught:
        open_storage(url + ("&" if "?" in url else "?") + "connect_timeout=1", tmp_path / "journal.log")
    assert SECRET not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@given(st.text("abc:/@?&=%#", min_size=1, max_size=12).filter(lambda text: "***" not in text))
def test_whatever_is_between_user_and_host_is_hidden(password):
    shown = masked(f"postgresql://me:X{password}X@host/db")
    assert shown == "postgresql://me:***@" + ("***" if "?" in password else "host/db")


def test_what_has_no_password_stays_as_it_is():
    for text in ("journal.log", "sqlite:///study.db", "postgresql://me@host/db?connect_timeout=3"):
        assert masked(text) == text


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("redis://host", "unknown storage 'redis://host': expected a file"),
        ("sqlite://", "unknown storage"),
        ("study.db", "looks like SQLite: write sqlite:///study.db"),
        (".", "is a folder: name a file in it"),
        ("postgresql://me@127.0.0.1:1/none?connect_timeout=1", "cannot be opened"),
        ("toy.yaml/journal.log", "cannot be written"),
        ("toy.yaml", "not a journal of Optuna"),
    ],
)
def test_what_cannot_be_opened_gets_one_line(place, monkeypatch, url, message):
    monkeypatch.chdir(place.folder)
    with pytest.raises(StudyError, match=message) as caught:
        open_storage(url, place.folder / "journal.log")
    assert len(str(caught.value).splitlines()) == 1


def test_line_that_a_killed_worker_left_half_written_is_cut_off(tmp_path):
    file = tmp_path / "journal.log"
    study = optuna.create_study(storage=open_storage(None, file).storage, study_name="torn")
    study.add_trial(optuna.trial.create_trial(value=1.0))
    whole = file.read_bytes()
    with file.open("ab") as journal:
        journal.write(b'{"op_code":4,"study_id":0,"da')
    reopened = optuna.load_study(storage=open_storage(None, file).storage, study_name="torn")
    assert len(reopened.trials) == 1
    reopened.add_trial(optuna.trial.create_trial(value=2.0))
    study.add_trial(optuna.trial.create_trial(value=3.0))  # by somebody who had the file open all the while
    assert file.read_bytes().startswith(whole)
    for line in file.read_text().splitlines():
        json.loads(line)
    assert [trial.value for trial in study.trials] == [1.0, 2.0, 3.0]


def test_study_of_something_else_is_refused_and_says_what_differs(place):
    place.study()
    for change, key in {
        "steps=400": "tasks.n4.steps is 300 there and 400 here",
        "suite=other": 'suite is "toy" there and "other" here',
        "algorithm.n_envs=8": "settings.algorithm.n_envs is 4 there and 8 here",
        "tune.seeds=3": "seeds is 2 there and 3 here",
        "tune.pruner=wilcoxon": 'reports is "aggregates" there and "runs" here',
        "tasks.n4.normalise.high=2": "tasks.n4.normalise.high is 1.0 there and 2.0 here",
        "tune.parameters=[algorithm.gae_lambda]": "learning_rate",
    }.items():
        with pytest.raises(StudyError, match="give another name with --study") as caught:
            place.study(change)
        assert key in str(caught.value)
    place.study("algorithm.gae_lambda=0.9", "tune.sampler=random", "tune.trials=7")  # none of which changes a score
    place.study("steps=400", name="another")


def test_study_that_others_made_is_refused(place):
    handle = open_storage(None, place.folder / "journal.log")
    optuna.create_study(storage=handle.storage, study_name="toy-rnd", direction="maximize").add_trial(
        optuna.trial.create_trial(value=1.0)
    )
    with pytest.raises(StudyError, match="was not made by harness tune"):
        place.study()


def _pipe(file):
    os.mkfifo(file)


THINGS = {
    "a device": lambda file: file.symlink_to("/dev/zero"),
    "a named pipe": _pipe,
    "a folder": lambda file: file.mkdir(),
    "leads nowhere": lambda file: file.symlink_to("nowhere/at/all"),
}


@pytest.mark.parametrize("url", [None, "journal.log", "sqlite:///journal.log"], ids=["default", "journal", "sqlite"])
@pytest.mark.parametrize(("what", "put"), THINGS.items(), ids=[what.replace(" ", "_") for what in THINGS])
def test_fault_m_what_is_no_regular_file_is_never_opened(tmp_path, monkeypatch, url, what, put):
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "journal.log")
    with pytest.raises(UserError, match=what) as caught:
        open_storage(url, tmp_path / "journal.log")
    assert "journal.log" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["journal.log.lock", "journal.log.owners"])
@pytest.mark.parametrize("put", [THINGS["a device"], _pipe, lambda file: file.write_text("") or file.chmod(0)])
def test_fault_m_what_lies_beside_a_journal_is_refused_or_used(tmp_path, name, put):
    put(tmp_path / name)
    try:
        handle = open_storage(None, tmp_path / "journal.log")
    except UserError as error:
        assert name in str(error)
    else:
        optuna.create_study(storage=handle.storage)


@pytest.mark.parametrize(
    "line", ["", "{", "[" * 100_000, "[]", "7", "null", '{"op_code": 99}', '{"op_code": {}}', '"\\ud800"', "1" * 5000]
)
def test_fault_m_foreign_lines_are_no_journal(tmp_path, line):
    (tmp_path / "journal.log").write_text(line + "\n")
    with pytest.raises(StudyError, match=r"journal\.log: not a journal of Optuna"):
        open_storage(None, tmp_path / "journal.log")
