"""The timeline of a run as one SVG: for each rank a lane, for each thread a band, for each move an arc.

Parts of the run, each as long as one thread of it lived, are drawn one above the other on one time axis.
"""

import math

import svgwrite

import figures
from bands import Part, fill, lives, moves_of, threads_in
from reading import Unreadable
from shapes import HUES, clean, colour, counted, decimals_of, near, outline, shown, tick_step, unit_for

# The picture, in pixels.
WIDTH, LEFT, RIGHT, PARTS_TOP = 1280, 92, 1104, 88
HEADING, AXIS, LANE_GAP, LEGEND = 42, 50, 14, 74
BUSY_LEFT, BUSY_WIDTH = RIGHT + 22, 84
COLUMN = 2
THIN_BAND = 2.5
GLYPH, LABEL_HEIGHT = 6.4, 13   # of a letter of a band's label, about
VISIT = 0.1                     # a stay in which a thread ran less than so many pixels gets no band
MOST_ARCS = 4_000

STYLE = """
  text { font-family: Inter, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif;
         font-size: 13px; fill: #1d2733; }
  .title { font-size: 22px; font-weight: 600; }
  .heading { font-size: 16px; font-weight: 600; }
  .soft { fill: #5d6b7a; }
  .right { text-anchor: end; }
  .tick { fill: #5d6b7a; text-anchor: middle; font-size: 12px; }
  .label { font-size: 11px; fill: #ffffff; text-anchor: middle; pointer-events: none; }
  .lane { fill: #f3f5f8; }
  .grid { stroke: #dce1e8; }
  .busy { fill: #8c9aab; }
  .band:hover { stroke: #1d2733; stroke-width: 1.5; }
  .halo { fill: none; stroke: #ffffff; stroke-width: 3.4; stroke-opacity: 0.7; }
  .arc { fill: none; stroke-width: 1.5; }
  .dot { stroke: #ffffff; stroke-width: 1; }
  .finish { stroke: #1d2733; stroke-width: 1.5; stroke-dasharray: 4 3; }
"""


