"""Tests that need several ranks."""

# Topology -> ranks (None: as the test says) and environment.
_TOPOLOGIES = {
    "one_node": (None, {}),
    "node_per_rank": (None, {"ROAM_NODE_RANKS": "1"}),
    "two_by_two": (None, {"ROAM_NODE_RANKS": "2"}),
    "no_launcher": (0, {}),
    "one_rank": (1, {}),
    "two_ranks": (2, {}),
    "five_ranks": (5, {"ROAM_NODE_RANKS": "1"}),
    # Real TCP between the ranks of one machine: what MPICH is told, and what Open MPI is.
    "tcp": (None, {
        "OMPI_MCA_btl": "tcp,self",
        "OMPI_MCA_btl_tcp_if_include": "lo",
        "OMPI_MCA_pml": "ob1",
        "ROAM_NODE_RANKS": "1",
        "UCX_NET_DEVICES": "lo",
        "UCX_TLS": "tcp,self",
    }),
}

# Bazel's timeouts must never strike first: the runner's own says what the ranks wait for.
_RUNNER_GRACE_S = 20

def _bazel_timeout(timeout_s):
    for name, limit_s in [("short", 60), ("moderate", 300), ("long", 900), ("eternal", 3600)]:
        if timeout_s + _RUNNER_GRACE_S <= limit_s:
            return name
    fail("timeout_s = %d is more than Bazel's longest timeout allows" % timeout_s)

def _word(text):
    """Quotes text so that Bazel's make variables and shell tokenization leave it alone."""
    return "'" + text.replace("'", "'\\''").replace("$", "$$") + "'"

def _request_tag(topology, topologies, tags):
    """Two nodes of two ranks, where one node and a node per rank are tested too: not in every run."""
    between = topology == "two_by_two" and "one_node" in topologies and "node_per_rank" in topologies
    return ["on_request"] if between and "on_request" not in tags else []

def rank_test(
        name,
        srcs = [],
        deps = [],
        binary = None,
        ranks = 4,
        topologies = ["one_node", "node_per_rank", "two_by_two"],
        args = [],
        env = {},
        openmpi_env = {},
        rank_env = {},
        timeout_s = 120,
        expect = "ok",
        expect_output = None,
        data = [],
        tags = [],
        **kwargs):
    """A program run under mpiexec, once a topology: tests NAME_one_node, NAME_node_per_rank, ...

    Args:
      name: also the name of a test_suite of them all.
      srcs: sources of the program, built as NAME_program.
      deps: its libraries.
      binary: label of a program that exists already, in place of srcs.
      ranks: how many, unless the topology fixes it.
      topologies: keys of _TOPOLOGIES above.
      args: the program's arguments.
      env: further environment of the ranks; wins over the topology's.
      openmpi_env: the same, with Open MPI only.
      rank_env: the same, for what the launcher itself must not see.
      timeout_s: a run that takes longer is asked (SIGUSR1) what it waits for, killed, and fails.
      expect: "ok", or "fail": the run must exit with a non-zero status (a hang never counts); or
        the very status, as a number; or "signal:N", the launcher's status for it.
      expect_output: literal or extended regular expression that the output of all ranks contains
        in one line. Needed with expect = "fail", so that no test passes by failing otherwise.
      data: files that the program reads, by runfiles path.
      tags: of the tests.
      **kwargs: further attributes of the program's cc_binary.
    """
    by_signal = type(expect) == "string" and expect.startswith("signal:")
    if type(expect) != "int" and not by_signal and expect not in ["ok", "fail"]:
        fail("expect must be ok, fail, signal:N or an exit status, not " + expect)
    if expect == "fail" and not expect_output:
        fail("expect = \"fail\" needs expect_output: the message that the failure must print")
    if not binary:
        binary = ":%s_program" % name
        native.cc_binary(
            name = name + "_program",
            testonly = True,
            srcs = srcs,
            deps = deps,
            **kwargs
        )
    elif srcs or deps or kwargs:
        fail("binary excludes srcs, deps and attributes of a program")

    tests = []
    for topology in topologies:
        fixed_ranks, topology_env = _TOPOLOGIES[topology]
        environment = dict(topology_env)
        environment.update(env)
        words = [
            "--ranks",
            str(ranks if fixed_ranks == None else fixed_ranks),
            "--timeout",
            str(timeout_s),
            "--expect",
            str(expect),
        ]
        if expect_output:
            words += ["--expect_output", _word(expect_output)]
        for key in sorted(environment):
            words += ["--env", _word(key + "=" + environment[key])]
        openmpi_words = []
        for key in sorted(openmpi_env):
            openmpi_words += ["--env", _word(key + "=" + openmpi_env[key])]
        program = ["$(location %s)" % binary] + [_word(arg) for arg in args]
        if rank_env:
            assignments = [_word(key + "=" + rank_env[key]) for key in sorted(rank_env)]
            program = ["env"] + assignments + program
        native.sh_test(
            name = "%s_%s" % (name, topology),
            srcs = ["//tests:rank_test.sh"],
            args = words + select({
                "//tools:with_openmpi": openmpi_words,
                "//conditions:default": [],
            }) + program,
            data = [
                binary,
                "//tools:mpiexec",
            ] + data,
            tags = tags + _request_tag(topology, topologies, tags) + ["rank_test"],
            timeout = _bazel_timeout(timeout_s),
        )
        tests.append(":%s_%s" % (name, topology))
    native.test_suite(
        name = name,
        tests = tests,
        # A suite that is not manual itself is expanded by //..., its manual tests with it.
        tags = ["manual"] if "manual" in tags else [],
    )

def multihost_test(name, binary, args = [], ranks = 4, timeout_s = 120, tags = []):
    """A program run over two network namespaces joined by a wire, as if on two hosts.

    Skipped aloud where the user is not root or namespaces cannot be made.

    Args:
      name: of the test.
      binary: label of the program.
      args: its arguments.
      ranks: half of them on each host.
      timeout_s: as in rank_test.
      tags: further tags of the test.
    """
    native.sh_test(
        name = name,
        srcs = ["//tests:rank_test.sh"],
        args = [
            "--mpiexec",
            "$(location //tests/multihost:netns_mpiexec)",
            "--ranks",
            str(ranks),
            "--timeout",
            str(timeout_s),
            "$(location %s)" % binary,
        ] + [_word(arg) for arg in args],
        data = [
            binary,
            "//tests/multihost:netns_mpiexec",
        ],
        # Namespaces need the real root user, not the sandbox's; whether there are any may change
        # from run to run ("external": never taken from the cache).
        tags = tags + [
            "external",
            "local",
            "multihost",
            "no-sandbox",
        ],
        timeout = _bazel_timeout(timeout_s),
    )
