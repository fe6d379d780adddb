"""Programs of MPI that run as virtual ranks."""

def program_test(name, script, program):
    """A script that is given roam-mpi, mpiexec and the source of a program.

    Args:
      name: of the test.
      script: what runs; its arguments are the paths of the three.
      program: the source, which may include programs/check.h and judge.h.
    """
    native.sh_test(
        name = name,
        timeout = "long",
        srcs = [script],
        args = [
            "$(location //mpi:roam-mpi)",
            "$(location //tools:mpiexec)",
            "$(location %s)" % program,
        ],
        data = [
            program,
            "programs/check.h",
            "programs/judge.h",
            "//mpi:roam-mpi",
            "//tools:mpiexec",
        ],
        tags = [
            "no_asan",
            "no_tsan",
            "rank_test",
        ],
    )
