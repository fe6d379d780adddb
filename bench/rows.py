"""What is run, what each figure is called, and what is expected of it."""

import collections

KIB, MIB = 1 << 10, 1 << 20
LEVELS = [1000, 10_000, 100_000, 1_000_000]  # threads at once
MESSAGES = [8, 4 * KIB, 64 * KIB, MIB]
HEAPS = [0, 64 * KIB, MIB, 64 * MIB, 256 * MIB]

# The loops of bench/heap: name, title, and what they may take of mimalloc's time.
HEAP_LOOPS = [
    *((f"pair/{size}", f"malloc + free of {text}", 1.1) for size, text in (
        (16, "16 B"), (256, "256 B"), (4 * KIB, "4 KiB"), (64 * KIB, "64 KiB"), (MIB, "1 MiB"))),
    *((f"burst/{size}", f"64 mallocs, 64 frees of {text}", 1.1) for size, text in (
        (16, "16 B"), (256, "256 B"), (4 * KIB, "4 KiB"))),
    *((f"churn/{size}", f"churn, 10,000 live, 16 B to {text}", 1.1) for size, text in (
        (256, "256 B"), (4 * KIB, "4 KiB"), (64 * KIB, "64 KiB"))),
    ("map", "std::map<int, int>, in and out", None),
    ("strings", "std::vector<std::string> grows", None),
    ("aligned/256", "aligned_alloc at 64 B + free of 256 B", 1.1),
    ("aligned/4096", "aligned_alloc at 64 B + free of 4 KiB", 1.1),
    (f"grow/{16 * MIB}", "realloc to 16 MiB, by halves", 1.1),
    (f"append/{16 * MIB}", "realloc to 16 MiB, by 64 KiB", 1.1),
    ("pass/64", "one thread allocates 64 B, another frees", None),
    ("pass/4096", "one thread allocates 4 KiB, another frees", None),
]

# One start of a program under mpiexec.
#   count_bytes: asks a short run first what a hop sends (ROAM_VERBOSE) and passes --bytes=
#   rename:      (from, to) in the names of its rows, to tell runs in different environments apart
#   quick:       part of --quick
#   repeat:      how often it is started; the samples are put together
Run = collections.namedtuple(
    "Run", "program arguments ranks environment count_bytes rename quick repeat",
    defaults=([], 1, {}, False, ("", ""), True, 1))

# Programs that those above start.
HELPERS = ["fiber_peer", "heap_peer"]

# One line of the table.
#   floor:  what the ratio is to; "" where there is none
#   expect: None, ("ratio", limit), or in the row's unit ("value", limit), ("above", limit over the floor)
Row = collections.namedtuple("Row", "name title floor expect quick", defaults=(None, True))


def bytes_text(count):
    for unit, size in (("MiB", MIB), ("KiB", KIB)):
        if count >= size:
            return f"{count // size} {unit}"
    return f"{count} B" if count else "empty"


def runs():
    yield Run("yield", ["--threads=2"])
    yield Run("yield", ["--threads=2"], 2)
    yield Run("yield", ["--threads=2", "--places=2"])
    yield Run("yield", ["--threads=1000"])
    yield Run("yield", ["--threads=10000"])
    yield Run("yield", ["--threads=100000"], quick=False)
    yield Run("spawn")
    yield Run("heap")
    yield Run("heap", [], 2)
    yield Run("memory", ["--object=0"])
    yield Run("memory", ["--object=48"])
    yield Run("memory", ["--object=48"], 2)
    yield Run("million", repeat=2)
    yield Run("million", [], 4, repeat=2)
    yield Run("access")
    yield Run("access", [], 2)
    yield Run("hop_node", [], 2)
    yield Run("hop_node", ["--crowd=100000"], 2, rename=("hop_in_node", "hop_in_node_crowd"),
              quick=False)
    yield Run("hop_nodes", ["--heap=0", "--first=0", "--crowd=100000"], 2, {"ROAM_NODE_RANKS": "1"},
              True, ("hop_nodes/", "hop_nodes_crowd/"), False)
    yield Run("group", [], 2)
    yield Run("group", [], 2, {"ROAM_NODE_RANKS": "1"})
    yield Run("checkpoint", [], 4)
    yield Run("checkpoint", ["--threads=100000"], 4, quick=False)
    yield Run("message")
    for size in MESSAGES:
        yield Run("message", [f"--bytes={size}"], 2)
        yield Run("message", [f"--bytes={size}"], 2, {"ROAM_NODE_RANKS": "1"})
    cut = {"ROAM_NODE_RANKS": "1"}
    for heap in HEAPS:
        quick = heap <= MIB
        yield Run("hop_nodes", [f"--heap={heap}"], 2, cut, True, quick=quick)
        yield Run("hop_nodes", [f"--heap={heap}", "--first=0"], 2, {**cut, "ROAM_KEEP": "0"}, True,
                  ("hop_nodes/", "hop_nodes_keep0/"), quick)
    yield Run("live", ["--heap=16"], 2, cut)
    yield Run("live", ["--heap=1024"], 2, cut, quick=False)
    yield Run("hop_nodes", [f"--heap={MIB}", "--fragmented=1", "--first=0"], 2, cut, True,
              ("hop_nodes/", "hop_nodes_fragmented/"))


