"""The rules of the house that a machine can hold: who may import whom, who may print, what starts fast."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness

ROOT = Path(__file__).parents[1]
FOLDERS = sorted({file.parent for folder in ("harness", "plugins") for file in (ROOT / folder).rglob("*.py")})
every_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))


def test_import_contracts() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_plugin_is_under_contract() -> None:
    contracts = (ROOT / "pyproject.toml").read_text().partition("[tool.importlinter]")[2]
    for folder in (ROOT / "plugins").iterdir():
        if (folder / "__init__.py").exists():
            assert contracts.count(f'"{folder.name}"') == 3, f"{folder.name} is missing from a contract in pyproject.toml"


def public_modules() -> dict[str, str]:
    """The modules that plugins may import, and what the documentation says of each: the one list of them."""
    text = (ROOT / "docs" / "extending" / "README.md").read_text().partition("## What a plugin may import")[2]
    return dict(re.findall(r"^\| `(harness[\w.]*)` \| (.+) \|$", text, re.MULTILINE))


def imported_modules(file: Path) -> set[str]:
    """Modules of the harness that a file imports, names and submodules alike."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        found |= {name for name in names if name.partition(".")[0] == "harness"}
    return found


@pytest.mark.parametrize(
    "folder", [*(ROOT / "plugins").glob("harness_*"), *(ROOT / "examples").glob("*")], ids=lambda it: it.name
)
def test_plugins_import_public_modules_alone(folder: Path) -> None:
    for file in folder.rglob("*.py"):
        hidden = imported_modules(file) - public_modules().keys()
        assert not hidden, f"{file.relative_to(ROOT)} imports {hidden}; docs/extending/README.md lists what plugins may import"


def test_every_public_module_exists_and_is_documented() -> None:
    assert len(public_modules()) > 30
    for module, meaning in public_modules().items():
        assert importlib.import_module(module).__doc__, module
        assert len(meaning.split()) >= 3, f"{module} is not documented in docs/extending/README.md"


def nodes(folder: Path) -> Iterator[tuple[Path, ast.AST]]:
    """Everything that is written in the files of a folder."""
    for file in folder.glob("*.py"):
        yield from ((file, node) for node in ast.walk(ast.parse(file.read_text())))


@every_folder
def test_nothing_below_the_command_line_prints_or_unpickles(folder: Path) -> None:
    below = not {"cli", "display"} & set(folder.relative_to(ROOT).parts)
    forbidden = {"eval", "exec"} | ({"print"} if below else set())
    for file, node in nodes(folder):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in forbidden, f"{file}:{node.lineno} calls {node.func.id}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            assert not names & {"pickle", "cloudpickle", "dill", "joblib", "shelve"}, f"{file}:{node.lineno}"


def comments(file: Path) -> dict[int, str]:
    """Comments of a file by line."""
    with tokenize.open(file) as text:
        return {
            token.start[0]: token.string for token in tokenize.generate_tokens(text.readline) if token.type == tokenize.COMMENT
        }


@every_folder
def test_whatever_the_type_checker_is_not_to_see_is_named_and_explained(folder: Path) -> None:
    for file, found in ((file, comments(file)) for file in folder.glob("*.py")):
        for line, comment in found.items():
            where = f"{file.relative_to(ROOT)}:{line}"
            if re.search(r"(type|pyright): *ignore", comment):
                explained = re.fullmatch(r"# type: ignore\[[a-z, -]+\]  # \S.{9,}", comment)
                assert explained, f"{where} must read '# type: ignore[rule]  # why', not {comment!r}"
            elif "pyright:" in comment:
                assert len(found.get(line - 1, "").split()) > 3, f"{where} must stand under a comment that says why"


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["list", "methods"], ["show", "rnd"]])
def test_commands_that_train_nothing_do_not_import_torch(arguments: list[str]) -> None:
    code = f"import sys; sys.argv = ['harness', *{arguments!r}]\nfrom harness.cli import main\n"
    code += "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code, stop.code\n"
    code += "heavy = {'torch', 'stable_baselines3', 'matplotlib', 'polars', 'scipy', 'optuna', 'pandas'} & set(sys.modules)\n"
    code += "assert not heavy, heavy"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_the_public_names_exist() -> None:
    for name in harness.__all__:
        assert getattr(harness, name) is not None
    assert set(harness._LAZY) <= set(harness.__all__)
