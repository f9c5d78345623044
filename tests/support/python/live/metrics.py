"""What /metrics says."""

import re

PREFIX = "pictory_gateway_"
SAMPLE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')


def value(text, name, **labels):
    """The sum of the samples of that name that have these labels; the prefix of all of ours may be left out. A counter
    that is not there has not counted yet; a gauge that is not there has a wrong name."""
    found = [sample for sample in SAMPLE.finditer(text) if sample["name"] in (name, PREFIX + name)]
    if not found and not name.endswith(("_total", "_count")):
        raise AssertionError(f"no metric {name}, and none {PREFIX}{name}")
    return sum(float(sample["value"]) for sample in found
               if labels.items() <= dict(LABEL.findall(sample["labels"] or "")).items())
