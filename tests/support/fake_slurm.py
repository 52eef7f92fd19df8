"""A stand-in for Slurm's commands: it hands out job ids, keeps a queue, and runs jobs as processes here if told so.

`install` puts the commands into a folder to be put on PATH. What is submitted stays in the folder that the environment
variable ``FAKE_SLURM`` names: ``ID.sh`` the script, ``queue/ID_TASK`` while a job waits or runs, ``pid/ID_TASK`` of its step.
With ``FAKE_SLURM_RUNS`` set jobs are run, each after those that it depends on, and again when they were requeued meanwhile.
``FAKE_SLURM_SECONDS`` is how long ``sbatch`` takes to say which job it has submitted.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = ("sbatch", "squeue", "srun", "scontrol", "scancel")
FIRST_ID = 1000


def install(folder: Path) -> Path:
    """Make the commands; the folder with them."""
    programs = folder / "bin"
    programs.mkdir(parents=True)
    for command in COMMANDS:
        program = programs / command
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" {command} "$@"\n')
        program.chmod(0o755)
    for name in ("queue", "pid", "requeue"):
        (folder / name).mkdir()
    return programs


def options_of(script: Path) -> dict[str, str]:
    """The options that stand in a submitted script."""
    lines = re.findall(r"^#SBATCH --([\w-]+)(?:=(.*))?$", script.read_text(), re.MULTILINE)
    return {name: value.strip("'\"") for name, value in lines}


def sbatch(state: Path, arguments: list[str]) -> None:
    options = options_of(Path(arguments[-1]))
    if options.get("partition") == "nowhere":
        sys.exit("sbatch: error: invalid partition specified: nowhere")
    number = FIRST_ID + len(list(state.glob("*.sh"))) + 1
    (state / f"{number}.sh").write_text(Path(arguments[-1]).read_text())
    last = re.match(r"0-(\d+)", options.get("array", ""))
    jobs = [f"{number}_{task}" for task in range(int(last[1]) + 1)] if last else [str(number)]
    for job in jobs:
        (state / "queue" / job).touch()
        if os.environ.get("FAKE_SLURM_RUNS"):
            subprocess.Popen(
                [sys.executable, __file__, "serve", job],
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
    time.sleep(float(os.environ.get("FAKE_SLURM_SECONDS", "0")))
    sys.stdout.write(f"Submitted batch job {number}\n")


def serve(state: Path, job: str) -> None:
    """Run a job to its end, and again as often as it is requeued."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])  # jobs know nothing of what sbatch was started with
    number, _, task = job.partition("_")
    script = state / f"{number}.sh"
    after = re.findall(r":(\d+)", options_of(script).get("dependency", ""))
    while any(other.name.partition("_")[0] in after for other in (state / "queue").iterdir()):
        time.sleep(0.1)
    array = {"SLURM_ARRAY_JOB_ID": number, "SLURM_ARRAY_TASK_ID": task} if task else {}
    environment = {**os.environ, **array, "SLURM_JOB_ID": number, "SLURM_PROCID": "0", "FAKE_SLURM_JOB": job}
    while True:
        subprocess.run(["bash", str(script)], env=environment, check=False)
        try:
            (state / "requeue" / job).unlink()
        except FileNotFoundError:
            break
    (state / "queue" / job).unlink()


def srun(state: Path, arguments: list[str]) -> None:
    job, place = os.environ["FAKE_SLURM_JOB"], arguments.index("--output")
    number, _, task = job.partition("_")
    log = arguments[place + 1].replace("%A", number).replace("%a", task).replace("%j", job).replace("%t", "0")
    command = arguments[next(index for index, argument in enumerate(arguments) if "python" in argument) :]
    (state / "pid" / job).write_text(str(os.getpid()))
    with Path(log).open("a") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
        os.execv(command[0], command)


def main(command: str, arguments: list[str]) -> None:
    state = Path(os.environ["FAKE_SLURM"])
    match command:
        case "sbatch":
            sbatch(state, arguments)
        case "serve":
            serve(state, arguments[0])
        case "srun":
            srun(state, arguments)
        case "squeue":
            sys.stdout.write("".join(f"{job.name}\n" for job in sorted((state / "queue").iterdir())))
        case "scontrol":
            assert arguments[0] == "requeue"
            (state / "requeue" / arguments[1]).touch()
        case _:
            sys.exit(f"{command} is not there")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