def rows():
    for count, ranks, limit in ((2, 1, 1.2), (2, 2, None), (1000, 1, 1.5), (10_000, 1, 1.5), (100_000, 1, 1.5)):
        among = f"{count}/ranks={ranks}"
        title = f"yield among {count:,}" + (", in a job of 2 ranks" if ranks > 1 else "")
        yield Row(f"yield/{among}", title, "raw switch, tops coloured",
                  limit and ("ratio", limit), count <= 10_000)
        if ranks == 1:
            yield Row(f"yield/{among}/over_boost_fiber", title, "Boost.Fiber", ("ratio", 1), count <= 10_000)
    yield Row("yield_two_places/2/ranks=1", "yield among 2, at two places in the code",
              "raw switch, tops coloured", ("ratio", 1.5))
    for count in (1000, 10_000, 100_000):
        yield Row(f"raw_switch_plain/{count}/ranks=1", f"(raw switch among {count:,}, tops aligned)",
                  "raw switch, tops coloured", None, count <= 10_000)
    for alive, how in ((1, "one at a time"), (1000, "1,000 alive")):
        yield Row(f"spawn/{alive}", f"spawn + join, {how}", "raw fiber, recycled stack", ("ratio", 3))
        yield Row(f"spawn/{alive}/over_boost_fiber", f"spawn + join, {how}", "Boost.Fiber, recycled stack",
                  ("ratio", 1))

    yield Row("message/8/ranks=1", "message of 8 B between members of a rank", "")
    for size in MESSAGES:
        for nodes, where in ((1, "in a node"), (2, "between nodes")):
            title = f"message of {bytes_text(size)} {where}"
            limit = 1.5 if nodes == 2 and size <= 4 * KIB else 1
            yield Row(f"message/{size}/nodes={nodes}", title, "MPI, the same bytes", ("ratio", limit))
            yield Row(f"message_burst/{size}/nodes={nodes}", title + ", one of 64", "MPI, one alone")

    for what, title in (("all", "all memory"), ("changed", "1 % of the pages")):
        yield Row(f"checkpoint_still/{what}/ranks=4", f"checkpoint of {title}: threads stand still",
                  "memcpy of what is copied", ("ratio", 1.3) if what == "all" else None)
        yield Row(f"checkpoint_disk/{what}/ranks=4", f"checkpoint of {title}: until it is on disk",
                  "write + fsync of as many bytes")
        yield Row(f"checkpoint_bytes/{what}/ranks=4", f"checkpoint of {title}: written of what lives", "",
                  ("value", 1.02 if what == "all" else 0.012))

    yield Row("checkpoint_crowd_still/100000/ranks=4", "checkpoint of 100,000 threads of two pages: they stand still",
              "", None, False)
    yield Row("checkpoint_crowd_bytes/100000/ranks=4", "checkpoint of 100,000 threads of two pages: written of what lives",
              "", ("value", 1.2), False)
    yield Row("checkpoint_crowd_disk/100000/ranks=4", "checkpoint of 100,000 threads of two pages: until it is on disk",
              "", ("value", 1e9), False)

    yield Row("hop_in_node/0", "hop in a node, empty heap", "cache line, one way", ("value", 3000))
    yield Row("hop_in_node/67108864", "hop in a node, 64 MiB", "cache line, one way",
              ("value", 3000))
    yield Row("hop_in_node_heap/67108864", "hop in a node, 64 MiB", "the same, empty heap",
              ("ratio", 1.1))
    yield Row("hop_in_node_crowd/0", "hop in a node, 100,000 threads wait there", "cache line, one way",
              ("value", 3000), False)
    yield Row("hop_group/1000/nodes=1", "hop in a node, 1,000 threads at once", "one alone", ("ratio", 1))
    yield Row("hop_group/1000/nodes=2", "hop between nodes, 1,000 threads at once", "one alone",
              ("ratio", 1))
    yield Row("hop_nodes_crowd/0/over_warm", "hop between nodes, 100,000 threads wait there",
              "MPI into warm memory", None, False)

    for heap in HEAPS:
        text, quick = bytes_text(heap), heap <= MIB
        hop = f"hop between nodes, {text}"
        # "Small" is a thread without a heap to speak of.
        yield Row(f"hop_nodes/{heap}/bytes", f"(bytes that a hop sends, heap: {text})",
                  "allocated in its heap" if heap else "", None, quick)
        yield Row(f"hop_nodes/{heap}/over_warm", hop + ", been there", "MPI into warm memory",
                  ("ratio", 2) if heap == 0 else None, quick)
        yield Row(f"hop_nodes/{heap}/over_fresh", hop + ", been there", "MPI into fresh memory",
                  None, quick)
        yield Row(f"hop_nodes_first/{heap}", hop + ", first visit", "MPI into fresh memory",
                  ("ratio", 1.25) if heap == 64 * MIB else None, quick)
        yield Row(f"hop_nodes_keep0/{heap}/over_fresh", hop + ", ROAM_KEEP=0",
                  "MPI into fresh memory", ("ratio", 1.25) if heap == 64 * MIB else None, quick)

    for mib in (16, 1024):
        for rate, limit in ((0, 2e6), (10, 5e6), (100, 50e6), (1000, None)):
            name, title = f"{mib}MiB/dirty={rate}", f"live move of {mib} MiB that writes {rate} MB/s: "
            asked = ("value", limit) if limit and mib == 1024 else None
            yield Row(f"live_still/{name}", title + "it stands still", "", asked, mib == 16)
            yield Row(f"live_bytes/{name}", title + "sent while it runs", "", None, mib == 16)
            yield Row(f"live_bytes_still/{name}", title + "and while it stands still", "", None, mib == 16)
    fragmented = f"hop_nodes_fragmented/{MIB}"
    what = "1 MiB of 256 B, as many freed"
    yield Row(fragmented + "/bytes", f"(bytes that a hop sends, heap: {what})", "allocated in its heap")
    yield Row(fragmented + "/over_warm", f"hop between nodes, {what}, been there", "MPI into warm memory")

    for size, ranks in ((0, 1), (48, 1), (48, 2)):
        of = f"object={size}/ranks={ranks}"
        title = "a suspended thread" + (f", {size} B object" if size else "") + (
            ", shared in a node" if ranks > 1 else "")
        # 9 KiB: the next milestone's limit, page tables included.
        yield Row(f"memory/{of}", f"memory of {title}", "suspended raw fiber", ("value", 9 * KIB))
        yield Row(f"page_tables/{of}", "(page tables of it)", "suspended raw fiber")
        yield Row(f"slab/{of}", "(kernel slab beside it, whole machine)", "")

    yield from million_rows()
    for ranks, where in ((1, ""), (2, ", memory shared in a node")):
        yield Row(f"access/{256 * MIB}/ranks={ranks}", "random read of 256 MiB in a thread" + where,
                  "malloc of glibc", ("ratio", 1.05))

    for name, title, limit in HEAP_LOOPS:
        yield Row(f"heap/{name}/over_mimalloc", title, "mimalloc", limit and ("ratio", limit))
        yield Row(f"heap/{name}/over_libc", title, "glibc", ("ratio", 1))
        yield Row(f"heap/{name}/over_jemalloc", title, "jemalloc")
    for other in ("mimalloc", "glibc", "jemalloc"):
        yield Row(f"heap/resident_over_live/over_{other.replace('glibc', 'libc')}",
                  "resident over live bytes after churn to 4 KiB", other)
    for size, text in ((64, "64 B"), (4 * KIB, "4 KiB")):
        yield Row(f"heap_ranks/pass/{size}", f"one rank allocates {text}, another frees",
                  "the same in one rank")
    # 2 ns a call.
    yield Row("plain_malloc/16", "malloc + free of 16 B in plain code", "__libc_malloc, __libc_free",
              ("above", 4))


