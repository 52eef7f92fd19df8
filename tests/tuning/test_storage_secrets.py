"""A password in a storage is shown nowhere, wherever in it somebody has written it (fault q)."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from harness.cli import main
from harness.config.secrets import masked, masked_arguments
from harness.errors import StudyError
from harness.tuning.record import read_study_record
from harness.tuning.storage import open_storage
from harness.tuning.storage_url import parse_storage, without_secrets

SECRET = "S3CRETword"

WRONG = [
    "me:{}@host/db",
    "{}@host/db",
    " me:{}@host/db ",
    "host/db?password={}",
    "host:5432/db?password={}",
    "dbname=db user=me password={}",
    "password={}",
    "postgresql:/me:{}@host/db",
    "postgresql:me:{}@host/db",
    "postgresql//me:{}@host/db",
    "://me:{}@host/db",
    "redis://me:{}@host/db",
    "REDIS://me:{}@host?PASSWORD={}",
    "journal://me:{}@host/db",
    "journal:///tmp/x?password={}",
    "sqlite://me:{}@/db",
    "sqlite://me:{}@host/db",
    "sqlite:///me:{}@host/db",
    "sqlite:///me%3A{}%40host/db",
    "sqlite:///study.db?password={}",
    "sqlite:///study.db?PassWord={}",
    "sqlite:///study.db?p%61ssword={}",
    "sqlite:///study.db?key={}",
    "sqlite:///study.db?{}",
    "sqlite+pysqlcipher://:{}@/study.db",
    "SQLITE:///study.db?password={}",
    "postgresql://me:a@{}@host/db",
    "postgresql://me:a/{}@host/db",
    "postgresql://me:a?{}@host/db",
    "postgresql://me:a#{}@host/db",
    "postgresql://me:a@b/{}@host/db",
    "postgresql://me:a@b/c?{}@host/db",
    "postgresql://me:{}",
    "postgresql://host:5/db?password=a@{}",
    "postgresql://me:{}@host:port/db",
    "postgresql://me:{}@a:1,b:2/db",
    "postgresql://me:{}@[::1/db",
    "postgresql+nothing://me:{}@host/db",
    "mysql://me:{}@host/db",
    "mysql+pymysql://me@host/db?passwd={}",
    "postgresql://me:{}@nowhere.invalid/db?connect_timeout=1",
    "POSTGRESQL://me:{}@127.0.0.1:1/db?connect_timeout=1",
    "postgresql://127.0.0.1:1/db?connect_timeout=1&options=-c%20password={}",
    "postgresql://127.0.0.1:1/db?connect_timeout=1&options=-c password={}",
    "postgresql://127.0.0.1:1/db?connect_timeout=1&sslpassword={}",
    "postgresql://127.0.0.1:1/db?connect_timeout=1&PWD={}",
    "postgresql://127.0.0.1:1/db?connect_timeout=1&p%61ssword={}",
    "postgresql://127.0.0.1:1/db?connect_timeout=1&access_key={}",
    "postgresql://127.0.0.1:1/db?connect_timeout={}",
    "postgresql://127.0.0.1:1/db?connect_timeout=1&{}=1",
    "postgresql://127.0.0.1:1/db?connect_timeout=1&sslmode={}",
    "postgresql://me:x{{{}}}x@127.0.0.1:1/db?connect_timeout=1",
    "postgresql://me:%7B{}%7D@127.0.0.1:1/db?connect_timeout=1",
    "postgresql://me@127.0.0.1:1/db?connect_timeout=1&password=%7B{}%7D",
]
HARMLESS_NAMES = {"postgresql://127.0.0.1:1/db?connect_timeout={}", "postgresql://127.0.0.1:1/db?connect_timeout=1&sslmode={}"}
"""Values of parameters that never hold a secret; somebody may call a mode so."""


def everything_below(folder: Path) -> str:
    files = sorted(folder.rglob("*"))
    return "\n".join([*map(str, files), *(file.read_bytes().decode("latin-1") for file in files if file.is_file())])


@pytest.mark.parametrize("template", WRONG)
def test_fault_q_what_cannot_be_opened_is_refused_without_its_password(place, monkeypatch, capsys, template):
    monkeypatch.chdir(place.folder)
    storage = template.format(*[SECRET] * template.count("{}"))
    monkeypatch.setattr(sys, "argv", ["harness", "tune", "toy.yaml", "-m", "rnd", "--storage", storage])
    before = sorted(place.folder.rglob("*"))
    assert main(["tune", "toy.yaml", "-m", "rnd", "--trials", "1", "--storage", storage]) == 2
    said = "".join(capsys.readouterr())
    if template not in HARMLESS_NAMES:
        assert SECRET not in said + os.environ.get("HARNESS_COMMAND", "") + everything_below(place.folder)
        assert SECRET not in masked(storage)
    assert len(said.strip().splitlines()) == 1
    assert [file for file in sorted(place.folder.rglob("*")) if file not in before and file.suffix != ".db"] == []


def test_fault_q_environment_variable_is_read_as_the_option_is(place, monkeypatch, capsys):
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("HARNESS_STORAGE", f"me:{SECRET}@host/db")
    assert main(["tune", "toy.yaml", "-m", "rnd", "--trials", "1"]) == 2
    said = "".join(capsys.readouterr())
    assert SECRET not in said
    assert "has no scheme such as postgresql:// and holds ':'" in said


def test_fault_q_files_of_any_name_can_still_be_meant(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for text, file in {
        "journal.log": "journal.log",
        "deep/er/journal.log": "deep/er/journal.log",
        "journal://lr=0.1/journal.log": "lr=0.1/journal.log",
        f"journal://{tmp_path}/at@home#1.log": f"{tmp_path}/at@home#1.log",
        "sqlite:///study{1}.db": "study{1}.db",
        "sqlite+pysqlite:///other.db?timeout=3": "other.db",
        "SQLite:///third.db": "third.db",
    }.items():
        handle = open_storage(text, tmp_path / "unused.log")
        handle.storage.create_new_study([], file)
        handle.close()
        assert Path(file).exists(), text
    assert not (tmp_path / "unused.log").exists()


def test_fault_q_record_of_a_study_of_before_is_shown_without_its_password(place):
    study = place.study()
    place.tune(study, 1)
    from harness.tuning.record import write_study_record

    folder = place.results / "toy" / "tuning" / "toy-rnd"
    write_study_record(study, folder)
    content = json.loads((folder / "study.json").read_text())
    content["storage"] = f"sqlite:///study.db?password={SECRET}"
    (folder / "study.json").write_text(json.dumps(content))
    assert read_study_record(folder / "study.json").storage == "sqlite:///study.db?password=***"


secrets = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="*"), min_size=5, max_size=20).filter(
    lambda text: text.strip() == text and not set(text) <= set("passwordhtmexyzdb/:?=&@.%#+ ")
)


@given(secrets, st.sampled_from([template for template in WRONG if template not in HARMLESS_NAMES]))
def test_fault_q_no_secret_is_shown_whatever_it_is(secret, template):
    for spelling in {secret, quote(secret, safe=""), quote_plus(secret)}:
        storage = template.replace("{}", spelling).replace("{{", "{").replace("}}", "}")
        shown = masked(storage)
        assert secret not in shown
        assert secret not in " ".join(masked_arguments(["tune", "--storage", storage, f"--storage={storage}"]))
        if "://" in storage:
            assert secret not in " ".join(masked_arguments(["tune", storage]))
        try:
            parsed = parse_storage(storage)
        except StudyError as error:
            assert secret not in str(error)
            continue
        assert parsed.kind == "server" or secret not in str(parsed.file)


@given(secrets, st.text(max_size=10), st.text(max_size=10))
def test_fault_q_no_part_of_a_secret_is_quoted_from_a_driver(secret, before, after):
    for url in (
        make_url("postgresql://host/db").set(username="me", password=secret),
        make_url("postgresql://host/db").update_query_dict({"options": f"-c password={secret}"}),
    ):
        for quoted in (secret, quote(secret, safe=""), secret[1:], secret[:-1], repr(secret)):
            found = without_secrets(f"{before}{quoted}{after}", url)
            assert secret not in found
            assert secret[1:] not in found
            assert secret[:-1] not in found


@given(st.text(max_size=60))
def test_fault_q_any_text_can_be_masked_and_parsed(text):
    assert masked(masked(text)) == masked(text) or "***" in masked(text)
    try:
        parse_storage(text)
    except StudyError as error:
        assert len(str(error)) < 500
