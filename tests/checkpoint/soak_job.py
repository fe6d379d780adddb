"""A job of the soak: what its seed says, who is killed when, and whether it goes on as it must."""

import glob
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time

from soak_hosts import NoHosts, OneHost, TwoHosts
from soak_programs import (KEEP, KEEPER, MOST_SECONDS, PATIENCE, PROGRAMS, Wrong, clean_environment,
                           read)

RANKS_OF_RESTARTS = [1, 2, 3, 5, 8]
LOST = "is in memory of no node that is left"
REFUSAL = f"there is no whole checkpoint to go on from|no checkpoint can be used: .*{LOST}"
# Who is hit, and how often of so many. A node is its ranks and its keeper; a pair, a node and the
# one that keeps its pieces too; a host, all that runs there, with the launcher's part.
ON_ONE_HOST = {"rank": 10, "node": 5, "all": 3, "pair": 3, "ask": 6}
ON_TWO_HOSTS = {"rank": 8, "node": 3, "all": 2, "host": 8, "both hosts": 4, "ask": 5}


class Job:
    """One of a seed."""

    def __init__(self, seed, options, totals, undisturbed):
        self.seed, self.options, self.totals = seed, options, totals
        self.random = random.Random(seed)
        self.name = self.random.choice(sorted(PROGRAMS))
        self.name = options.only or self.name
        path, self.pattern, arguments, slower = PROGRAMS[self.name]
        self.program = os.path.join(options.programs, path)
        self.arguments = list(arguments)
        if self.name == "stress":
            self.arguments.append(f"--seed={self.random.randint(1, 2)}")
            # Threads that share memory pin themselves: there are few moments for a checkpoint.
            self.arguments += ["--no_sharing"] * self.random.choice([0, 1, 1])
        self.on_two_hosts = self.random.random() < 0.2
        self.on_two_hosts = (self.on_two_hosts or options.only_hosts) and not options.no_hosts
        self.arguments += slower if self.on_two_hosts else []
        self.ranks = self.random.randint(2 if self.on_two_hosts else 1, 5)
        self.running = self.ranks  # of the start that is under way
        self.supervised = self.random.random() < 0.5
        # Nodes are lost: where there is a second one, it is mostly of use.
        self.memory = self.random.random() < (0.8 if self.on_two_hosts else 0.5)
        self.disk = self.random.choice([10, 3, 0])  # disk=; roam-run has its own
        self.folder = tempfile.mkdtemp(prefix=f"roam_soak.{seed}.")
        self.checkpoints = os.path.join(self.folder, "d")
        self.mark = f"ROAM_SOAK={self.folder}".encode()
        self.undisturbed = undisturbed
        self.place = OneHost()
        self.kills = 0
        self.before = ([], 0, False)  # progress() at the last start or kill
        self.begin = time.monotonic()
        self.topology()
        kept = "memory" + ("" if self.supervised else f", disk={self.disk}")
        self.story = [self.name, f"{self.ranks} ranks of nodes of {self.node_ranks or 'all'}",
                      kept if self.memory else "disk"]

    def topology(self):
        self.node_ranks = self.random.randint(0, 3)
        self.shuffle = self.random.randint(1, 1000) if self.random.random() < 0.3 else 0

    def environment(self):
        environment = clean_environment(self.folder)
        environment.update(self.place.environment)
        environment.update(ROAM_SOAK=self.folder, ROAM_NODE_RANKS=str(self.node_ranks),
                           ROAM_KEEPER=os.path.join(self.options.programs, KEEPER))
        if self.shuffle:
            environment["ROAM_SHUFFLE"] = str(self.shuffle)
        return environment

    def lines_of(self, text):
        return sorted({line.strip() for line in text.splitlines() if re.search(self.pattern, line)})

    def note(self, what):
        """For who looks for a fault."""
        with open(f"{self.folder}/events", "a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%H:%M:%S')} {time.monotonic() - self.begin:8.2f} {what}\n")

    # ---- its processes ----

    def processes(self):
        """Number of the rank, or None of what is none, to process."""
        found = []
        for path in glob.glob("/proc/[0-9]*/environ"):
            try:
                with open(path, "rb") as file:
                    words = file.read().split(b"\0")
                if self.mark not in words:
                    continue
                pid = int(path.split("/")[2])
                rank = None
                if os.path.samefile(f"/proc/{pid}/exe", self.program):
                    for word in words:
                        match = re.fullmatch(rb"(?:PMI|OMPI_COMM_WORLD)_RANK=([0-9]+)", word)
                        rank = int(match[1]) if match else rank
                found.append((rank, pid))
            except OSError:
                continue
        return found

    def rank_processes(self):
        return sorted(each for each in self.processes() if each[0] is not None)

    def keepers(self, node=None, host=None):
        found = []
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(path, "rb") as file:
                    words = file.read().decode(errors="replace").split("\0")
            except OSError:
                continue
            if not words[0].endswith("roam-keeper") or \
                    not any(word.startswith(self.checkpoints + "/") for word in words):
                continue
            pid = int(path.split("/")[2])
            if node is None or str(node) in words[-2:]:
                if host is None or self.place.has(host, pid):
                    found.append(pid)
        return found

    @staticmethod
    def end(pids):
        ended = 0
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
                ended += 1
            except OSError:
                pass
        return ended

    def end_all(self):
        for _ in range(50):
            left = [pid for _, pid in self.processes()] + self.keepers()
            for host in self.place.hosts:
                left += self.place.pids(host)
            if not self.end(left):
                return
            time.sleep(0.1)

    # ---- what is done to it ----

    def plan(self, least, most):
        """Moments, in seconds after the one before, and what is done then. The first is mostly
        after the first checkpoint, and half of the others after something was restored."""
        kinds = ON_TWO_HOSTS if self.on_two_hosts else ON_ONE_HOST
        events = []
        for number in range(self.random.randint(least, most)):
            if self.random.random() < (0.8 if number == 0 else 0.5):
                events.append((0, "wait", 0))
            # Often right after the start, as what is restored is used for the first time.
            wait = self.random.choice([self.random.uniform(0, 0.6), self.random.uniform(0.3, 3)])
            what = self.random.choices(list(kinds), list(kinds.values()))[0]
            events.append((wait, what, self.random.random()))
        return events

    def progress(self):
        """What changes when a job has gone on, or made a checkpoint."""
        went_on = [path for folder in (self.folder, f"{self.checkpoints}/.run.*")
                   for path in glob.glob(f"{folder}/*.from")]
        return sorted(went_on), self.on_disk(), self.is_there()

    def wait_for_checkpoint(self, process):
        """... which may take long, where threads are pinned or the machine is busy."""
        end = time.monotonic() + 20 * PATIENCE
        while self.progress() == self.before and process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)

    def hit_by(self, what, rank, ranks):
        """The processes."""
        if what == "rank":
            return [pid for r, pid in ranks if r == rank]
        if what == "all":
            return [pid for _, pid in ranks]
        host, node = self.place.node_of(rank, self.running, self.node_ranks)
        if what in ("host", "both hosts"):
            hosts = self.place.hosts if what == "both hosts" else [host]
            return [pid for each in hosts for pid in self.place.pids(each)]
        of = {r: self.place.node_of(r, self.running, self.node_ranks) for r, _ in ranks}
        count = self.place.node_of(self.running - 1, self.running, self.node_ranks)[1] + 1
        numbers = [node, (node + 1) % count] if what == "pair" else [node]
        hit = [pid for r, pid in ranks if of[r][1] in numbers]
        for number in numbers:
            hit += self.keepers(number, host)
        return hit

    def strike(self, process, what, which):
        """Whether anything was killed."""
        ranks = self.rank_processes()
        for _ in range(100):  # it may just be started again
            if ranks or process.poll() is not None:
                break
            time.sleep(0.1)
            ranks = self.rank_processes()
        if not ranks:
            return False
        rank, pid = ranks[int(which * len(ranks))]
        if what == "ask":
            self.totals.add("asked for a checkpoint")
            subprocess.run(["tools/roam-ps", "--checkpoint", str(pid)], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=60 * PATIENCE, check=False)
            return False
        hit = self.hit_by(what, rank, ranks)
        if not self.end(hit):
            return False
        self.before = self.progress()
        if "host" in what:  # what was just being started there, too
            while self.end(self.hit_by(what, rank, ranks)):
                time.sleep(0.01)
        self.note(f"{what} killed, by rank {rank} of {self.running} in nodes of {self.node_ranks}: "
                  f"{hit}")
        self.kills += 1
        self.totals.add("kills")
        self.totals.add(f"kills of {'a ' if what not in ('all', 'both hosts') else ''}{what}")
        if self.on_two_hosts:
            self.totals.add("kills on two hosts")
        return True

    def watch(self, process, events, what):
        """Until it has ended; whether it was killed."""
        killed = False
        for wait, kind, which in events:
            try:
                process.wait(wait)
                return killed
            except subprocess.TimeoutExpired:
                if kind == "wait":
                    self.wait_for_checkpoint(process)
                else:
                    killed = self.strike(process, kind, which) or killed
        try:
            process.wait(MOST_SECONDS)
        except subprocess.TimeoutExpired:
            self.look_at_hang()
            raise Wrong(f"{what}: no end after {MOST_SECONDS:.0f} s") from None
        return killed

    def look_at_hang(self):
        """What ranks wait for, on their standard error, and in the file `hang`."""
        self.note(f"it hangs; load {os.getloadavg()}, processes {self.processes()}")
        ranks = self.rank_processes()
        for _, pid in ranks:
            try:
                os.kill(pid, signal.SIGUSR1)
            except OSError:
                pass
        time.sleep(3)
        with open(f"{self.folder}/hang", "wb") as file:
            for rank, pid in ranks:
                file.write(f"\n---- rank {rank}, process {pid}\n".encode())
                file.flush()
                for command in (["tools/roam-ps", str(pid)],
                                ["gdb", "-batch", "-p", str(pid), "-ex", "thread apply all bt"]):
                    if shutil.which(command[0]) is None:
                        continue
                    try:
                        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=file,
                                       stderr=subprocess.STDOUT, timeout=60, check=False)
                    except subprocess.TimeoutExpired:
                        file.write(b"(this took a minute)\n")

    def start(self, command, environment, number):
        self.note(f"start {number}: {' '.join(command)}; " + ", ".join(
            f"{name}={value}" for name, value in sorted(environment.items())
            if name in ("ROAM_CHECKPOINT", "ROAM_RESTART", "ROAM_NODE_RANKS", "ROAM_SHUFFLE")))
        self.before = self.progress()
        with open(f"{self.folder}/out{number}", "wb") as out, \
                open(f"{self.folder}/err{number}", "wb") as err:
            return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=out,
                                    stderr=err)

    # ---- what it can go on from ----

    def on_disk(self):
        """The newest; 0: none."""
        return max([int(path.split("/")[-2]) for path in
                    glob.glob(f"{self.checkpoints}/[0-9]*[0-9]/manifest")], default=0)

    def is_there(self):
        """Whether there is a checkpoint, or keepers are said to have one."""
        return self.on_disk() > 0 or read(f"{self.checkpoints}/keepers").endswith(" 1\n")

    def in_memory(self, ranks):
        """The newest of which keepers that a job with so many ranks reaches have all; 0: none."""
        has, needs = {}, {}
        for host in self.place.used_by(ranks):
            command = [os.path.join(self.options.programs, KEEP), "have", self.checkpoints]
            done = subprocess.run(self.place.at(host, command), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, timeout=60 * PATIENCE, check=False)
            if done.returncode != 0:
                raise Wrong(f"keep have: status {done.returncode}")
            for line in done.stdout.decode().splitlines():
                self.note(f"keepers{' of ' + host if host else ''}: {line}")
                what, number, *names = line.split()
                (needs if what == "needs" else has).setdefault(int(number), set()).update(names)
        return max([number for number, names in needs.items()
                    if names <= has.get(number, set())], default=0)

    def went_on(self, where):
        self.totals.add("went on")
        self.totals.add(f"went on from {where}")
        if self.on_two_hosts:
            self.totals.add(f"went on from {where}, on two hosts")
        self.story.append(f"from {where}")

    # ---- both ways ----

    def run_supervised(self):
        command = ["tools/roam-run", "-n", str(self.ranks), "--retries", "99", "--every", "1s",
                   "--checkpoint", self.checkpoints] + self.place.launcher
        command += ["--memory"] if self.memory else []
        self.story.append("roam-run")
        process = self.start(command + [self.program] + self.arguments, self.environment(), 0)
        self.watch(process, self.plan(2, 16), "under roam-run")
        if process.returncode != 0:
            raise Wrong(f"roam-run ends with status {process.returncode}")
        said = read(f"{self.folder}/err0")
        for where in re.findall("it went on from checkpoint [0-9]+, from (.*)", said):
            self.went_on(where)
        self.totals.add("began anew, since there was no checkpoint",
                        said.count("for there is no checkpoint yet"))

    def expect_refusal(self, number, ranks):
        """Where there is nothing to go on from, that is said."""
        environment = dict(self.environment(), ROAM_RESTART=self.checkpoints)
        process = self.start(self.place.command(ranks) + [self.program] + self.arguments,
                             environment, f"{number}refused")
        self.watch(process, [], f"a start {number} that is to be refused")
        said = read(f"{self.folder}/err{number}refused")
        if process.returncode == 0 or not re.search(REFUSAL, said):
            raise Wrong(f"start {number}: where there is no checkpoint, another thing is said")
        lost = self.is_there()  # it was in memory, and that is gone
        self.totals.add("refused, since what was in memory was lost" if lost else
                        "refused, since there was no checkpoint")
        self.story.append("refused")

    def run_restarts(self):
        self.story.append("restarts on")
        ranks = self.ranks
        for number in range(30):
            restart = 0
            if number > 0:
                disk, memory = self.on_disk(), self.in_memory(ranks)
                restart = max(disk, memory)
                self.note(f"for start {number}: {disk} is on disk, {memory} in memory")
                if restart == 0:
                    self.expect_refusal(number, ranks)
                    ranks = self.ranks
            environment = self.environment()
            environment["ROAM_CHECKPOINT"] = f"{self.checkpoints},every=1s" + (
                f",memory=on,disk={self.disk}" if self.memory else "")
            environment["ROAM_RECORD"] = f"{self.folder}/record{number}"
            if restart:
                environment["ROAM_RESTART"] = self.checkpoints
                self.story.append(str(ranks))
            self.running = ranks
            process = self.start(self.place.command(ranks) + [self.program] + self.arguments,
                                 environment, number)
            what = f"start {number} on {ranks} ranks of nodes of {self.node_ranks}"
            killed = self.watch(process, self.plan(1, 3) if number < 12 else [], what)
            self.wait_for_ranks(number)
            self.look_at(number, restart, killed)
            if self.ended(environment["ROAM_RECORD"], process.returncode, killed, what):
                return
            ranks = self.random.choice(RANKS_OF_RESTARTS)
            self.topology()
        raise Wrong("it is killed again and again")

    def look_at(self, number, restart, killed):
        """Whether it went on from what it should."""
        said = read(f"{self.folder}/err{number}")
        for why in re.findall("(?:no checkpoint can be used|cannot be used:).*", said):
            # Of several keepers that were lost, one had it. Other reasons are none.
            if self.memory and LOST in why and "at byte" not in why:
                self.totals.add("checkpoints that had lost a piece")
            else:
                raise Wrong(f"start {number}: a checkpoint is refused: {why}")
        found = re.fullmatch("checkpoint ([0-9]+), from (.*)\n",
                             read(f"{self.folder}/record{number}.from"))
        if not restart:
            return
        if found is None and not killed:
            raise Wrong(f"start {number}: it went on from nothing, though there was {restart}")
        if found is not None:
            self.went_on(found[2])
            if int(found[1]) < restart:
                raise Wrong(f"start {number}: it went on from {found[1]}, from {found[2]}, though "
                            f"there was {restart}")

    def ended(self, record, status, killed, what):
        """Whether the job ran to its end. What a launcher says of a kill may be anything."""
        text = read(record)
        try:
            told = json.loads(text)
        except ValueError:
            told = {}
        if status == 0 and told.get("kind") == "ended" and told.get("code") == 0:
            return True
        if not killed:
            raise Wrong(f"{what} ends with status {status}, {text.strip()}")
        if told:
            self.totals.add(f"killed jobs that told of their end: {told.get('kind')}")
        if told.get("kind") == "crash":  # mostly in MPI, which has lost a rank
            self.story.append(f"(crash at {told.get('place')}: {told.get('text')})")
        if status == 0:
            self.totals.add("launchers that said 0 of a killed job")
        self.note(f"killed: status {status}, {text.strip()}")
        return False

    def wait_for_ranks(self, number):
        """A launcher may end before its ranks do."""
        for _ in range(200):
            left = self.rank_processes()
            if not left:
                return
            time.sleep(0.1)
        self.totals.add("ranks that outlived their launcher")
        self.story.append(f"(start {number}: ranks outlived their launcher)")
        self.end([pid for _, pid in left])

    def run(self):
        """What is wrong, or nothing."""
        wrong = None
        try:
            if self.on_two_hosts:
                self.place = TwoHosts(f"rs{os.getpid()}x{self.seed}", self.program)
                self.story.append("two hosts")
            wanted = self.undisturbed.answer(self)
            if self.supervised:
                self.run_supervised()
            else:
                self.run_restarts()
            printed = "".join(read(path) for path in glob.glob(f"{self.folder}/out*"))
            got = self.lines_of(printed)
            if got != wanted:
                raise Wrong(f"it prints {got}, not {wanted}")
            self.expect_nobody_left()
        except NoHosts as why:
            self.totals.add("skipped")
            print(f"seed {self.seed}: skipped, for it needs two hosts: {why}", flush=True)
            shutil.rmtree(self.folder, ignore_errors=True)
            return None
        except Wrong as why:
            wrong = str(why)
        except subprocess.TimeoutExpired as why:
            wrong = f"no end: {why}"
        finally:
            self.end_all()
            self.place.close()
        seconds = time.monotonic() - self.begin
        print(f"seed {self.seed}: {', '.join(self.story)}; {self.kills} kills: "
              f"{'WRONG: ' + wrong if wrong else 'right'}, after {seconds:.1f} s", flush=True)
        if wrong:
            self.keep()
        shutil.rmtree(self.folder, ignore_errors=True)
        return wrong

    def keep(self):
        """What tells why it went wrong."""
        if self.options.keep:
            shutil.rmtree(f"{self.options.keep}/{self.seed}", ignore_errors=True)
            shutil.copytree(self.folder, f"{self.options.keep}/{self.seed}",
                            ignore=shutil.ignore_patterns("*.sock"))
            return
        for path in [f"{self.folder}/events"] + sorted(glob.glob(f"{self.folder}/err*")):
            print(f"-- {os.path.basename(path)}:\n{read(path)[-3000:]}", flush=True)

    def expect_nobody_left(self):
        """A job that has ended has told all keepers of its machines, whoever has begun them."""
        for _ in range(200):
            left = [pid for rank, pid in self.processes() if rank is not None or
                    not self.on_two_hosts]
            for host in self.place.used_by(self.running):
                left += self.keepers(host=host)
            if not left:
                break
            time.sleep(0.1)
        commands = [read(f"/proc/{pid}/cmdline").replace("\0", " ") for pid in left]
        self.note(f"left: {commands}")
        if left:
            raise Wrong(f"{len(left)} processes are left, of them {len(self.keepers())} keepers: "
                        f"{commands}")
        # A host's part of a launcher whose other part was killed may wait for that for long.
        if self.processes():
            self.totals.add("jobs of which a launcher's processes are left")
