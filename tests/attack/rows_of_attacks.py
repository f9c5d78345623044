"""The rows, in the order they run."""

import importlib

import others_cases
from live.rows import Outcome, Row


def row(name, what, where, short=True, **settings):
    """`where`: module.function, (folder, quick) -> (met, what was seen, lines below). Imported late: a list of the
    rows needs nothing of what they need."""

    def measure(folder, options):
        module, function = where.split(".")
        return Outcome(*getattr(importlib.import_module(module), function)(folder, options.quick, **settings))

    return Row(name, what, measure, short)


def both(name, what, flood):
    """A flood straight at the port, and one through Envoy."""
    return [row(name, what, "flooded.straight", flood=flood),
            row(f"{name}-edge", f"{what}, through Envoy", "flooded.through_envoy", flood=flood)]


ROWS = [
    *both("continuation", "T19: a header block that never ends", "continuation_flood"),
    *both("hpack", "T19: one header of many megabytes", "hpack_string"),
    *both("rapid-reset", "T19: streams that are begun and reset, as fast as can be", "rapid_reset"),
    row("large-body", "T19: a request of 300 MB", "large_body.refused", through_envoy=False),
    row("large-body-edge", "T19: a request of 300 MB, through Envoy", "large_body.refused", through_envoy=True),
    row("idle-connections", "T19: 2,000 idle connections, where 1,024 files may be open", "crowds.idle_connections"),
    row("strange-ids", "T17: job ids and metadata that were made up, of two tenants", "strange_ids.strange_ids"),
    row("foreign-ids", "T17: another tenant's ids in every method, beside ids that nobody has",
        "foreign_ids.foreign_ids"),
    row("drained-crowd", "T10: SIGTERM under many watches and 50 submits that wait", "crowds.drained_crowd"),
    *[row(name, what, "others_cases.run", short, case=name)
      for name, what, short in others_cases.LISTED],
]
