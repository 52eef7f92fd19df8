"""``new-plugin`` writes a plugin that works, or nothing at all."""

from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest

from harness.scaffold import KINDS, NewPlugin

MODULES = {"method": "reward", "environment": "environment", "algorithm": "learner"}


def files(kind: str) -> set[str]:
    package = {
        f"harness_my_bonus/{name}" for name in ("__init__.py", "config.py", "plugin.py", "py.typed", f"{MODULES[kind]}.py")
    }
    return {".gitignore", "README.md", "pyproject.toml", "suites/my_bonus.yaml", "tests/test_my_bonus.py"} | package


@pytest.mark.parametrize("kind", KINDS)
def test_everything_is_written_and_the_next_four_commands_are_named(workplace, harness, kind):
    code, output, errors = harness("new-plugin", "my_bonus", "--kind", kind)
    assert (code, errors) == (0, "")
    folder = workplace / "harness_my_bonus"
    assert {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()} == files(kind)
    assert output.startswith(f"harness_my_bonus: a plugin with the {kind} 'my_bonus'. Next:")
    assert [line.strip() for line in output.splitlines()[2:]] == [
        "python -m pip install -e 'harness_my_bonus[dev]'",
        "harness check my_bonus",
        "python -m pytest harness_my_bonus",
        "harness run harness_my_bonus/suites/my_bonus.yaml --profile smoke",
    ]
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    assert project["project"]["entry-points"]["harness"] == {"my_bonus": "harness_my_bonus.plugin"}
    assert any(each.startswith("pytest") for each in project["project"]["optional-dependencies"]["dev"])
    readme = (folder / "README.md").read_text()
    for command in ("pip install -e '.[dev]'", "-m pytest", "harness run suites/my_bonus.yaml"):
        assert command in readme
    assert "@article{my_bonus," in readme


def test_into_an_empty_folder_with_a_space_in_its_name(workplace, harness):
    (workplace / "my plugin").mkdir()
    code, output, _ = harness("new-plugin", "my_bonus", "--dir", "my plugin")
    assert code == 0
    assert "pip install -e 'my plugin[dev]'" in output
    assert (workplace / "my plugin" / "harness_my_bonus").is_dir()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["b", "my_bonus", "a_name_as_long_as_anyone_would_ever_want"])
def test_what_is_written_is_formatted_and_clean(tmp_path, monkeypatch, harness, name, kind):
    monkeypatch.chdir(tmp_path)
    assert harness("new-plugin", name, "--dir", "new", "--kind", kind)[0] == 0
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", "."], cwd=tmp_path / "new", capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout.decode()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("My-Bonus", "'My-Bonus' cannot name a plugin"),
        ("MyBonus", "such as 'my_bonus'"),
        ("2fast", "such as 'fast'"),
        ("a__b", "such as 'a_b'"),
        ("../escape", "such as 'escape'"),
        ("ü", "such as 'my_bonus'"),
        ("a" * 41, "up to 40"),
        ("class", "try 'class_bonus'"),
        ("none", "try 'none_bonus'"),
        ("rnd", "there is a method 'rnd' already, provided by plugin 'rnd' (exploration-harness"),
        ("atari", "a plugin of this name is installed already: 'atari' (exploration-harness)"),
    ],
)
def test_names_that_cannot_be_used(workplace, harness, name, message):
    code, output, errors = harness("new-plugin", name, "--dir", "new")
    assert (code, output) == (2, "")
    (line,) = errors.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert [path.name for path in workplace.iterdir()] == ["small.yaml"]


def test_a_name_whose_package_is_taken(workplace, harness, monkeypatch):
    (workplace / "harness_taken").mkdir()
    (workplace / "harness_taken" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(workplace))
    code, _, errors = harness("new-plugin", "taken", "--dir", "new")
    assert code == 2
    assert "a package 'harness_taken' is installed already" in errors
    assert not (workplace / "new").exists()


def test_a_folder_that_holds_something_is_left_alone(workplace, harness):
    code, _, errors = harness("new-plugin", "my_bonus", "--dir", ".")
    assert code == 2
    assert "is there already and not empty" in errors
    code, _, errors = harness("new-plugin", "my_bonus", "--dir", "small.yaml")
    assert code == 2
    code, _, errors = harness("new-plugin", "my_bonus", "--dir", "small.yaml/new")
    assert code == 2
    assert "small.yaml/new: cannot be written" in errors
    assert [path.name for path in workplace.iterdir()] == ["small.yaml"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("deep_sea", "there is an environment 'deep_sea' already, provided by plugin 'deep_sea' (exploration-harness"),
        ("class", "try 'class_world'"),
        ("ü", "such as 'my_world'"),
        ("rnd", "a plugin of this name is installed already"),
    ],
)
def test_names_that_no_environment_can_have(workplace, harness, name, message):
    code, _, errors = harness("new-plugin", name, "--kind", "environment", "--dir", "new")
    assert code == 2 and message in errors
    assert not (workplace / "new").exists()


def test_an_unknown_kind_is_refused_with_those_that_there_are(workplace, harness):
    code, _, errors = harness("new-plugin", "mine", "--kind", "enviroment")
    assert code == 2
    assert "unknown kind of plugin 'enviroment': did you mean 'environment'? (known: algorithm, environment, method)" in errors


def test_every_template_is_used():
    from importlib import resources

    folder = resources.files("harness.scaffold")
    used = {template for kind in KINDS.values() for template in kind.templates.values()}
    assert used == {file.name for file in folder.iterdir() if file.name.endswith(".j2")}
    for kind in KINDS.values():
        assert NewPlugin("my_bonus", kind).files.keys() == files(kind.name)
