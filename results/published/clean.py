"""Makes the tables of this folder out of a table of collected numbers: ``python clean.py COLLECTED.csv [FOLDER]``.

The collected table has a row for each number as its source gives it, with the columns ``method, environment, metric, value,
spread, spread_kind, seeds, frames, source, verified``. Here the words become a controlled vocabulary, the names of methods and
environments are mapped to the harness's, and what nobody has verified is dropped. A row that no rule knows stops everything:
nothing is guessed.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

Row = Mapping[str, str]

COLUMNS = (
    "environment", "family", "settings", "method", "algorithm", "reward", "metric", "value", "spread", "spread_kind", "seeds",
    "frames", "steps", "source", "confidence", "remark",
)  # fmt: skip
CONSTANTS = ("environment", "low", "high", "source", "remark")


class Unknown(Exception):
    """A row that no rule covers."""


# --------------------------------------------------------------------------------------------------------------------
# What is kept, and where
# --------------------------------------------------------------------------------------------------------------------
FILES = {
    "Iskandor/SND": "snd",
    "michalnand/reinforcement_learning": "snd_logs",
    "Burda et al. 2018": "burda2018",
    "RLE-Foundation/RLeXplore": "rlexplore",
    "younggyoseo/RE3": "re3",
    "openai/train-procgen": "train_procgen",
    "vwxyzjn/cleanrl": "cleanrl",
}
"""File of a source, by a part of the source's name."""

CONFIDENCE = {
    "yes (paper text)": "paper",
    "yes (paper text); seeds: figure mapping, moderately sure": "paper",
    "yes (read from figure image)": "figure",
    "yes (README); protocol not stated": "readme",
    "yes": "documentation",
    "computed": "computed",
}


def reason_to_drop(row: Row) -> str:
    """Why a row is not kept; empty if it is."""
    if row["verified"].startswith("NO"):
        return "from memory"
    if row["verified"].startswith("second-hand"):
        return "second-hand"
    return ""


def is_constant(row: Row) -> bool:
    """Whether a row is one end of a normalised score rather than what a method achieved."""
    return row["metric"].startswith("normalisation constant") or row["environment"].startswith("atari/")


# --------------------------------------------------------------------------------------------------------------------
# Names
# --------------------------------------------------------------------------------------------------------------------
def environment(name: str) -> tuple[str, dict[str, str]]:
    """The harness's family and the settings that make it this environment; no family where it has none."""
    if game := re.fullmatch(r"(?:ALE )?([A-Za-z]+?)(?:NoFrameskip-v4|-v5 \(EnvPool\))?", name):
        return "atari", {"game": re.sub(r"(?<=[a-z])(?=[A-Z])", "_", game[1]).lower()}
    if game := re.fullmatch(r"procgen-([a-z]+)-v0\[exploration\]", name):
        return "procgen", {"game": game[1], "distribution_mode": "exploration"}
    if game := re.fullmatch(r"procgen/([a-z]+)\[(easy|hard)-(all|\d+)(?:-train|-test)?\]", name):
        levels = "0" if game[3] == "all" else game[3]
        return "procgen", {"game": game[1], "distribution_mode": game[2], "num_levels": levels}
    if task := re.fullmatch(r"dmc/([a-z_]+)", name):
        own_tasks = {"cheetah_run_sparse", "walker_run_sparse"}  # made by RE3's authors; dm_control has none of these names
        return ("", {}) if task[1] in own_tasks else ("dm_control", {"task": task[1], "from_pixels": "true"})
    raise Unknown(f"environment {name!r}")


