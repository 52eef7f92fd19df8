"""YAML as plain data that knows where it was written."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.errors import SuiteError
from harness.suites.locations import Node, SourceLocation, dotted
from harness.suites.yaml import MAX_DEPTH, parse_yaml, read_yaml

FILE = Path("suite.yaml")


def plain(text: str):
    return parse_yaml(text, FILE).to_data()


def refusal(text: str) -> str:
    with pytest.raises(SuiteError) as caught:
        parse_yaml(text, FILE)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e6", 1e6),
        ("32_000_000", 32_000_000),
        ("1.5e-4", 1.5e-4),
        ("-3", -3),
        ("+.5", 0.5),
        ("7.", 7.0),
        ("007", 7),
        ("0x1F", 31),
        ("0o17", 15),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("yes", "yes"),
        ("on", "on"),
        ("0-4", "0-4"),
        ("1__0", "1__0"),
        (".inf", ".inf"),
        ("2024-01-31", "2024-01-31"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("! 5", 5),
        ("|\n  5\n", "5\n"),
    ],
)
def test_scalars_are_those_of_people(text, value):
    found = plain(text)
    assert found == value
    assert type(found) is type(value)


@given(st.integers(-(10**18), 10**18))
def test_integers_survive(number):
    assert plain(f"a: {number}") == {"a": number}
    assert plain(f"a: {number:_}") == {"a": number}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_reals_survive(number):
    found = plain(f"[{number!r}]")[0]
    assert found == number
    assert isinstance(found, float)


def test_every_key_and_value_knows_its_line_and_path():
    tree = parse_yaml("a:\n  b: 1\n  c:\n    - x\n    - {d: 2}\ne: 3\n", FILE)
    places = {
        ("a",): 1,
        ("a", "b"): 2,
        ("a", "c"): 3,
        ("a", "c", 0): 4,
        ("a", "c", 1, "d"): 5,
        ("e",): 6,
    }
    for path, line in places.items():
        node, rest = tree.find(path)
        assert (node.location, rest) == (SourceLocation(FILE, line, path), ())


def test_find_stops_at_the_nearest_node_above():
    tree = parse_yaml("a:\n  b: 1\n", FILE)
    node, rest = tree.find(("a", "x", "y"))
    assert (node.location.line, rest) == (1, ("x", "y"))


def test_an_alias_stands_for_its_anchor_and_keeps_lines():
    tree = parse_yaml("a: &shared\n  x: 1\nb: *shared\n", FILE)
    assert tree.to_data() == {"a": {"x": 1}, "b": {"x": 1}}
    assert tree.child("b").location.line == 3
    assert tree.child("b").child("x").location.line == 2


def test_keys_stay_text():
    assert plain("{5: a, true: b, null: c, 1e6: d}") == {"5": "a", "true": "b", "null": "c", "1e6": "d"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: 1\nb: [1, 2\n",
            "suite.yaml:3: not YAML: expected ',' or ']', but got '<stream end>', "
            "while parsing a flow sequence that begins in line 2",
        ),
        ("a: 1\nb: c: d\n", "suite.yaml:2: not YAML: mapping values are not allowed here"),
        ("a: 1\n\tb: 2\n", "suite.yaml:2: not YAML: found character '\\t' that cannot start any token; indent with spaces"),
        ("a: 1\nb: \x07\n", "suite.yaml:2: not YAML: character 7 is not allowed"),
        ('a: "\\UFFFFFFFF"', "suite.yaml:1: not YAML: "),
        ('\na: "\\ud800"', "suite.yaml:2: half a surrogate pair"),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "suite.yaml:4: b.c: key 'c' is given twice; first in line 3"),
        ("a: !!python/object/apply:os.system [ls]", "suite.yaml:1: tag 'tag:yaml.org,2002:python/object/apply:os.system'"),
        ("a: !!str 5", "tag 'tag:yaml.org,2002:str' is not allowed: values are plain YAML"),
        ("? [a]\n: 1", "suite.yaml:1: a key must be plain text"),
        ("a: 1\n---\nb: 1", "suite.yaml:2: a second document ('---') begins here"),
        ("a: *b", "suite.yaml:1: alias *b comes before its anchor &b is complete"),
        ("a: &a [*a]", "suite.yaml:1: alias *a comes before its anchor &a is complete"),
        ("a: 1e999", "suite.yaml:1: number 1e999 is too large"),
        ("a: " + "9" * 5000, "suite.yaml:1: a number of more than 300 digits"),
        ("[" * 500, "suite.yaml:1: nested more than 32 deep"),
    ],
)
def test_what_a_suite_never_needs_is_refused_where_it_stands(text, message):
    found = refusal(text)
    assert message in found
    assert "\n" not in found


def test_fault_merge_keys_bring_what_a_mapping_does_not_say_itself():
    text = "a: &a {x: 1, y: {z: 2}}\nb: &b {x: 3, w: 4}\nc:\n  x: 5\n  <<: *a\n"
    text += "d: {<<: [*a, *b], w: 6}\ne: {<<: {x: 7}}\nf: {'<<': 8}\n"
    found = parse_yaml(text, "suite.yaml").to_data()
    assert found["c"] == {"x": 5, "y": {"z": 2}}
    assert found["d"] == {"x": 1, "y": {"z": 2}, "w": 6}
    assert found["e"] == {"x": 7}
    assert found["f"] == {"<<": 8}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: {<<: 1}", "suite.yaml:1: '<<' takes a mapping, such as *defaults, or a list of mappings"),
        ("a: &a [1]\nb:\n  <<: [*a, {x: 1}]", "suite.yaml:3: '<<' takes a mapping"),
        ("a:\n  <<: {x: 1}\n  <<: {y: 1}", "suite.yaml:3: a.<<: key '<<' is given twice; first in line 2"),
        ("a: &a {<<: *a}", "alias *a comes before its anchor &a is complete"),
        ("a: *b", "alias *b comes before"),
    ],
)
def test_what_cannot_be_merged_is_refused_where_it_stands(text, message):
    with pytest.raises(SuiteError, match=re.escape(message)):
        parse_yaml(text, "suite.yaml")


def test_merged_mappings_cannot_multiply_without_end():
    text = "a0: &a0 {x: {y: 1, z: 2}}\n" + "".join(
        f"a{i}: &a{i} {{<<: *a{i - 1}, k{i}: [{', '.join([f'*a{i - 1}'] * 8)}]}}\n" for i in range(1, 12)
    )
    with pytest.raises(SuiteError, match="more than 10,000 values"):
        parse_yaml(text, "bomb.yaml")


def test_aliases_cannot_multiply_without_end():
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    assert refusal("\n".join(rows)).startswith("suite.yaml:4: more than 10,000 values")


def test_aliases_cannot_nest_without_end():
    rows = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 100)]
    assert f"nested more than {MAX_DEPTH} deep" in refusal("\n".join(rows))


def test_options_have_no_lines_and_their_own_path():
    tree = parse_yaml("{b: [1]}", "--set a={b: [1]}", root=("a",))
    assert tree.find(("b", 0))[0].location == SourceLocation("--set a={b: [1]}", None, ("a", "b", 0))
    with pytest.raises(SuiteError, match=r"^--set a=\[: not YAML"):
        parse_yaml("[", "--set a=[", root=("a",))


def test_a_file_is_read_with_or_without_a_byte_order_mark(tmp_path):
    for start in (b"", b"\xef\xbb\xbf"):
        (tmp_path / "a.yaml").write_bytes(start + "k: é\r\n".encode())
        assert read_yaml(tmp_path / "a.yaml").to_data() == {"k": "é"}


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "bad.yaml").write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(SuiteError, match=r"bad\.yaml:2: is not UTF-8 text \(byte 0xff\)"):
        read_yaml(tmp_path / "bad.yaml")
    with pytest.raises(SuiteError, match="is a directory, not a suite file"):
        read_yaml(tmp_path)
    with pytest.raises(SuiteError, match="cannot be read: File name too long"):
        read_yaml(tmp_path / ("x" * 300))
    with pytest.raises(SuiteError, match=r"cannot be read: .*null"):
        read_yaml(Path("a\0b"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(tmp_path):
    (tmp_path / "a.yaml").touch(mode=0)
    with pytest.raises(SuiteError, match="cannot be read: Permission denied"):
        read_yaml(tmp_path / "a.yaml")


def test_a_missing_file_names_its_neighbours(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "quick.yaml").touch()
    (tmp_path / "mine.yml").touch()
    for given_path, near in (("quik.yaml", "suites/quick.yaml"), ("quick", "suites/quick.yaml"), ("mini.yaml", "mine.yml")):
        with pytest.raises(SuiteError, match=rf"no such file: did you mean {near}\?"):
            read_yaml(Path(given_path))
    with pytest.raises(SuiteError, match=r"^zzz: no such file$"):
        read_yaml(Path("zzz"))


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(-1e9, 1e9)
    | st.text("abc xyz_.-:#'\"é\n", max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc_.-", min_size=1, max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_plain_data_come_back_from_a_tree_of_them(data):
    assert Node.of(data).to_data() == data


@settings(deadline=None)
@given(PLAIN, st.sampled_from([None, 2]), st.booleans())
def test_json_means_the_same(data, indent, ascii_only):
    assert plain(json.dumps(data, indent=indent, ensure_ascii=ascii_only)) == data


PIECES = ["a", "b: ", "- ", "\n", "  ", "[", "]", "{", "}", ",", ": ", "&x ", "*x", "!", "!!", "!<", "|", ">", "'", '"']
PIECES += [
    "\\",
    "%YAML 1.2",
    "---",
    "...",
    "#",
    "? ",
    "1e6",
    "~",
    "\t",
    "\\UFFFFFFFF",
    "\\x",
    "\x07",
    "é",
    "<<: ",
    "%",
    "@",
    "\r",
]


@settings(deadline=None)
@example("*\U00018d09")  # an alias whose name cannot be printed
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join) | st.text(max_size=30))
def test_junk_is_a_tree_or_one_clear_line(text):
    try:
        plain(text)
    except SuiteError as error:
        assert str(error).startswith("suite.yaml:")
        assert str(error).isprintable()


def test_paths_are_printable():
    assert dotted(("tasks", "a\nb", 0)) == "tasks.'a\\nb'.0"
