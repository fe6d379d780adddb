"""What the soak runs, and what that prints undisturbed."""

import os
import subprocess
import threading

from soak_hosts import OneHost

PATIENCE = float(os.environ.get("PATIENCE", "1"))
MOST_SECONDS = 120 * PATIENCE
KEEPER, KEEP = "runtime/keeper/roam-keeper", "tests/checkpoint/keep"

# Each takes some seconds, and says in lines that match the pattern whether it is right. Those have
# nothing of how long it took or who did it. On two hosts it has the further arguments: neighbours
# that wait for each other take much longer there.
PROGRAMS = {
    "pic": ("demos/pic/pic", "where they must|checksum",
            ["--balance", "--grid=200", "--particles=40000", "--steps=2400", "--balance-every=40",
             "--threads-per-rank=4", "--checksum"], ["--steps=800"]),
    "heat": ("demos/heat/heat", "as a serial computation",
             ["--balance", "--grid=120", "--steps=1000", "--threads-per-rank=4"], ["--steps=400"]),
    "stress": ("tests/stress/stress", "ended as their seeds say",
               ["--no_channels", "--workers=6", "--rounds=3", "--steps=200"],
               ["--workers=4", "--rounds=2", "--steps=80"]),
    "load_balance": ("demos/load_balance/load_balance", "of gzip",
                     ["--input=/usr/include", "--bytes=64M", "--threads-per-rank=8"], []),
}


class Wrong(Exception):
    """What is wrong with a job."""


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def clean_environment(folder):
    """Of a job: nothing of Roam's that the caller happens to have set."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("ROAM_")}
    environment.update(HOME=folder, TMPDIR=folder, OMPI_MCA_btl_sm_backing_directory=folder,
                       OMPI_MCA_btl_vader_backing_directory=folder)
    return environment


class Undisturbed:
    """What programs print when nobody kills them."""

    def __init__(self):
        self.lock = threading.Lock()
        self.answers = {}

    def answer(self, job):
        key = " ".join([str(job.ranks), job.name] + job.arguments)
        with self.lock:
            known = self.answers.get(key)
        if known is None:
            done = subprocess.run(OneHost().command(job.ranks) + [job.program] + job.arguments,
                                  env=clean_environment(job.folder), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=MOST_SECONDS, check=False)
            known = job.lines_of(done.stdout.decode(errors="replace"))
            if done.returncode != 0 or not known:
                raise Wrong(f"undisturbed, its status is {done.returncode}")
            with self.lock:
                self.answers[key] = known
        return known