REWARDS = {
    "PPO-baseline(SND paper)": "none",
    "RND(SND paper)": "rnd",
    "SND-V": "snd_v",
    "SND-STD": "snd_std",
    "SND-VIC": "snd_vic",
    "RND": "rnd",
    "PPO": "none",
    "PPO (IMPALA CNN)": "none",
    "RND (CleanRL ppo_rnd_envpool)": "rnd",
    "RND (RNN policy, 32 envs)": "rnd",
    "RND (RNN policy, 1024 envs)": "rnd",
    "Extrinsic (RLeXplore PPO)": "none",
    "Disagreement (RLeXplore PPO)": "disagreement",
    "E3B (RLeXplore PPO)": "e3b",
    "ICM (RLeXplore PPO)": "icm",
    "PseudoCounts (RLeXplore PPO)": "pseudo_counts",
    "RE3 (RLeXplore PPO)": "re3",
    "RIDE (RLeXplore PPO)": "ride",
    "RND (RLeXplore PPO)": "rnd",
    "PPO [RLAgents ppo_baseline]": "none",
    "RND [RLAgents ppo_rnd]": "rnd",
    "RND [RLAgents ppo_rnd_1]": "rnd",
}
"""The reward of a method, as a suite names it; ``none`` is no bonus."""

NOT_OURS = ("Dynamics (", "previous SOTA", "average human", "SND-VIC(RLAgents variant", "SND-V [RLAgents")
"""Beginnings of the names of methods that are none of the harness's, or variants of one with settings of their own."""

PUBLISHED_SND_V = {
    "gravitar/models/ppo_cnd_0_", "venture/models/ppo_cnd_0_", "private_eye/models/ppo_cnd_0_", "caveflyer/models/ppo_cnd_2_",
    "coinrun/models/ppo_cnd_1_", "jumper/models/ppo_cnd_1_", "climber/models/ppo_cnd_1_", "ppo_cnd_21_{0,1,2}",
    "montezuma_revenge/models/ppo_cnd_21_",
}  # fmt: skip
"""The experiments whose logs give the published SND-V numbers to two decimals; all others are variants of settings."""


def method(row: Row) -> tuple[str, str]:
    """Algorithm and reward of a row, both empty where the harness has no such method."""
    name = row["method"]
    if name in REWARDS:
        return "ppo", REWARDS[name]
    if base := re.fullmatch(r"RE3 \((\w+) base\)", name):
        return base[1].lower(), "re3"
    if name.startswith("SND-V [") and any(part in row["source"] for part in PUBLISHED_SND_V):
        return "ppo", "snd_v"
    if name.startswith(NOT_OURS):
        return "", ""
    raise Unknown(f"method {name!r}")


# --------------------------------------------------------------------------------------------------------------------
# Metrics
# --------------------------------------------------------------------------------------------------------------------
ON_ATARI_CLIPPED = {"training_return": "clipped_training_reward", "final_return": "final_clipped_reward"}
"""What a mean of the *training* reward is where that is max(0, sign r), as the SND study clips it on Atari."""

TRAINING_REWARD = {
    "avg cumulative external reward per episode over all training (Atari: per-step reward max(0,sign(r)); ProcGen: raw)": (
        "training_return",
        "",
    ),
    "avg external reward per episode over all training (EMA k=0.1 of env 0)": (
        "training_return",
        "all log lines, a moving average of environment 0",
    ),
    "final external reward per episode (last 100 log lines, EMA of env 0)": (
        "final_return",
        "last 100 log lines, a moving average of environment 0",
    ),
}
"""Metric and remark of rows that measure the reward that the learner sees."""

RECURRENT = "recurrent policy, sticky actions 0.25"
RAW = {
    "average over seeds of the maximum raw episode score during training": ("max_return", ""),
    "mean over seeds of max of EMA raw score": ("max_return", "of a moving average of environment 0"),
    "final raw score (last 100 log lines, EMA of env 0)": (
        "final_return",
        "last 100 log lines, a moving average of environment 0",
    ),
    "final mean raw episode return (RNN policy, sticky actions 0.25)": ("final_return", RECURRENT),
    "final mean raw return": ("final_return", ""),
    "episodic return at end of training": ("final_return", ""),
    "mean episode return, average over last 5% of log": ("final_return", "mean over the last 5 % of the log"),
    "episode reward at last logged point <= 500k environment steps": ("final_return", "last point logged up to 500,000 steps"),
    "best return of any run": ("best_return", ""),
    "best single run": ("best_return", ""),
    "raw score": ("raw_score", "as the RND paper quotes it"),
    "episode return": ("raw_score", "frames and seeds not stated"),
}
"""Metric and remark of rows that measure the environment's own reward."""