class Timeline:
    def __init__(self, trace, parts, hidden):
        self.trace, self.parts = trace, parts
        self.ranks = sorted(trace.ranks)
        all_lives = lives(trace)
        for part in parts:
            threads_in(trace, part, all_lives, hidden)
            ends = [end for stays in part.stays.values() for stay in stays for _, end in stay.turns]
            part.end_ns = max(ends, default=part.end_ns)
        self.end_ns = 1.02 * max(1, *(part.end_ns - part.begin_ns for part in parts))
        self.column_ns = self.end_ns * COLUMN / (RIGHT - LEFT)
        for part in parts:
            fill(trace, part, self.column_ns)
        self.most_busy = max(1, *(busy for part in parts for busy in part.busy_ns.values()))
        share = max([0.1, *(base + height for part in parts for lane in part.lanes.values() for band in lane
                            for base, height in zip(band.base, band.height))])
        self.most_share = math.ceil(10 * share - 0.01) / 10
        self.lane_height = min(max(336 / len(self.ranks), 24), 96)
        self.part_height = HEADING + len(self.ranks) * (self.lane_height + LANE_GAP) + AXIS
        self.height = PARTS_TOP + len(parts) * self.part_height + LEGEND
        # A thread's number among those of its part, which says its shade.
        self.numbers = [{thread: number for number, thread in enumerate(part.stays)} for part in parts]
        self.svg = svgwrite.Drawing(size=(WIDTH, round(self.height)), viewBox=f"0 0 {WIDTH} {self.height:.0f}",
                                    debug=False)
        self.arcs = 0

    # ---- places ----

    def part_top(self, i):
        return PARTS_TOP + i * self.part_height

    def lane_top(self, i, rank):
        return self.part_top(i) + HEADING + self.ranks.index(rank) * (self.lane_height + LANE_GAP)

    def x(self, ns):
        return LEFT + ns / self.end_ns * (RIGHT - LEFT)

    def y(self, i, rank, share):
        return self.lane_top(i, rank) + self.lane_height * (1 - share / self.most_share)

    def visible(self, stay):
        return stay.ran_ns() / self.column_ns * COLUMN >= VISIT

    # ---- pieces ----

    def text(self, x, y, kind, text):
        self.svg.add(self.svg.text(clean(text), near(x, y), class_=kind))

    def name(self, thread):
        return figures.name_of(self.trace, thread if thread > 0 else 0)

    def tooltip(self, thread, stays):
        ranks = [stays[0].rank, *(after.rank for _, after in moves_of(stays))]
        return clean(f"{self.name(thread)}, rank {' → '.join(map(str, ranks))}")

    def colour(self, i, thread, line=False):
        if thread < 0:
            return "#b4bcc9"
        return colour(self.parts[i].stays[thread][0].rank, self.numbers[i][thread], line)

    def draw(self):
        svg = self.svg
        svg.defs.add(svg.style(STYLE))
        svg.add(svg.rect((0, 0), ("100%", "100%"), fill="#ffffff"))
        threads = len({thread for thread in self.parts[-1].stays if thread > 0})
        self.text(LEFT, 44, "title", f"{self.trace.about.get('program', 'Roam')}: {counted(threads, 'thread')} on "
                                     f"{counted(len(self.ranks), 'rank')}")
        self.text(LEFT, 68, "soft", "A band is a thread, as high as its share of a core; a lane's coloured area is the "
                                    "rank's busy time. An arc is a migration.")
        for i, part in enumerate(self.parts):
            self.draw_part(i, part)
        self.draw_legend()
        return svg.tostring()

    def draw_part(self, i, part):
        self.draw_axis(i, part)
        for rank in self.ranks:
            self.draw_busy(i, rank, part.busy_ns[rank])
        for thread, stays in part.stays.items():
            for band in stays:
                if self.visible(band):
                    self.draw_band(i, part, thread, band)
        moves = [(thread, *ends) for thread, stays in part.stays.items() for ends in moves_of(stays)]
        for move in figures.spread(moves, MOST_ARCS):
            self.draw_move(i, part, *move)
        self.draw_heading(i, part, moves)

    def draw_heading(self, i, part, moves):
        length = part.end_ns - part.begin_ns
        unit = unit_for(length)
        facts = (f"efficiency {100 * part.efficiency():.0f} %,  {shown(length, unit, decimals_of(length, unit))} "
                 "from start to end")
        if moves:
            waits = sorted(after.turns[0][0] - before.end_ns for _, before, after in moves)
            facts += (f",  {counted(len(moves), 'move')} of {counted(len({move[0] for move in moves}), 'thread')},  "
                      f"median {figures.duration(waits[len(waits) // 2])} from departure to running on")
        top = self.part_top(i) + 22
        self.text(LEFT, top, "heading", part.name[:1].upper() + part.name[1:])
        self.text(LEFT + 190, top, "soft", facts)
        self.text(BUSY_LEFT, top, "soft", "busy (CPU time)")

    def draw_axis(self, i, part):
        svg, bottom = self.svg, self.lane_top(i, self.ranks[-1]) + self.lane_height
        for rank in self.ranks:
            svg.add(svg.rect(near(LEFT, self.lane_top(i, rank)), near(RIGHT - LEFT, self.lane_height), class_="lane"))
        step, unit = tick_step(self.end_ns), unit_for(self.end_ns)
        decimals = max(0, -math.floor(math.log10(step / unit[1]) + 1e-9))
        for k in range(int(self.end_ns / step) + 1):
            x = self.x(k * step)
            svg.add(svg.line(near(x, self.lane_top(i, self.ranks[0])), near(x, bottom + 5), class_="grid"))
            self.text(x, bottom + 20, "tick", shown(k * step, unit, decimals))
        x = self.x(part.end_ns - part.begin_ns)
        svg.add(svg.line(near(x, self.lane_top(i, self.ranks[0]) - 6), near(x, bottom + 5), class_="finish"))

    def draw_busy(self, i, rank, busy_ns):
        middle = self.lane_top(i, rank) + self.lane_height / 2
        width, height = max(1, BUSY_WIDTH * busy_ns / self.most_busy), min(18, self.lane_height * 0.6)
        self.text(LEFT - 14, middle + 4.5, "right", f"rank {rank}")
        self.svg.add(self.svg.rect(near(BUSY_LEFT, middle - height / 2), near(width, height), rx=2, class_="busy"))
        unit = unit_for(self.most_busy)
        self.text(BUSY_LEFT + width + 6, middle + 4.5, "", shown(busy_ns, unit, decimals_of(self.most_busy, unit)))

    def draw_band(self, i, part, thread, band):
        top, bottom = [], []
        for column in range(len(band.height) + 1):
            at = min(column, len(band.height) - 1)
            x = LEFT + COLUMN * (band.first + column)
            bottom.append((x, self.y(i, band.rank, band.base[at])))
            top.append((x, self.y(i, band.rank, band.base[at] + band.height[at])))
        fill_colour = self.colour(i, thread)
        # A white border parts bands that are thick enough; else one of its own colour closes the seam.
        thick = self.lane_height / self.most_share * sum(band.height) / len(band.height)
        path = self.svg.path(d=outline(top, bottom), class_="band", fill=fill_colour,
                             stroke=fill_colour if thick < THIN_BAND else "#ffffff",
                             stroke_width=0.2 if thick < THIN_BAND else 0.5)
        path.set_desc(title=self.tooltip(thread, part.stays[thread]))
        self.svg.add(path)
        self.draw_label(thread, top, bottom)

    def draw_label(self, thread, top, bottom):
        """Names the thread in the band, at the first place that is wide and high enough: of a path and what is said of
        it, the file."""
        name = self.name(thread).rsplit("/", 1)[-1].split(", ")[0]
        begin, ceiling, floor = 0, 0, 0
        for i, ((x, high), (_, low)) in enumerate(zip(top, bottom)):
            ceiling, floor = (high, low) if begin == i else (max(ceiling, high), min(floor, low))
            if floor - ceiling < LABEL_HEIGHT:
                begin = i + 1
            elif x - top[begin][0] >= GLYPH * len(name) + 8:
                self.text((x + top[begin][0]) / 2, (ceiling + floor) / 2 + 4, "label", name)
                return

    def draw_move(self, i, part, thread, before, after):
        """From the departure to the next turn."""
        ends = []
        for stay, ns in ((before, before.end_ns), (after, after.turns[0][0])):
            x = self.x(ns - part.begin_ns)
            ends.append((x, self.y(i, stay.rank, stay.middle((x - LEFT) / COLUMN))))
        (ax, ay), (bx, by) = ends
        fan = self.numbers[i][thread] * 0.618034 % 1  # moves of one moment fan out
        bow, lift = 8 + (0.02 + 0.16 * fan) * abs(by - ay), 0.2 * (by - ay)
        arc = f"M{ax:.1f} {ay:.1f} C{ax + bow:.1f} {ay + lift:.1f} {bx + bow:.1f} {by - lift:.1f} {bx:.1f} {by:.1f}"
        line = self.colour(i, thread, line=True)
        group = self.svg.g()
        group.set_desc(title=self.tooltip(thread, part.stays[thread]))
        group.add(self.svg.path(d=arc, class_="halo"))
        group.add(self.svg.path(d=arc, class_="arc", stroke=line))
        for place, radius in ((ends[0], 2.2), (ends[1], 3.4)):
            group.add(self.svg.circle(near(*place), radius, class_="dot", fill=line))
        self.svg.add(group)
        self.arcs += 1

    def draw_legend(self):
        swatch, shades = 14, 4
        y = self.part_top(len(self.parts)) + 14
        self.text(LEFT, y, "", "begun on")
        x = LEFT + 76
        for home in range(min(len(self.ranks), len(HUES))):
            for shade in range(shades):
                self.svg.add(self.svg.rect(near(x, y - swatch + 2), (swatch, swatch), fill=colour(home, shade)))
                x += swatch
            self.text(x + 7, y, "", f"rank {home}")
            x += 70
        x += 12
        self.svg.add(self.svg.path(d=f"M{x:.1f} {y + 1:.1f} q 9 -15 24 -9", class_="arc", stroke="#3c4856"))
        self.svg.add(self.svg.circle(near(x + 24, y - 8), 3.4, class_="dot", fill="#3c4856"))
        self.text(x + 36, y, "", "a move, to the large dot")
        self.text(LEFT, y + 28, "soft", self.caption())

    def caption(self):
        cores = self.trace.about.get("cores", 0)
        where = counted(len(self.ranks), "rank") + (f", {counted(cores, 'core')}" if cores else "")
        few = "; start to end also shows how few the cores are" if 0 < cores < len(self.ranks) else ""
        busy = ("Busy is CPU time of the threads shown" if self.trace.core else
                "Busy is the time of turns: this trace has no CPU time")
        return f"{where}. {busy}{few}. A lane's full height is {100 * self.most_share:.0f} % of a core."


def part_of(trace, name):
    """From the first turn of the threads that are called so to their last. Errors: Unreadable."""
    threads = {thread for thread, called in trace.names.items() if called == name}
    turns = [turn for turns in trace.turns.values() for turn in turns if turn[2] in threads]
    if not turns:
        raise Unreadable(f"no thread that ran is called '{name}'")
    return Part(name, min(turn[0] for turn in turns), max(turn[1] for turn in turns))


def make(trace, names):
    """The picture, as text, and how many moves are drawn. `names`: of the threads whose lives are the parts, which are
    not drawn themselves; of none, the whole run is one.
    Errors: Unreadable."""
    parts = [part_of(trace, name) for name in names] or [Part("the run", 0, trace.end_ns)]
    hidden = {thread for thread, name in trace.names.items() if name in names}
    timeline = Timeline(trace, parts, hidden)
    return timeline.draw(), timeline.arcs
