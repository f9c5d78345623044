"""One measured number and what it may be."""

import dataclasses
import time

from verdict import Goal, number


@dataclasses.dataclass(frozen=True)
class Number:
    what: str
    value: float
    unit: str
    goal: Goal

    @property
    def met(self):
        return self.goal.met(self.value)

    def __str__(self):
        return f"{self.what} {number(self.value)} {self.unit}".strip() + f" ({self.goal.text('')})"


def at_most(what, value, bound, unit=""):
    return Number(what, value, unit, Goal(at_most=bound, absolute=True))


def at_least(what, value, bound, unit=""):
    return Number(what, value, unit, Goal(at_least=bound, absolute=True))


def seconds_until(true, patience, every=0.02):
    """How long it takes until it is true; a little more than `patience` if it does not come."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > patience:
            break
        time.sleep(every)
    return time.monotonic() - began
