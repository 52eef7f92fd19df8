"""The gallery: small reports as pages, on paper and as pictures, from runs that are kept beside this file.

python docs/gallery/make.py                 # writes the gallery anew; the same files to the byte with the same browser
python docs/gallery/make.py --out FOLDER    # writes it elsewhere
python docs/gallery/make.py --only merged   # writes one report of it

Needs Chromium for PDF files and pictures, and what `pip install -e '.[dev]'` brings.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pypdfium2
from PIL import Image

from harness.planning.load import load
from harness.report.build import build_report
from harness.report.folders import NamedFolder
from harness.report.printing import find_browser
from harness.report.selection import Selection
from harness.runs.files import csv_text
from harness.runs.folder import RunFolder, RunRecord, RunStatus
from harness.runs.plans import record_plan
from harness.spec import RunSpec

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RUNS = HERE / "runs"
EVIDENCE = ROOT / "results" / "published"

PICTURES = {"screen": (1120, False), "dark": (1120, True), "phone": (380, False)}
"""Width in pixels, and whether it is dark."""

_HEIGHT = 1500  # pixels of a picture
_COLOURS = 96  # of a picture
_PAPER_PAGES, _PAPER_SCALE = 3, 0.85  # pages of a picture, and pixels per point


@dataclass(frozen=True)
class Exhibit:
    """A report of the gallery.

    Attributes:
        prepare: Puts the results that it is about into the working directory.
        folders: Results, by name where methods of several are kept apart.
        options: Further arguments of `build_report`.
        pictures: Names of `PICTURES`, and ``paper``.
    """

    prepare: Callable[[], None]
    folders: tuple[Path | NamedFolder, ...]
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    pictures: tuple[str, ...] = ("screen", "paper")


# --------------------------------------------------------------------------------------------------------------------
# Results
# --------------------------------------------------------------------------------------------------------------------
def copy_runs() -> None:
    """The runs that are kept here, in two folders."""
    shutil.copytree(RUNS, ".", dirs_exist_ok=True)


def fail_some() -> None:
    """The runs of the first folder, of which some are failed, interrupted, gone, or cannot be read any more."""
    shutil.copytree(RUNS / "before", "results")
    found = {"/".join(file.parts[2:-1]): file.parent for file in sorted(Path("results").glob("quick/*/*/*/run.json"))}
    folders = {name.replace(f"-{name.split('-')[1][:8]}", "", 1): RunFolder(path) for name, path in found.items()}
    cut_short(folders["n13/ppo_rnd/seed-1"], "failed", 12_288, "ValueError: the loss is not finite at step 12,288")
    cut_short(folders["n13/ppo/seed-2"], "interrupted", 8_192)
    shutil.rmtree(folders["n10/ppo_rnd/seed-2"].path)
    damaged = folders["n10/ppo/seed-1"].record_file
    damaged.write_text(damaged.read_text()[:400])


def cut_short(folder: RunFolder, state: str, step: int, error: str | None = None) -> None:
    """Make a run one that came to a step and no further."""
    record = json.loads(folder.record_file.read_text())
    record["status"] |= {"state": state, "step": step, "error": error}
    folder.record_file.write_text(json.dumps(record, indent=2) + "\n")
    (folder.path / "visits.json").unlink()
    for file in (folder.evaluations_file, folder.progress_file):
        header, *rows = file.read_text().splitlines()
        at = header.split(",").index("step" if file is folder.evaluations_file else "time/total_timesteps")
        kept = [row for row in rows if float(row.split(",")[at]) <= step]
        file.write_text("\n".join([header, *kept]) + "\n")


def restore_quick() -> None:
    """The 75 runs of results/published/quick."""
    methods = ("ppo_rnd", "ppo_snd_std", "ppo_snd_v", "ppo_snd_vic")
    as_then = [(f"methods.{method}.combine.normaliser_start", "prior") for method in methods]
    restore("quick", "quick", "snd", day="2026-11-21", as_then=as_then)


def restore(evidence: str, suite: str, profile: str, day: str, as_then: Sequence[tuple[str, str]] = ()) -> None:
    """Runs of a folder of results/published, of which the last evaluation of each is known and nothing else.

    Args:
        evidence: Name of the folder.
        suite: Name of its suite.
        profile: The profile that it was run with.
        day: When it was run.
        as_then: Settings that were others at the time.
    """
    with (EVIDENCE / evidence / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    plan = load(ROOT / "suites" / f"{suite}.yaml", profile=profile, overrides=as_then)
    command = f"harness run suites/{suite}.yaml --profile {profile}"
    specs = {(spec.task, spec.method, spec.seed): spec for spec in plan.runs}
    for row in rows:
        spec = specs[row["task"], row["method"], int(row["seed"])]
        if spec.digest != row["digest"]:
            raise SystemExit(f"{spec.path}: the table has the digest {row['digest']}, so these are other settings")
        write_score(spec, float(row["score"]), int(row["episodes"]), command, f"{day}T12:00:00+00:00")
    record_plan(plan.runs, Path("results"))


def write_score(spec: RunSpec, score: float, episodes: int, command: str, day: str) -> None:
    """A finished run of which the mean return of its last evaluation is known."""
    folder = RunFolder.of(spec, Path("results"))
    folder.path.mkdir(parents=True)
    status = RunStatus(state="finished", step=spec.steps, steps=spec.steps, started=day, updated=day)
    provenance = {"command": command, "cpu": "AMD EPYC", "device": "cpu"}
    digests = {"digest": spec.digest, "method_digest": spec.method_digest}
    folder.write(RunRecord(spec=spec, **digests, provenance=provenance, status=status))
    rows = [(spec.steps, episode, score) for episode in range(episodes)]
    folder.evaluations_file.write_text(csv_text([("step", "episode", "return"), *rows]))


EXHIBITS: Mapping[str, Exhibit] = {
    "one-run": Exhibit(copy_runs, (Path("before/quick/n13/ppo_rnd-627eb27c/seed-0"),)),
    "merged": Exhibit(
        copy_runs,
        (NamedFolder("old", Path("before")), NamedFolder("new", Path("after"))),
        {"each_seed": True},
        ("screen", "dark", "phone", "paper"),
    ),
    "compared": Exhibit(
        copy_runs,
        (NamedFolder("old", Path("before")), NamedFolder("new", Path("after"))),
        {"compare": True, "selection": Selection(methods=("ppo_rnd",))},
    ),
    "half-failed": Exhibit(fail_some, (Path("results"),), {}, ("screen", "phone", "paper")),
    "quick-evidence": Exhibit(restore_quick, (Path("results"),), {"baseline": "ppo"}),
    "curiosity-evidence": Exhibit(
        partial(restore, "quick_curiosity", "quick", "curiosity", "2026-11-28"),
        (Path("results"),),
        {"baseline": "ppo"},
        ("paper",),
    ),
    "minigrid-evidence": Exhibit(
        partial(restore, "minigrid", "minigrid", "two_cores", "2026-11-28"),
        (Path("results"),),
        {"baseline": "ppo"},
        ("paper",),
    ),
}


# --------------------------------------------------------------------------------------------------------------------
# Reports
# --------------------------------------------------------------------------------------------------------------------
def make(name: str, out: Path) -> None:
    """Write a report of the gallery into a folder."""
    exhibit = EXHIBITS[name]
    with tempfile.TemporaryDirectory() as place, chdir(place):  # so that pages name no folder of this machine
        exhibit.prepare()
        build_report(exhibit.folders, Path("out"), formats=("html", "pdf"), **exhibit.options)
        shutil.copy(Path("out/index.html"), out / f"{name}.html")
        shutil.copy(Path("out/report.pdf"), out / f"{name}.pdf")
        (out / "pictures").mkdir(exist_ok=True)
        for picture in exhibit.pictures:
            image = paper() if picture == "paper" else screen(*PICTURES[picture])
            small = image.convert("RGB").quantize(_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
            small.save(out / "pictures" / f"{name}-{picture}.png", optimize=True)


def screen(width: int, dark: bool) -> Image.Image:
    """The upper part of the page as a screen shows it."""
    frame = f'<body style="margin:0"><iframe src="out/index.html" style="border:0;width:{width}px;height:{_HEIGHT}px">'
    Path("frame.html").write_text(frame)  # no window is as narrow as a phone
    command = [find_browser(), "--headless", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
    command += ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command += [f"--user-data-dir={Path('profile').absolute()}", f"--screenshot={Path('screen.png').absolute()}"]
    command += [f"--window-size={max(width, 600)},{_HEIGHT}", f"--blink-settings=preferredColorScheme={0 if dark else 1}"]
    subprocess.run([*command, Path("frame.html").absolute().as_uri()], check=True, capture_output=True, timeout=600)
    with Image.open("screen.png") as image:
        return image.crop((0, 0, width, _HEIGHT)).copy()


def paper() -> Image.Image:
    """The first pages of the printed page, side by side."""
    document = pypdfium2.PdfDocument(Path("out/report.pdf"))
    pages = [document[i].render(scale=_PAPER_SCALE).to_pil() for i in range(min(_PAPER_PAGES, len(document)))]
    gap, (width, height) = 8, pages[0].size
    sheet = Image.new("RGB", (len(pages) * (width + gap) - gap, height), "#8a8f98")
    for i, page in enumerate(pages):
        sheet.paste(page, (i * (width + gap), 0))
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--only", choices=EXHIBITS, action="append")
    options = parser.parse_args()
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    for name in options.only or EXHIBITS:
        make(name, out)
        print(f"{name}: {(out / f'{name}.html').stat().st_size:,} bytes of HTML")


if __name__ == "__main__":
    main()
