"""Pictures of the page, as inline SVG; colours come from page.css."""

from figures import duration

WIDTH = 1160
LEFT = 44
RIGHT = 10


def points(values):
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in values)


def efficiency(busy, end_ns):
    """The mean busy share of the ranks over time, and the band from the least to the most."""
    height, top = 150, 8
    columns = list(zip(*busy.values()))

    def x(i):
        return LEFT + (WIDTH - LEFT - RIGHT) * i / max(len(columns) - 1, 1)

    def y(share):
        return top + height * (1 - min(max(share, 0), 1))

    parts = []
    for percent in (0, 50, 100):
        level = y(percent / 100)
        parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{level:.1f}" y2="{level:.1f}"/>'
                     f'<text x="{LEFT - 6}" y="{level + 4:.1f}" text-anchor="end">{percent} %</text>')
    band = [(x(i), y(max(column))) for i, column in enumerate(columns)]
    band += [(x(i), y(min(columns[i]))) for i in reversed(range(len(columns)))]
    mean = [(x(i), y(sum(column) / len(column))) for i, column in enumerate(columns)]
    parts.append(f'<polygon class="band" points="{points(band)}"/><polyline class="mean" points="{points(mean)}"/>')
    for i in range(5):
        anchor = ("start", "middle", "middle", "middle", "end")[i]
        parts.append(f'<text x="{LEFT + (WIDTH - LEFT - RIGHT) * i / 4:.1f}" y="{top + height + 16}" '
                     f'text-anchor="{anchor}">{duration(end_ns * i / 4) if i else 0}</text>')
    return f'<svg viewBox="0 0 {WIDTH} {top + height + 22}" role="img">{"".join(parts)}</svg>'


def loads(before, after):
    """A pair of bars a rank: its load before and after a balancing step."""
    width, height, top, left = 420, 110, 6, 6
    most = max([*before, *after, 1e-12])
    mean = sum(before) / max(len(before), 1)
    pitch = (width - 2 * left) / max(len(before), 1)
    bar = min(pitch * 0.42, 26)
    parts = []
    for rank, pair in enumerate(zip(before, after)):
        middle = left + pitch * (rank + 0.5)
        for kind, load, at in (("before", pair[0], middle - bar), ("after", pair[1], middle)):
            tall = height * load / most
            parts.append(f'<rect class="{kind}" x="{at:.1f}" y="{top + height - tall:.1f}" width="{max(bar - .5, .5):.1f}" '
                         f'height="{max(tall, .5):.1f}"><title>rank {rank} {kind}: {load:.4g}</title></rect>')
        if len(before) <= 16 or rank % 8 == 0:
            parts.append(f'<text x="{middle:.1f}" y="{top + height + 13}" text-anchor="middle">{rank}</text>')
    level = top + height * (1 - mean / most)
    parts.append(f'<line class="level" x1="{left}" x2="{width - left}" y1="{level:.1f}" y2="{level:.1f}"/>')
    return f'<svg viewBox="0 0 {width} {top + height + 18}" role="img">{"".join(parts)}</svg>'
