"""Pictures of the page, as SVG that stands in it; colours come from page.css."""

import svgwrite
import svgwrite.container
from markupsafe import Markup

from figures import duration

WIDTH = 1160
LEFT = 44
RIGHT = 10

# Makes elements; without looking at each attribute, which takes most of the time.
new = svgwrite.Drawing(debug=False)


def picture(width, height):
    svg = svgwrite.container.SVG(debug=False, role="img")
    svg.viewbox(0, 0, width, height)
    return svg


def in_page(svg):
    return Markup(svg.tostring())


def near(*values):
    """As exact as a picture needs it."""
    return tuple(round(value, 1) for value in values)


def efficiency(busy, end_ns):
    """The mean busy share of the ranks over time, and the band from the least to the most."""
    height, top = 150, 8
    columns = list(zip(*busy.values()))

    def x(i):
        return LEFT + (WIDTH - LEFT - RIGHT) * i / max(len(columns) - 1, 1)

    def y(share):
        return top + height * (1 - min(max(share, 0), 1))

    svg = picture(WIDTH, top + height + 22)
    for percent in (0, 50, 100):
        level = y(percent / 100)
        svg.add(new.line(near(LEFT, level), near(WIDTH - RIGHT, level), class_="axis"))
        svg.add(new.text(f"{percent} %", near(LEFT - 6, level + 4), text_anchor="end"))
    band = [near(x(i), y(max(column))) for i, column in enumerate(columns)]
    band += [near(x(i), y(min(columns[i]))) for i in reversed(range(len(columns)))]
    svg.add(new.polygon(band, class_="band"))
    svg.add(new.polyline([near(x(i), y(sum(column) / len(column))) for i, column in enumerate(columns)],
                         class_="mean"))
    for i in range(5):
        svg.add(new.text(duration(end_ns * i / 4) if i else "0",
                         near(LEFT + (WIDTH - LEFT - RIGHT) * i / 4, top + height + 16),
                         text_anchor=("start", "middle", "middle", "middle", "end")[i]))
    return in_page(svg)


def loads(before, after):
    """A pair of bars a rank: its load before and after a balancing step."""
    width, height, top, left = 420, 110, 6, 6
    most = max([*before, *after, 1e-12])
    mean = sum(before) / max(len(before), 1)
    pitch = (width - 2 * left) / max(len(before), 1)
    bar = min(pitch * 0.42, 26)
    svg = picture(width, top + height + 18)
    for rank, pair in enumerate(zip(before, after)):
        middle = left + pitch * (rank + 0.5)
        for kind, load, at in (("before", pair[0], middle - bar), ("after", pair[1], middle)):
            tall = height * load / most
            one = new.rect(near(at, top + height - tall), near(max(bar - .5, .5), max(tall, .5)), class_=kind)
            one.set_desc(title=f"rank {rank} {kind}: {load:.4g}")
            svg.add(one)
        if len(before) <= 16 or rank % 8 == 0:
            svg.add(new.text(str(rank), near(middle, top + height + 13), text_anchor="middle"))
    level = top + height * (1 - mean / most)
    svg.add(new.line(near(left, level), near(width - left, level), class_="level"))
    return in_page(svg)