def metric(row: Row, family: str) -> tuple[str, str]:
    """Name in the vocabulary, and what the source says beyond it."""
    if row["metric"] in TRAINING_REWARD:
        name, remark = TRAINING_REWARD[row["metric"]]
        return (ON_ATARI_CLIPPED[name] if family == "atari" else name), remark
    if row["metric"] not in RAW:
        raise Unknown(f"metric {row['metric']!r}")
    name, remark = RAW[row["metric"]]
    return ("held_out_return" if row["environment"].endswith("-test]") else name), remark


# --------------------------------------------------------------------------------------------------------------------
# Rows
# --------------------------------------------------------------------------------------------------------------------
SPREADS = {
    "": "",
    "std (population) over seeds": "population standard deviation over seeds",
    "std (population) over runs": "population standard deviation over seeds",
}
FRAME_SKIP = 4  # of every Atari source here


def cleaned(row: Row) -> dict[str, str]:
    """A kept row in the columns of `COLUMNS`."""
    family, settings = environment(row["environment"])
    algorithm, reward = method(row)
    name, remark = metric(row, family)
    seeds = re.match(r"\d+", row["seeds"])
    frames = re.match(r"\d+", row["frames"])
    skip = {"atari": FRAME_SKIP, "procgen": 1}.get(family)  # elsewhere the action repeat differs by task and is not stated
    claimed = "n as claimed" if "claimed" in row["seeds"] else ""
    figure_seeds = "seeds by the figure's, moderately sure" if "moderately sure" in row["verified"] else ""
    more = [remark, claimed, *row["seeds"].split("; ")[1:], figure_seeds]
    return {
        "environment": row["environment"],
        "family": family,
        "settings": ";".join(f"{key}={value}" for key, value in settings.items()),
        "method": row["method"],
        "algorithm": algorithm,
        "reward": reward,
        "metric": name,
        "value": row["value"],
        "spread": row["spread"],
        "spread_kind": SPREADS[row["spread_kind"]],
        "seeds": seeds[0] if seeds else "",
        "frames": frames[0] if frames else "",
        "steps": str(int(frames[0]) // skip) if frames and skip else "",
        "source": row["source"],
        "confidence": CONFIDENCE[row["verified"]],
        "remark": "; ".join(part for part in more if part),
    }


def constants(rows: Iterable[Row]) -> list[dict[str, str]]:
    """One row for each environment with the scores that count as 0 and as 1."""
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        entry = found.setdefault(row["environment"], dict.fromkeys(CONSTANTS, "") | {"environment": row["environment"]})
        entry["low" if row["method"] in ("random", "R_min") else "high"] = row["value"]
        entry["source"] = row["source"]
        if "; " in row["verified"]:
            entry["remark"] = row["verified"].split("; ")[1]
    return list(found.values())


class Tables(NamedTuple):
    """Cleaned rows by file, and the numbers of dropped ones by reason."""

    files: dict[str, list[dict[str, str]]]
    dropped: Counter[str]


def clean(rows: Sequence[Row]) -> Tables:
    """Everything that is kept.

    Raises:
        Unknown: A row that no rule covers.
    """
    dropped = Counter(reason for row in rows if (reason := reason_to_drop(row)))
    kept = [row for row in rows if not reason_to_drop(row)]
    files: dict[str, list[dict[str, str]]] = {name: [] for name in FILES.values()}
    for row in kept:
        if not is_constant(row):
            part = next((part for part in FILES if part in row["source"]), None)
            if part is None:
                raise Unknown(f"source {row['source']!r}")
            files[FILES[part]].append(cleaned(row))
    return Tables(files | {"constants": constants(filter(is_constant, kept))}, dropped)


def main(collected: Path, folder: Path) -> None:
    """Write one CSV file for each source, and say how many rows were kept and dropped."""
    with collected.open(encoding="utf-8", newline="") as file:
        tables = clean(list(csv.DictReader(file)))
    for name, rows in tables.files.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, CONSTANTS if name == "constants" else COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        print(f"{name}.csv: {len(rows)} rows")
    for reason, count in tables.dropped.items():
        print(f"dropped, {reason}: {count}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent)
