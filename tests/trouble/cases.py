"""The cases, in the order they run."""

import dataclasses
import typing

from load import full_load, stalled_store
from outages import outage_unwatched, outage_watched
from watchers import black_holed, crowd_leaves, deaf_readers

PROGRAMS = ["pictory-gateway", "bench_gateway", "bench_upstream", "bench_watch_load",
            "bench_unary_load", "bench_paced_load", "fill", "bad_disk"]


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    what: str
    measure: typing.Callable  # (house.Bench) -> the Numbers
    short: bool = True  # can be measured in a --quick run


CASES = [
    Case("upstream-outage-watched", "10,000 watches while Pictory answers 503 for a minute",
         outage_watched),
    Case("upstream-down", "Pictory answers nothing for five minutes, and submits go on",
         outage_unwatched),
    Case("crowd-leaves", "10,000 watches come, and are all gone at once",
         crowd_leaves),
    Case("deaf-readers", "1,000 watches that never read, through 1,000 updates",
         deaf_readers),
    Case("black-holed", "200 watches whose network swallows everything, without an end",
         black_holed, short=False),
    Case("stalled-store", "The store's threads are kept for 3 s by the disk",
         stalled_store),
    Case("full-load", "500 submits and 2,000 GetJob a second beside 10,000 watches",
         full_load, short=False),
]
