"""The published numbers: the files as they are shipped, and files that people write themselves."""

from __future__ import annotations

import csv
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report.synthetic import make_spec

from harness.analysis.published import METRICS, PublishedNumber, packaged_files, read_published
from harness.errors import PluginError, ResultsError
from harness.planning.load import load
from harness.registry import installed
from harness.spec import AlgorithmSpec, EnvironmentSpec

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "results" / "published"
ROW = {
    "environment": "Pitfall",
    "method": "RND",
    "metric": "final_return",
    "value": "-3",
    "source": "Table 1",
    "confidence": "paper",
}
MAPPED = ROW | {"family": "atari", "settings": "game=pitfall;sticky=0.25", "algorithm": "ppo", "reward": "rnd"}


def write(file, *rows):
    with file.open("w", newline="") as text:
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return file


@pytest.fixture(scope="module")
def numbers():
    return read_published(packaged_files())


@pytest.fixture(scope="module")
def clean():
    spec = spec_from_file_location("clean", FOLDER / "clean.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- what is shipped --------------------------------------------------------------------------------------------------
def test_shipped_numbers_are_those_that_the_readme_counts(numbers):
    readme = (FOLDER / "README.md").read_text()
    for file in packaged_files():
        assert f"| `{file.name}` | {len(read_published([file]))} |" in readme
    assert len(numbers) == 513
    for metric in METRICS:
        assert f"| `{metric}` |" in readme


def test_nothing_unverified_is_shipped():
    content = "".join(file.read_text() for file in FOLDER.glob("*.csv"))
    for forbidden in ("second-hand", "memory", "wizwand", "recalled", "urlb", "Go-Explore blog"):
        assert forbidden not in content


@pytest.mark.parametrize(
    ("game", "reward", "metric", "value"),
    [
        ("montezuma_revenge", "rnd", "final_return", {8152, 7570, 10070, 7100, 6230}),
        ("montezuma_revenge", "snd_v", "clipped_training_reward", {10.59, 9.61}),
        ("gravitar", "snd_vic", "clipped_training_reward", {10.05}),
        ("gravitar", "snd_vic", "max_return", {6712}),
        ("private_eye", "none", "final_return", {105}),
    ],
)
def test_figures_of_the_literature(numbers, game, reward, metric, value):
    found = [n for n in numbers if n.settings.get("game") == game and n.reward == reward and n.metric == metric]
    assert {n.value for n in found} == value


def test_areas_under_clipped_reward_are_only_atari_and_of_the_snd_study(numbers):
    clipped = [number for number in numbers if METRICS[number.metric].clipped]
    assert {number.family for number in clipped} == {"atari"}
    assert all("Iskandor/SND" in number.source or "michalnand" in number.source for number in clipped)
    assert max(number.value for number in clipped) < 25  # rewards, not points
    of_tables = [n for n in numbers if "results_table.png" in n.source]
    assert {n.metric for n in of_tables if n.family == "atari"} == {"clipped_training_reward"}
    assert {n.metric for n in of_tables if n.family == "procgen"} == {"training_return"}


def test_nothing_of_ours_stands_beside_clipped_reward():
    assert all(metric.counterpart is None for metric in METRICS.values() if metric.clipped)


def test_names_are_those_of_installed_families(numbers):
    """A family that arrives later, or renames a setting, shows here."""
    known = installed()
    for number in {(n.family, tuple(n.settings.items())): n for n in numbers if n.family in known.environments}.values():
        try:
            config = known.config_class(known.environment(number.family))
        except PluginError:
            continue
        assert set(number.settings) <= set(config.model_fields), number
    for name in ("rnd", "snd_v", "snd_std", "snd_vic"):
        assert name in known.methods
        assert any(number.reward == name for number in numbers)


def test_constants_are_those_of_the_suites():
    with (FOLDER / "constants.csv").open() as text:
        constants = {row["environment"]: (float(row["low"]), float(row["high"])) for row in csv.DictReader(text)}
    assert len(constants) == 89
    for task, block in load(ROOT / "suites" / "atari_hard.yaml").suite.tasks.items():
        assert constants[f"atari/{task}"] == (block.normalise.low, block.normalise.high)


# --- how it was made --------------------------------------------------------------------------------------------------
COLLECTED = {
    "method": "RND", "environment": "PrivateEyeNoFrameskip-v4", "metric": "final mean raw return", "value": "7570",
    "spread": "1", "spread_kind": "std (population) over seeds", "seeds": "10", "frames": "1600000000",
    "source": "Burda et al. 2018 text", "verified": "yes (paper text)",
}  # fmt: skip


def test_cleaning_names_measures_and_drops(clean):
    area = "avg external reward per episode over all training (EMA k=0.1 of env 0)"
    rows = [
        COLLECTED,
        COLLECTED | {"metric": area},
        COLLECTED | {"metric": area, "environment": "procgen-climber-v0[exploration]"},
        COLLECTED
        | {"environment": "procgen/maze[hard-500-test]", "metric": "mean episode return, average over last 5% of log"},
        COLLECTED | {"verified": "NO - from memory, not checked"},
        COLLECTED | {"verified": "second-hand"},
        COLLECTED | {"method": "random", "environment": "atari/alien", "verified": "yes", "value": "1"},
        COLLECTED | {"method": "human", "environment": "atari/alien", "verified": "yes", "value": "2"},
    ]
    tables = clean.clean(rows)
    raw, clipped, procgen, held_out = tables.files["burda2018"]
    assert (raw["family"], raw["settings"], raw["algorithm"], raw["reward"]) == ("atari", "game=private_eye", "ppo", "rnd")
    assert (raw["metric"], raw["seeds"], raw["frames"], raw["steps"]) == ("final_return", "10", "1600000000", "400000000")
    assert (clipped["metric"], procgen["metric"]) == ("clipped_training_reward", "training_return")
    assert (held_out["metric"], held_out["steps"]) == ("held_out_return", "1600000000")
    assert held_out["settings"] == "game=maze;distribution_mode=hard;num_levels=500"
    assert tables.dropped == {"from memory": 1, "second-hand": 1}
    (constants,) = tables.files["constants"]
    assert (constants["low"], constants["high"]) == ("1", "2")


@pytest.mark.parametrize("column", ["method", "environment", "metric", "source"])
def test_cleaning_guesses_nothing(clean, column):
    with pytest.raises(clean.Unknown, match=column):
        clean.clean([COLLECTED | {column: "something 1 new"}])


# --- files of one's own -----------------------------------------------------------------------------------------------
def test_a_row_needs_little_and_says_what_is_wrong(tmp_path):
    (number,) = read_published([write(tmp_path / "own.csv", ROW)])
    assert (number.value, number.seeds, number.family) == (-3, None, "")
    for change, message in (
        ({"metric": "final_retrun"}, "own.csv:3: metric: unknown metric 'final_retrun': did you mean 'final_return'"),
        ({"value": "many"}, "own.csv:3: value: "),
        ({"value": "nan"}, "own.csv:3: value: "),
        ({"confidence": "sure"}, "own.csv:3: confidence: unknown confidence 'sure'"),
    ):
        with pytest.raises(ResultsError) as caught:
            read_published([write(tmp_path / "own.csv", ROW, ROW | change)])
        assert message in str(caught.value)
    for change, message in (
        ({"family": "atari"}, "family and settings are given together"),
        ({"family": "atari", "settings": "pitfall"}, "settings: expected 'key=value' pairs"),
        ({"spread": "1"}, "spread_kind must say"),
        ({"seeds": "0"}, "seeds: "),
        ({"sped": "1"}, "sped: "),
    ):
        with pytest.raises(ResultsError, match=message):
            read_published([write(tmp_path / "own.csv", ROW | change)])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "without the columns"),
        ("metric,value\nfinal_return,1\n", "without the columns confidence, environment, method, source"),
        ("{head}\nPitfall,RND\n", "another number of fields"),
        ("{head}\n{row},more\n", "another number of fields"),
        ("{head}\n", "no published numbers"),
        ('{head}\n"Pitfall\n', "cannot be read"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, content, message):
    (tmp_path / "own.csv").write_text(content.format(head=",".join(ROW), row=",".join(ROW.values())))
    with pytest.raises(ResultsError, match=message):
        read_published([tmp_path / "own.csv"])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ResultsError, match=r"absent\.csv: cannot be read"):
        read_published([tmp_path / "absent.csv"])


