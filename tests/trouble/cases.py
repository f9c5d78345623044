"""The cases, in the order they run."""

import house
from live.rows import Outcome, Row
from load import full_load, stalled_store
from outages import outage_unwatched, outage_watched
from watchers import black_holed, crowd_leaves, deaf_readers

PROGRAMS = ["pictory-gateway", "bench_gateway", "bench_upstream", "bench_watch_load",
            "bench_unary_load", "bench_paced_load", "fill", "bad_disk"]


def case(name, what, numbers, short=True):
    """`numbers`: (house.Bench) -> the Numbers."""

    def measure(folder, options):
        with house.Bench(options.quick, None, folder, options.identities) as bench:
            found = list(numbers(bench))
        return Outcome(all(number.met for number in found), "; ".join(map(str, found)),
                       [line for line in bench.notes if line])

    return Row(name, what, measure, short)


CASES = [
    case("upstream-outage-watched", "10,000 watches while Pictory answers 503 for a minute",
         outage_watched),
    case("upstream-down", "Pictory answers nothing for five minutes, and submits go on",
         outage_unwatched),
    case("crowd-leaves", "10,000 watches come, and are all gone at once",
         crowd_leaves),
    case("deaf-readers", "1,000 watches that never read, through 1,000 updates",
         deaf_readers),
    case("black-holed", "200 watches whose network swallows everything, without an end",
         black_holed, short=False),
    case("stalled-store", "The store's threads are kept for 3 s by the disk",
         stalled_store),
    case("full-load", "500 submits and 2,000 GetJob a second beside 10,000 watches",
         full_load, short=False),
]
