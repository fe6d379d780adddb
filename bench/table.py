"""From the samples of a run to the figures of the table."""

import statistics

HEADER = ("figure", "best", "median", "floor", "best", "median", "ratio of best", "of medians", "middle half",
          "expected", "met")


def figures(row, samples):
    """One row of the table as a dictionary; samples as a program printed them.

    ratio_best is best over best floor: no single lucky pair decides it. ratio_median is the median
    over the rounds of what was measured over the floor of the same round.
    """
    measured, floor = samples["measured"], samples["floor"] if row.floor else []
    result = {
        "name": row.name, "title": row.title, "unit": samples["unit"], "bytes": samples["bytes"],
        "best": min(measured), "median": statistics.median(measured),
        "floor": row.floor, "samples": samples,
    }
    if floor and min(floor) > 0:
        ratios = sorted(m / f for m, f in zip(measured, floor))
        result.update(
            floor_best=min(floor), floor_median=statistics.median(floor),
            ratio_best=min(measured) / min(floor), ratio_median=statistics.median(ratios),
            ratio_spread=[ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]])
    if row.expect:
        kind, limit = row.expect
        result["expect"] = {"kind": kind, "at_most": limit}
        result["met"] = ("yes" if compared(result, kind, "median") <= limit else
                         "at best" if compared(result, kind, "best") <= limit else "no")
    return result


def compared(figure, kind, which):
    """The number of `figure` that an expectation of that kind limits; which: best or median."""
    if kind == "ratio":
        return figure["ratio_" + which]
    return figure[which] - (figure["floor_" + which] if kind == "above" else 0)


def amount(value, unit):
    if unit == "B":
        return f"{value:,.0f} B"
    if unit == "x":
        return f"{value:.2f}"
    for name, size in (("ms", 1e6), ("us", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {name}" if value < 1000 * size else f"{value / size:.0f} {name}"
    return f"{value:.3g} ns"


def cells(figure):
    unit = figure["unit"]
    line = [figure["title"], amount(figure["best"], unit), amount(figure["median"], unit)]
    if "ratio_best" in figure:
        low, high = figure["ratio_spread"]
        line += [figure["floor"], amount(figure["floor_best"], unit), amount(figure["floor_median"], unit),
                 f"{figure['ratio_best']:.2f}", f"{figure['ratio_median']:.2f}", f"{low:.2f} to {high:.2f}"]
    else:
        line += [figure["floor"] or "-"] + ["-"] * 5
    expect = figure.get("expect")
    if expect is None:
        return line + ["-", "-"]
    limit = (f"{expect['at_most']}x" if expect["kind"] == "ratio" else amount(expect["at_most"], unit))
    return line + [("<= floor + " if expect["kind"] == "above" else "<= ") + limit, figure["met"]]


def as_text(all_figures):
    """The table in Markdown, its columns aligned."""
    table = [HEADER] + [cells(f) for f in all_figures]
    widths = [max(len(line[i]) for line in table) for i in range(len(HEADER))]

    def text(line):
        left = (0, 3)  # words; the rest are numbers
        return "| " + " | ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths))) + " |"

    rule = "|" + "|".join(
        "-" * (width + 1) + ("-" if i in (0, 3) else ":") for i, width in enumerate(widths)) + "|"
    return "\n".join([text(table[0]), rule] + [text(line) for line in table[1:]])