def million_rows():
    for count in LEVELS:
        quick, of, few = count <= 10_000, f"{count}/ranks=1", count == LEVELS[0]
        threads = f"{count:,} threads"
        yield Row(f"million/memory/{of}", f"{threads}, 48 B each: memory of one", "" if few else "of 1,000",
                  ("value", 9 * KIB), quick)
        # From its spawn to its join, with one yield.
        yield Row(f"million/life/{of}", f"{threads}: life of one", "" if few else "with 1,000",
                  None if few else ("ratio", 1.5), quick)
        yield Row(f"million/page/{of}", f"({count:,} fresh pages, no Roam: touch of one)", "" if few else "with 1,000",
                  None, quick)
        for name, what in (("spawn", "spawn and begin"), ("yield", "yield"), ("join", "end and join")):
            yield Row(f"million/{name}/{of}/over_fiber", f"{threads}: {what}", "raw fiber, fresh stack", None, quick)
    for count in (LEVELS[0], LEVELS[-1]):
        quick, of, few = count <= 10_000, f"{count}/ranks=4", count == LEVELS[0]
        for name, what, limit in (("memory", "memory of one", ("value", 9 * KIB)), ("spawn", "spawn and begin", None),
                                  ("move", "a tenth migrates, per move", None), ("join", "end and join", None)):
            yield Row(f"million/{name}/{of}", f"{count:,} threads on 4 ranks: {what}",
                      "" if few else "with 1,000", limit, quick)
