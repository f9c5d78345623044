"""Draws rows of small plots as one SVG, readable on white and on black pages.

The x axis is logarithmic (a step at 0 gets a place of its own at its left), the y axis begins at 0 or,
where a panel says so, is logarithmic too.
"""

import dataclasses
import math
from xml.sax.saxutils import escape

from verdict import number

WIDTH, PANEL, PLOT_HEIGHT = 1080, 270, 120  # px
LEFT, RIGHT = 46, 14          # of a panel, beside the plot
HEAD, ABOVE, BELOW = 40, 42, 46  # of a row: its heading; of a panel: title and legend, axis and unit
STYLE = """
text { font: 11px system-ui, sans-serif; fill: #24292f }
.heading { font-size: 15px; font-weight: 600 } .title { font-weight: 600 }
.axis { stroke: #57606a } .grid { stroke: #d0d7de }
.line { stroke-width: 2 } .end { text-anchor: end } .middle { text-anchor: middle }
.s0 { stroke: #0969da; fill: #0969da } .s1 { stroke: #bc4c00; fill: #bc4c00 }
path.line { fill: none } text.s0, text.s1 { stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #d0d7de } .axis { stroke: #8b949e } .grid { stroke: #30363d }
  .s0 { stroke: #58a6ff; fill: #58a6ff } .s1 { stroke: #f0883e; fill: #f0883e }
}"""


@dataclasses.dataclass
class Line:
    name: str
    points: list  # of (x, y)


@dataclasses.dataclass
class Panel:
    """At most two lines."""
    title: str
    unit: str
    step: str  # what x is
    log: bool
    lines: list


@dataclasses.dataclass
class Row:
    heading: str
    panels: list


def nice_above(value):
    """The least of 1, 2, 2.5 and 5 times a power of ten that is not below."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value * 0.999999)


def ticks(values, log):
    """Of a y axis: the first is its beginning, the last its end."""
    most = max(values, default=0)
    if most <= 0:
        return [0, 1]
    if not log:
        step = nice_above(most / 4)
        return [step * i for i in range(math.ceil(most / step * 0.999999) + 1)]
    least = min(value for value in values if value > 0)
    first, last = math.floor(math.log10(least)), math.ceil(math.log10(most))
    return [10.0 ** power for power in range(first, max(last, first + 1) + 1)]


def short(step):
    """1000 as 1k, for an axis."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if step >= size:
            return f"{step / size:g}{letter}"
    return f"{step:g}"


def text(x, y, words, kind=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(words)}</text>'


def rule(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def places(steps):
    """Where each step stands on the x axis, from 0 to 1."""
    above = [math.log10(step) for step in steps if step > 0]
    # A 0 stands as far from the next step as that one from the one after it.
    gap = above[1] - above[0] if len(above) > 1 else 1
    at = [min(above, default=0) - gap if step == 0 else math.log10(step) for step in steps]
    span = max(at) - min(at) or 1
    return [(one - min(at)) / span for one in at]


def draw_panel(panel, left, top):
    width = PANEL - LEFT - RIGHT
    left, top = left + LEFT, top + ABOVE
    marks = ticks([y for line in panel.lines for _, y in line.points], panel.log)
    scale = math.log10 if panel.log else float
    low, high = scale(marks[0]), scale(marks[-1])

    def height(value):
        if panel.log and value <= 0:
            return top + PLOT_HEIGHT
        return top + PLOT_HEIGHT * (1 - (scale(value) - low) / (high - low))

    out = [text(left - LEFT + 8, top - 26, f"{panel.title}, {panel.unit}", "title")]
    for mark in marks:
        kind = "axis" if mark == marks[0] else "grid"
        out += [rule(left, height(mark), left + width, height(mark), kind),
                text(left - 5, height(mark) + 4, short(float(f"{mark:.6g}")), "end")]
    steps = sorted({x for line in panel.lines for x, _ in line.points})
    inset = 24
    xs = {step: left + inset + place * (width - 2 * inset)
          for step, place in zip(steps, places(steps))}
    for step in steps:
        out += [rule(xs[step], top + PLOT_HEIGHT, xs[step], top + PLOT_HEIGHT + 4, "axis"),
                text(xs[step], top + PLOT_HEIGHT + 16, short(step), "middle")]
    out.append(text(left + width / 2, top + PLOT_HEIGHT + 31, panel.step, "middle"))
    for index, line in enumerate(panel.lines):
        kind = f"s{index}"
        points = [(xs[x], height(y)) for x, y in line.points]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        out.append(f'<path d="M{path}" class="line {kind}"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="{kind}"/>' for x, y in points]
        if len(panel.lines) > 1:
            out.append(text(left + index * width / 2, top - 11, f"● {line.name}", kind))
        else:
            out += [text(x, y - 7, number(value), "middle")
                    for (x, y), (_, value) in zip(points, line.points)]
    return out


def svg(rows, about):
    """The picture as text; `about` says what it shows to those who cannot see it."""
    out, top = [], 0
    for row in rows:
        out.append(text(8, top + 26, row.heading, "heading"))
        for index, panel in enumerate(row.panels):
            out += draw_panel(panel, index * PANEL, top + HEAD)
        top += HEAD + ABOVE + PLOT_HEIGHT + BELOW
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" '
        f'height="{top}" role="img">', f"<title>{escape(about)}</title>", f"<style>{STYLE}\n</style>",
        *out, "</svg>", ""])
