"""What the timeline is made of: colours, outlines, and numbers with their units."""

import math
import unicodedata

# By rank, in degrees; further ranks have hues between them.
HUES = (255, 50, 155, 340, 90, 205)


def oklch(lightness, chroma, hue):
    """A colour of equal lightness whatever the hue (degrees). Source: Ottosson 2020, OKLab."""
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    l, m, s = ((lightness + x * a + y * b) ** 3 for x, y in (
        (0.3963377774, 0.2158037573), (-0.1055613458, -0.0638541728), (-0.0894841775, -1.2914855480)))
    linear = (4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
              -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
              -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)

    def channel(value):
        x = min(max(value, 0), 1)
        return round(255 * (12.92 * x if x <= 0.0031308 else 1.055 * x ** (1 / 2.4) - 0.055))

    return "#" + "".join(f"{channel(value):02x}" for value in linear)


def colour(home, number, line=False):
    """The hue is of the rank on which a thread begins, the lightness its own, unlike its neighbours'."""
    hue = HUES[home] if home < len(HUES) else home * 137.508 % 360
    if line:
        return oklch(0.42, 0.13, hue)
    step = number * 0.618034 % 1
    return oklch(0.54 + 0.20 * step, 0.13 - 0.03 * step, hue)


def simplified(line):
    """The points that a line through few points needs, within 0.12 pixels. Source: Douglas and Peucker 1973."""
    kept, todo = {0, len(line) - 1}, [(0, len(line) - 1)]
    while todo:
        first, last = todo.pop()
        (x0, y0), (x1, y1) = line[first], line[last]
        slope = (y1 - y0) / (x1 - x0) if x1 != x0 else 0
        off, at = max(((abs(line[i][1] - y0 - slope * (line[i][0] - x0)), i) for i in range(first + 1, last)),
                      default=(0, first))
        if off > 0.12:
            kept.add(at)
            todo += [(first, at), (at, last)]
    return [line[i] for i in sorted(kept)]


def outline(top, bottom):
    return "M" + " ".join(f"{x:.1f} {y:.1f}" for x, y in simplified(top) + simplified(bottom)[::-1]) + "Z"


def tick_step(end):
    """1, 2 or 5 times a power of ten, for about ten ticks."""
    power = 10 ** math.floor(math.log10(end / 10))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= end / 10)


def unit_for(ns):
    """(name, nanoseconds), for values of which this is the largest."""
    return next((unit for unit in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)) if ns >= 0.1 * unit[1]), ("ns", 1))


def decimals_of(ns, unit):
    """So many that three digits or four are shown."""
    return 2 if ns < 10 * unit[1] else 1 if ns < 100 * unit[1] else 0


def shown(ns, unit, decimals):
    return f"{ns / unit[1]:.{decimals}f} {unit[0]}"


def clean(text):
    """What an XML document may hold."""
    return "".join("?" if unicodedata.category(c) in ("Cc", "Cs", "Cn") else c for c in text)


def counted(number, noun):
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def near(*values):
    return tuple(round(value, 1) for value in values)
