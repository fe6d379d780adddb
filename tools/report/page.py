"""The HTML page of a trace: one file, nothing fetched."""

import html
import json
import os

import charts
import figures
from figures import duration, size
from reading import home_and_number

MOST_MOVE_LINES = 4_000   # on the lanes
MOST_MOVE_ROWS = 1_000    # in the table
MOST_STEP_CHARTS = 12
MOST_THREADS = 30
MOST_MATRIX_RANKS = 64

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<h1>{title}</h1>
{body}
<div id="tip"></div>
<script>
const DATA = {data};
{script}</script>
</body>
</html>
"""


def text(value):
    return html.escape(str(value))


def name_of(trace, thread):
    return trace.names.get(thread) or (f"thread {home_and_number(thread)}" if thread else "several threads")


def cell(value, shown=None):
    """A cell that sorts by its value."""
    return f'<td data-value="{value}">{text(value if shown is None else shown)}</td>'


def table(name, heads, rows):
    """`heads` that begin with '<' are of text, to the left."""
    head = "".join(f'<th class="text">{text(title[1:])}</th>' if title[0] == "<" else f"<th>{text(title)}</th>"
                   for title in heads)
    body = "".join(f"<tr>{row}</tr>\n" for row in rows)
    return (f'<div class="card scroll"><table class="list" id="{name}"><thead><tr>{head}</tr></thead>\n'
            f"<tbody>{body}</tbody></table></div>")


def tiles(trace, busy):
    shares = [sum(values) / len(values) for values in busy.values()]
    moves = [move for move in trace.moves if not move.refused]
    facts = [(duration(trace.end_ns), "time"), (len(trace.ranks), "ranks"), (f"{len(trace.names):,}", "threads seen"),
             (f"{100 * sum(shares) / max(len(shares), 1):.0f} %", "of the ranks' time busy"),
             (f"{len(moves):,}", "moves"), (size(sum(move.bytes for move in moves)), "sent by moves"),
             (f"{len(trace.steps):,}", "balancing steps")]
    return ('<div class="tiles">' +
            "".join(f'<div class="tile"><b>{text(value)}</b><span>{text(what)}</span></div>' for value, what in facts) +
            "</div>")


def warnings(trace):
    found = []
    if not trace.whole:
        found.append("The trace is truncated: what follows covers only what was in the file.")
    if trace.about.get("dropped_rows"):
        found.append(f"{trace.about['dropped_rows']:,} rows are missing: there was no room for them.")
    if trace.about.get("clock_error_ns", 0) > 1000:
        found.append(f"Times on different machines agree to {duration(trace.about['clock_error_ns'])}.")
    return "".join(f'<p class="warn">{text(line)}</p>' for line in found)


def lanes_section():
    return """<h2>Ranks over time</h2>
