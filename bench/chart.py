"""One picture of a run: a bar a row, how far its ratio is from its floor, on a scale of powers of two."""

import math

import svgwrite

LINE, BAR, GAP = 15, 9, 26              # heights in pixels: of a row, of its bar, above a group
TITLES, FLOORS, SCALE, RIGHT = 390, 200, 560, 130  # widths
LOWEST, HIGHEST = 1 / 16, 16            # ratios beyond are cut, and say so
COLOURS = {"yes": "#2f8f4e", "at best": "#d9a400", "no": "#c0392b", None: "#5b7aa8"}

# Title of the rows whose names begin so; the first that fits.
GROUPS = (("yield", "Yield"), ("raw_switch", "Yield"), ("spawn", "Spawn"), ("hop_in_node", "Hop inside a node"),
          ("hop_group", "Groups"), ("message", "Messages"), ("checkpoint", "Checkpoints"),
          ("hop_", "Hop between nodes"), ("live", "Hop between nodes"), ("million", "Many threads"), ("access", "Large memory"),
          ("heap", "Heap"), ("plain_malloc", "Heap"), ("", "Memory of a thread"))


def place(ratio):
    """Where on the scale a ratio lies."""
    inside = min(max(ratio, LOWEST), HIGHEST)
    return TITLES + FLOORS + SCALE * math.log(inside / LOWEST) / math.log(HIGHEST / LOWEST)


def groups(figures):
    """Rows with a ratio, in the table's order, by group."""
    found = {}
    for figure in figures:
        if figure.get("ratio_median", 0) > 0:
            title = next(title for start, title in GROUPS if figure["name"].startswith(start))
            found.setdefault(title, []).append(figure)
    return found


def draw_row(svg, figure, y):
    ratio, low, high = (figure["ratio_median"], *figure["ratio_spread"])
    middle = y + LINE / 2
    colour = COLOURS[figure.get("met")]
    left, right = sorted((place(1), place(ratio)))
    svg.add(svg.rect((left, middle - BAR / 2), (max(right - left, 1), BAR), fill=colour))
    if low > 0:
        svg.add(svg.line((place(low), middle), (place(high), middle), stroke="black", stroke_width=1))
    text = {"font_size": 11, "fill": "black"}
    svg.add(svg.text(figure["title"], (TITLES - 6, middle + 4), text_anchor="end", **text))
    svg.add(svg.text("/ " + figure["floor"], (TITLES, middle + 4), font_size=10, fill="#666"))
    cut = "" if LOWEST <= ratio <= HIGHEST else " (beyond the scale)"
    svg.add(svg.text(f"{ratio:.2f}{cut}", (TITLES + FLOORS + SCALE + 8, middle + 4), **text))
    expect = figure.get("expect")
    if expect and expect["kind"] == "ratio" and LOWEST <= expect["at_most"] <= HIGHEST:
        x = place(expect["at_most"])
        svg.add(svg.line((x, y + 1), (x, y + LINE - 1), stroke="black", stroke_width=2))


def draw(path, heading, figures):
    """Writes the SVG file `path`."""
    found = groups(figures)
    height = 90 + sum(GAP + LINE * len(rows) for rows in found.values())
    width = TITLES + FLOORS + SCALE + RIGHT
    svg = svgwrite.Drawing(str(path), size=(width, height), font_family="sans-serif")
    svg.add(svg.rect((0, 0), (width, height), fill="white"))
    svg.add(svg.text("Roam: median ratio to the floor or peer of the same run; left of 1 is faster or smaller",
                     (10, 22), font_size=15, fill="black"))
    svg.add(svg.text(heading, (10, 40), font_size=10, fill="#444"))
    svg.add(svg.text("green: expected and met; yellow: met at best; red: not met; blue: nothing expected. "
                     "Thin line: middle half of the rounds. Tick: the limit.",
                     (10, 55), font_size=10, fill="#444"))
    for power in range(round(math.log2(LOWEST)), round(math.log2(HIGHEST)) + 1):
        x = place(2.0 ** power)
        svg.add(svg.line((x, 76), (x, height - 10), stroke="#888" if power == 0 else "#ddd"))
        label = f"1/{2 ** -power}" if power < 0 else str(2 ** power)
        svg.add(svg.text(label, (x, 72), font_size=10, text_anchor="middle", fill="#444"))
    y = 80
    for title, rows in found.items():
        svg.add(svg.text(title, (10, y + 16), font_size=12, font_weight="bold", fill="black"))
        y += GAP
        for figure in rows:
            draw_row(svg, figure, y)
            y += LINE
    svg.save()
