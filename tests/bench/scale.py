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
    """`about` heads its table and its row of plots, `step` names what grows."""
    name: str
    about: str
    step: str
    columns: list
    steps: dict = dataclasses.field(default_factory=dict)  # of the step: column key → value

    def add(self, step, values):
        unknown = set(values) ^ {column.key for column in self.columns}
        if unknown:
            raise ValueError(f"{self.name}: {', '.join(sorted(unknown))}")
        self.steps[step] = values

    def line(self, step):
        values = " ".join(f"{column.key}={number(self.steps[step][column.key]).replace(' ', '')}"
                          for column in self.columns)
        return f"GROWTH {self.name} {step} {values}"

    def markdown(self):
        head = [self.step.capitalize(), *(f"{c.about}, {c.unit}" for c in self.columns)]
        rows = [[f"{step:,}".replace(",", " "), *(number(values[c.key]) for c in self.columns)]
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
            panel.lines.append(plot.Line(
                column.about, [(step, values[column.key]) for step, values in self.steps.items()]))
        return plot.Row(self.about, list(panels.values()))