def test_a_folder_gives_its_tables_and_passes_over_others(tmp_path):
    write(tmp_path / "b.csv", ROW)
    write(tmp_path / "a.csv", ROW | {"value": "1"})
    write(tmp_path / "constants.csv", {"environment": "x", "low": "0"})
    assert [number.value for number in read_published([tmp_path])] == [1, -3]


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(tmp_path_factory, text):
    file = tmp_path_factory.mktemp("any") / "own.csv"
    file.write_bytes(f"{','.join(ROW)}\n{text}".encode(errors="surrogatepass"))
    try:
        assert all(isinstance(number, PublishedNumber) for number in read_published([file]))
    except ResultsError as error:
        assert str(error)


# --- matching ---------------------------------------------------------------------------------------------------------
def test_tasks_match_by_settings_and_methods_by_bonus_and_algorithm(tmp_path):
    (number,) = read_published([write(tmp_path / "own.csv", MAPPED)])

    def spec(method="rnd", family="atari", **config):
        return make_spec("whatever", method, 0, environment=EnvironmentSpec(family=family, config=config))

    pitfall = {"game": "pitfall", "sticky": 0.25, "size": 84}
    assert number.matches_task(spec(**pitfall))
    assert not number.matches_task(spec(**pitfall | {"sticky": 0.0}))
    assert not number.matches_task(spec(game="pitfall"))
    assert not number.matches_task(spec(family="other", **pitfall))
    assert number.matches_method(spec("rnd"))
    assert not number.matches_method(spec("ppo"))
    assert not number.matches_method(make_spec("x", "rnd", 0, algorithm=AlgorithmSpec(name="sac", config={})))
    assert number.model_copy(update={"reward": "none"}).matches_method(spec("ppo"))
    assert not number.model_copy(update={"reward": ""}).matches_method(spec("ppo"))
    assert not number.model_copy(update={"family": "", "settings": {}}).matches_task(spec(**pitfall))
    flag = number.model_copy(update={"settings": {"from_pixels": "true"}})
    assert flag.matches_task(spec(from_pixels=True))


# --- where they are found ---------------------------------------------------------------------------------------------
def test_where_none_came_along_a_file_can_be_named(tmp_path, monkeypatch):
    write(tmp_path / "own.csv", ROW)
    write(tmp_path / "constants.csv", {"environment": "x", "low": "0"})
    monkeypatch.setattr("harness.analysis.published.packaged_folder", lambda name: tmp_path if name == "published" else None)
    assert packaged_files() == [tmp_path / "own.csv"]
    (tmp_path / "own.csv").unlink()
    with pytest.raises(ResultsError, match="--published-from"):
        packaged_files()