<p>One lane a rank; a bar is a turn of a thread, or several short ones, as high as the rank was busy with them.</p>
<div class="controls"><span>shift + wheel zooms, drag moves, hover marks a thread</span>
<button id="in">zoom in</button><button id="out">zoom out</button><button id="reset">all</button>
<label><input type="checkbox" id="moves" checked> moves</label></div>
<div class="card"><canvas id="lanes"></canvas></div>
<noscript><p class="warn">The lanes are drawn by JavaScript, which is off.</p></noscript>"""


def busy_section(trace, busy):
    return ("<h2>Efficiency over time</h2>\n<p>Share of time in which ranks had something to run: mean of all ranks, and "
            "the band between the busiest and the idlest.</p>\n<div class=\"card\" id=\"efficiency\">" +
            charts.efficiency(busy, trace.end_ns) + "</div>")


def steps_section(trace):
    title = "<h2>Load before and after balancing</h2>\n"
    if not trace.steps:
        return title + "<p>No balancing step was recorded.</p>"
    parts = []
    for step in figures.spread(trace.steps, MOST_STEP_CHARTS):
        parts.append(f'<div class="card step"><h3>at {duration(step.ns)}, {text(step.strategy or "balancing")}</h3>'
                     f"<p>most over mean {step.imbalance[0]:.2f} → {step.imbalance[1]:.2f}, {step.moves:,} moves, "
                     f"{size(step.bytes)}, took {duration(step.duration_ns)}</p>"
                     f"{charts.loads(step.before, step.after)}</div>")
    note = f" {len(parts)} of {len(trace.steps):,} steps." if len(parts) < len(trace.steps) else ""
    rows = [cell(step.ns, duration(step.ns)) + f'<td class="text">{text(step.strategy)}</td>' +
            cell(f"{step.imbalance[0]:.3f}") + cell(f"{step.imbalance[1]:.3f}") + cell(step.moves) +
            cell(step.bytes, size(step.bytes)) + cell(step.duration_ns, duration(step.duration_ns))
            for step in trace.steps]
    return (title + '<p><span class="key before" style="background:var(--before)"></span>before'
            '<span class="key" style="background:var(--accent)"></span>after; the dashed line is the mean.' + note +
            '</p>\n<div class="steps">' + "\n".join(parts) + "</div>\n<p></p>\n" +
            table("step_list", ["at", "<strategy", "before", "after", "moves", "sent", "took"], rows))


def matrix(name, ranks, value_of, shown):
    most = max((value_of(a, b) for a in ranks for b in ranks), default=0) or 1
    head = "".join(f"<th>{rank}</th>" for rank in ranks)
    rows = []
    for a in ranks:
        cells = []
        for b in ranks:
            value = value_of(a, b)
            shade = f' style="background:rgba(var(--heat),{0.08 + 0.6 * value / most:.2f})"' if value else ""
            cells.append(f'<td{shade} title="from rank {a} to rank {b}">{shown(value) if value else ""}</td>')
        rows.append(f"<tr><th>{a}</th>{''.join(cells)}</tr>")
    return (f'<div class="card scroll"><table class="matrix" id="{name}"><tr><th>from \\ to</th>{head}</tr>\n' +
            "\n".join(rows) + "</table></div>")


def short(count):
    return f"{count / 1e6:.1f}M" if count >= 1e6 else f"{count / 1e3:.0f}k" if count >= 1e4 else str(count)


def moves_section(trace):
    title = "<h2>Who moved</h2>\n"
    if not trace.moves:
        return title + "<p>No thread moved.</p>"
    pairs = figures.move_pairs(trace)
    ranks = sorted({rank for pair in pairs for rank in pair})
    parts = [title]
    if 0 < len(ranks) <= MOST_MATRIX_RANKS:
        parts.append("<p>Moves from rank (row) to rank (column).</p>")
        parts.append(matrix("move_matrix", ranks, lambda a, b: pairs[a, b][0] if (a, b) in pairs else 0, short))
    shown = figures.spread(trace.moves, MOST_MOVE_ROWS)
    note = f"{len(shown):,} of {len(trace.moves):,} moves, evenly spread over time. " if len(shown) < len(trace.moves) else ""
    parts.append(f"<p>{note}“took” is from the departure to the arrival, with the wait of both ranks' schedulers.</p>")
    rows = []
    for move in shown:
        took = "" if move.arrived_ns is None else max(move.arrived_ns - move.ns, 0)
        fate = "refused" if move.refused else duration(took) if took != "" else "did not arrive"
        rows.append(cell(move.ns, duration(move.ns)) + f'<td class="text">{text(name_of(trace, move.thread))}</td>' +
                    cell(move.thread, home_and_number(move.thread)) + cell(move.source) + cell(move.target) +
                    cell(move.bytes, size(move.bytes) if move.bytes else "handed over") + cell(took, fate))
    parts.append(table("move_list", ["at", "<thread", "id", "from", "to", "sent", "took"], rows))
    return "\n".join(parts)


def threads_section(trace, times, colours):
    hops, seen = {}, {}
    for move in trace.moves:
        hops[move.thread] = hops.get(move.thread, 0) + (not move.refused)
        seen.setdefault(move.thread, {move.source}).add(move.target)
    total = sum(end - begin for turns in trace.turns.values() for begin, end, _ in turns) or 1
    rows = []
    for ran, thread in times[:MOST_THREADS]:
        where = sorted(seen.get(thread, ()))
        chip = f'<span class="key" data-thread="{colours[thread]}"></span>' if thread in colours else ""
        rows.append(f'<td class="text">{chip}{text(name_of(trace, thread))}</td>' +
                    cell(thread, home_and_number(thread)) + cell(ran, duration(ran)) +
                    cell(f"{100 * ran / total:.1f}") + cell(hops.get(thread, 0)) +
                    f'<td class="text">{text(", ".join(map(str, where[:12])) + (" ..." if len(where) > 12 else ""))}</td>')
    note = "" if trace.longest else " Short turns that the trace holds as one, of several threads, are nobody's here."
    return (f"<h2>Top threads</h2>\n<p>By time on a processor.{note}</p>\n" +
            table("top_threads", ["<thread", "id", "ran", "% of all", "moves", "<ranks"], rows))


def messages_section(trace):
    if not trace.traffic:
        return ""
    ranks = sorted({rank for pair in trace.traffic for rank in pair})
    if len(ranks) > MOST_MATRIX_RANKS:
        return f"<h2>Messages</h2>\n<p>Between {len(ranks)} ranks: too many for a table.</p>"
    return ("<h2>Messages</h2>\n<p>Messages from rank (row) to rank (column), and their bytes.</p>\n" +
            matrix("message_matrix", ranks, lambda a, b: trace.traffic.get((a, b), (0, 0))[0], short) + "<p></p>" +
            matrix("message_bytes", ranks, lambda a, b: trace.traffic.get((a, b), (0, 0))[1], size))


def data(trace, times):
    """What the script draws, and the index of each thread in it."""
    index, threads = {}, []
    coloured = {thread: i for i, (_, thread) in enumerate(times[:figures.COLOURS])}

    def index_of(thread):
        if thread not in index:
            index[thread] = len(threads)
            threads.append([name_of(trace, thread), coloured.get(thread, -1)])
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
    # No "</script>" may stand in it.
    return json.dumps(content, separators=(",", ":")).replace("</", "<\\/"), index


def beside(name):
    with open(os.path.join(os.path.dirname(os.path.realpath(__file__)), name), encoding="utf-8") as file:
        return file.read()


def make(trace, file_name):
    """The page, as text."""
    busy = figures.busy(trace)
    times = figures.running_times(trace)
    content, index = data(trace, times)
    body = "\n".join([tiles(trace, busy), warnings(trace), lanes_section(), busy_section(trace, busy),
                      steps_section(trace), moves_section(trace), threads_section(trace, times, index),
                      messages_section(trace)])
    title = text(f"{trace.about['program']}: {file_name}" if trace.about.get("program") else file_name)
    return PAGE.format(title=title, style=beside("page.css"), body=body, data=content, script=beside("page.js"))
