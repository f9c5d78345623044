"""What a scale is: one quantity that grows, and columns of what is measured at each step of it.

Pure: nothing here starts or measures anything.
"""

import dataclasses

import plot
from verdict import number, table


@dataclasses.dataclass(frozen=True)
class Column:
    """`panel` is the plot it is drawn in, with others of that name; None: in the table only."""
    key: str
    about: str
    unit: str
    panel: str = None
    log: bool = False


@dataclasses.dataclass
class Scale:
    """`about` heads its table and its row of plots, `step` names what grows. A value is a number or, with
    `beside`, a pair: ours, and that of what is measured beside it."""
    name: str
    about: str
    step: str
    columns: list
    beside: str = None
    steps: dict = dataclasses.field(default_factory=dict)  # of the step: column key → value

    def add(self, step, values):
        odd = set(values) ^ {column.key for column in self.columns}
        if odd:
            raise ValueError(f"{self.name}: {', '.join(sorted(odd))}")
        self.steps[step] = {key: value if self.beside else (value,) for key, value in values.items()}

    def line(self, step):
        values = (f"{column.key}={'/'.join(map(number, self.steps[step][column.key]))}"
                  for column in self.columns)
        return " ".join(["GROWTH", self.name, str(step), *(v.replace(" ", "") for v in values)])

    def markdown(self):
        head = [self.step.capitalize(), *(f"{c.about}, {c.unit}" for c in self.columns)]
        rows = [[f"{step:,}".replace(",", " "), *(cell(*values[c.key]) for c in self.columns)]
                for step, values in self.steps.items()]
        return [f"{self.about}:", "", *table(head, rows)]

    def row(self):
        """Of the plot: a panel for each name, with its columns as lines."""
        panels = {}
        for column in self.columns:
            if column.panel is None:
                continue
            panel = panels.setdefault(
                column.panel, plot.Panel(column.panel, column.unit, self.step, column.log, []))
            names = [self.step, self.beside] if self.beside else [column.about]
            for index, name in enumerate(names):
                panel.lines.append(plot.Line(
                    name, [(step, values[column.key][index]) for step, values in self.steps.items()]))
        return plot.Row(self.about, list(panels.values()))


def cell(ours, beside=None):
    return number(ours) if beside is None else f"{number(ours)} ({number(ours / beside)} ×)"
