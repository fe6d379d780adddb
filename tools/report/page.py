"""The HTML page of a trace: one file, nothing fetched. What it looks like is in page.html, page.css and page.js."""

import os

import jinja2
from markupsafe import Markup

import charts
import figures
from reading import home_and_number

MOST_MOVE_LINES = 4_000   # on the lanes
MOST_MOVE_ROWS = 1_000    # in the table
MOST_STEP_CHARTS = 12
MOST_THREADS = 30
MOST_RANKS_NAMED = 12     # of those on which a thread was
MOST_MATRIX_RANKS = 64


def tiles(trace, busy):
    shares = [sum(values) / len(values) for values in busy.values()]
    moves = [move for move in trace.moves if not move.refused]
    return [(figures.duration(trace.end_ns), "time"), (len(trace.ranks), "ranks"),
            (f"{len(trace.names):,}", "threads seen"),
            (f"{100 * sum(shares) / max(len(shares), 1):.0f} %", "of the ranks' time busy"),
            (f"{len(moves):,}", "moves"), (figures.size(sum(move.bytes for move in moves)), "sent by moves"),
            (f"{len(trace.steps):,}", "balancing steps")]


def warnings(trace):
    if not trace.whole:
        yield "The trace is truncated: what follows covers only what was in the file."
    if trace.about.get("dropped_rows"):
        yield f"{trace.about['dropped_rows']:,} rows are missing: there was no room for them."
    if trace.about.get("clock_error_ns", 0) > 1000:
        yield f"Times on different machines agree to {figures.duration(trace.about['clock_error_ns'])}."


def short(count):
    return f"{count / 1e6:.1f}M" if count >= 1e6 else f"{count / 1e3:.0f}k" if count >= 1e4 else str(count)


def matrix(name, values, shown):
    """A table of {(from rank, to rank): value}, darker where it is more; None of too many ranks, or of none."""
    ranks = sorted({rank for pair in values for rank in pair})
    if not 0 < len(ranks) <= MOST_MATRIX_RANKS:
        return None
    most = max(values.values()) or 1

    def cell(a, b):
        value = values.get((a, b), 0)
        return b, f"{0.08 + 0.6 * value / most:.2f}", shown(value) if value else ""

    return {"name": name, "ranks": ranks, "rows": [(a, [cell(a, b) for b in ranks]) for a in ranks]}


def moves(trace):
    rows = []
    for move in figures.spread(trace.moves, MOST_MOVE_ROWS):
        took = "" if move.arrived_ns is None else max(move.arrived_ns - move.ns, 0)
        fate = "refused" if move.refused else figures.duration(took) if took != "" else "did not arrive"
        rows.append((move, took, fate))
    pairs = {pair: count for pair, (count, _) in figures.move_pairs(trace).items()}
    return {"all": len(trace.moves), "shown": rows, "matrix": matrix("move_matrix", pairs, short)}


def threads(trace, times, colours):
    hops, seen = {}, {}
    for move in trace.moves:
        hops[move.thread] = hops.get(move.thread, 0) + (not move.refused)
        seen.setdefault(move.thread, {move.source}).add(move.target)
    total = sum(end - begin for turns in trace.turns.values() for begin, end, _ in turns) or 1
    for ran, thread in times[:MOST_THREADS]:
        where = sorted(seen.get(thread, ()))
        yield {"id": thread, "colour": colours.get(thread), "ran": ran, "share": f"{100 * ran / total:.1f}",
               "moves": hops.get(thread, 0),
               "ranks": ", ".join(map(str, where[:MOST_RANKS_NAMED])) + (" ..." if len(where) > MOST_RANKS_NAMED else "")}


def messages(trace):
    count = {pair: messages for pair, (messages, _) in trace.traffic.items()}
    size = {pair: size for pair, (_, size) in trace.traffic.items()}
    matrices = [matrix("message_matrix", count, short), matrix("message_bytes", size, figures.size)]
    return {"ranks": len({rank for pair in count for rank in pair}), "matrices": all(matrices) and matrices}


def data(trace, times):
    """What the script draws, and the index of each thread in it."""
    index, threads = {}, []
    coloured = {thread: i for i, (_, thread) in enumerate(times[:figures.COLOURS])}

    def index_of(thread):
        if thread not in index:
            index[thread] = len(threads)
            threads.append([figures.name_of(trace, thread), coloured.get(thread, -1)])
        return index[thread]

    ranks = sorted(trace.ranks)
    row = {rank: i for i, rank in enumerate(ranks)}
    lanes = figures.lanes(trace)
    bars = []
    for rank in ranks:
        flat, last = [], 0
        for begin, length, share, thread in lanes.get(rank, ()):
            flat += (begin - last, length, share, index_of(thread))
            last = begin
        bars.append(flat)
    moves = []
    for move in figures.spread(trace.moves, MOST_MOVE_LINES):
        if move.arrived_ns is not None and not move.refused and move.source in row and move.target in row:
            moves += (move.ns, max(move.arrived_ns, move.ns), index_of(move.thread), row[move.source], row[move.target])
    content = {"end": max(trace.end_ns, 1), "ranks": [trace.ranks[rank] for rank in ranks], "bars": bars,
               "moves": moves, "steps": [step.ns for step in trace.steps], "threads": threads}
    return content, index


def beside(name):
    """What a file beside this one has, to be put into the page as it is."""
    with open(os.path.join(os.path.dirname(os.path.realpath(__file__)), name), encoding="utf-8") as file:
        return Markup(file.read())


def make(trace, file_name):
    """The page, as text."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    environment.filters |= {"duration": figures.duration, "size": figures.size, "id": home_and_number,
                            "name": lambda thread: figures.name_of(trace, thread)}
    busy = figures.busy(trace)
    times = figures.running_times(trace)
    content, index = data(trace, times)
    return environment.from_string(beside("page.html")).render(
        title=f"{trace.about['program']}: {file_name}" if trace.about.get("program") else file_name,
        style=beside("page.css"), script=beside("page.js"), data=content, tiles=tiles(trace, busy),
        warnings=warnings(trace), efficiency=charts.efficiency(busy, trace.end_ns), steps=trace.steps,
        shown_steps=[(step, charts.loads(step.before, step.after))
                     for step in figures.spread(trace.steps, MOST_STEP_CHARTS)],
        moves=moves(trace), threads=threads(trace, times, index), times_are_whole=bool(trace.longest),
        messages=messages(trace))
