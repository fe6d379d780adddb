"""Where jobs of the soak run: on this machine, or on two hosts, which are network namespaces."""

import os
import subprocess
import threading

making = threading.Lock()  # the first namespaces of a machine are made by one at a time


class NoHosts(Exception):
    """Why there are none."""


class OneHost:
    """This machine."""

    hosts = [None]
    environment = {}
    launcher = []  # of roam-run: its own
    name = "one host"

    def command(self, ranks):
        return ["tools/mpiexec", "-n", str(ranks)]

    def ranks_of(self, host, ranks):
        """Those of a job with so many."""
        del host
        return range(ranks)

    def used_by(self, ranks):
        """The hosts that a job with so many has ranks on."""
        return [host for host in self.hosts if self.ranks_of(host, ranks)]

    def node_of(self, rank, ranks, node_ranks):
        """(host, number) of its node, as the runtime counts them: host by host."""
        before = 0
        for host in self.hosts:
            own = self.ranks_of(host, ranks)
            size = node_ranks or len(own) or 1
            if rank in own:
                return host, before + (rank - own[0]) // size
            before += -(-len(own) // size)
        return None, 0

    def at(self, host, command):
        """The command, to be run there."""
        del host
        return command

    def has(self, host, pid):
        del host, pid
        return True

    def pids(self, host):
        """Of all processes of a host, where those are this job's."""
        del host
        return []

    def close(self):
        pass


class TwoHosts(OneHost):
    """Two namespaces, made by tests/multihost/netns_mpiexec, with a wire between them. Ranks are
    dealt out in order, the first half on the first."""

    script = "tests/multihost/netns_mpiexec"
    name = "two hosts"

    def __init__(self, name, program):
        self.hosts = [name + "A", name + "B"]
        self.environment = {"ROAM_NETNS": name}
        self.launcher = ["--launcher", os.path.abspath(self.script)]
        libraries = subprocess.run(["ldd", program], stdout=subprocess.PIPE, check=False).stdout
        if b"libmpi.so.40" in libraries:
            # Its launcher gives other hosts nothing of the environment.
            raise NoHosts("not with Open MPI")
        with making:
            done = subprocess.run([self.script, "-n", "1", "/bin/true"], stdin=subprocess.DEVNULL,
                                  env=dict(os.environ, **self.environment), stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=60, check=False)
        said = done.stdout.decode(errors="replace").strip()
        if done.returncode != 0 or "SKIPPED" in said:
            self.close()
            raise NoHosts(said or f"the launcher's status is {done.returncode}")
        self.inodes = {host: os.stat(f"/run/netns/{host}").st_ino for host in self.hosts}

    def command(self, ranks):
        return [self.script, "-n", str(ranks)]

    def ranks_of(self, host, ranks):
        half = (ranks + 1) // 2
        return range(half) if host == self.hosts[0] else range(half, ranks)

    def at(self, host, command):
        return ["ip", "netns", "exec", host] + command

    def has(self, host, pid):
        try:
            return os.stat(f"/proc/{pid}/ns/net").st_ino == self.inodes[host]
        except OSError:
            return False

    def pids(self, host):
        return [int(name) for name in os.listdir("/proc")
                if name.isdigit() and self.has(host, int(name))]

    def close(self):
        for host in self.hosts:
            subprocess.run(["ip", "netns", "del", host], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=False)
