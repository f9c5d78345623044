"""What a figure is: our program and a reference, measured in turns, and a goal for what comes out.

Pure: nothing here starts or measures anything.
"""

import dataclasses
import statistics


@dataclasses.dataclass(frozen=True)
class Goal:
    """A bound for the ratio ours ÷ reference or, with `absolute`, for ours.

    `guard` is the generous bound in the same terms that `run --guard` holds; noise must not reach it.
    """
    at_least: float = None
    at_most: float = None
    guard: float = None
    absolute: bool = False

    def __post_init__(self):
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("a goal is at_least or at_most")

    def met(self, value):
        return value >= self.at_least if self.at_most is None else value <= self.at_most

    def guarded(self, value):
        if self.guard is None:
            return True
        return value >= self.guard if self.at_most is None else value <= self.guard

    def text(self, unit):
        sign, bound = ("≥", self.at_least) if self.at_most is None else ("≤", self.at_most)
        return f"{sign} {number(bound)} {unit if self.absolute else '×'}".strip()


@dataclasses.dataclass(frozen=True)
class Figure:
    """One figure. `ours[i]` and `reference[i]` come from the same round of measuring."""
    name: str
    about: str
    unit: str
    ours: list
    reference: list
    goal: Goal

    def __post_init__(self):
        if not self.ours or len(self.ours) != len(self.reference):
            raise ValueError(f"{self.name}: every run of ours needs one of the reference beside it")

    @property
    def ratios(self):
        return [ours / reference for ours, reference in zip(self.ours, self.reference)]

    @property
    def ratio(self):
        return statistics.median(self.ratios)

    @property
    def value(self):
        """What the goal is about."""
        return statistics.median(self.ours) if self.goal.absolute else self.ratio

    @property
    def spread(self):
        """Least and most, of the ratios."""
        return f"{number(min(self.ratios))}–{number(max(self.ratios))}"

    @property
    def verdict(self):
        return "met" if self.goal.met(self.value) else "short"

    @property
    def guarded(self):
        return self.goal.guarded(self.value)

    def line(self):
        ours, reference = statistics.median(self.ours), statistics.median(self.reference)
        return (f"FIGURE {self.name} {number(ours)} {number(reference)} {number(self.ratio)} "
                f"{self.goal.text(self.unit).replace(' ', '')} {self.verdict} "
                f"unit={self.unit.replace(' ', '_')} runs={len(self.ours)} ratios={self.spread}")

    def row(self):
        ours, reference = statistics.median(self.ours), statistics.median(self.reference)
        return [self.about, f"{number(ours)} {self.unit}", f"{number(reference)} {self.unit}",
                f"{number(self.ratio)} ({self.spread})", self.goal.text(self.unit), self.verdict]


def in_windows(times, began, ended, seconds):
    """The most and the least that came in any `seconds` between two times, all in ns; the end of a
    window does not belong to it."""
    length = int(seconds * 1e9)
    times = [at for at in sorted(times) if began <= at < ended]
    # A count changes only where a window's beginning or end passes a time.
    starts = sorted({began, ended - length, *times, *(at + 1 for at in times),
                     *(at - length for at in times), *(at - length + 1 for at in times)})
    most, least, first, behind = 0, len(times), 0, 0
    for start in starts:
        if not began <= start <= ended - length:
            continue
        while first < len(times) and times[first] < start:
            first += 1
        while behind < len(times) and times[behind] < start + length:
            behind += 1
        most, least = max(most, behind - first), min(least, behind - first)
    return most, least


def number(value):
    """Three digits that matter."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def table(head, rows):
    """Lines of Markdown."""
    return [f"| {' | '.join(line)} |" for line in [head, ["--"] * len(head), *rows]]


def readme(figures):
    return table(["What", "Ours", "Reference", "Ratio (least–most)", "Goal", ""],
                 [figure.row() for figure in figures])
