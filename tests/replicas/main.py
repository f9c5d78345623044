"""Several gateways on one PostgreSQL, with one sandbox for Pictory, some behind Envoy: they are killed, stopped and cut
off while jobs run, and the sandbox says what was paid for and how often it was asked.

    tests/replicas/run                 every row, some 20 minutes
    tests/replicas/run --quick         those that are short, five minutes
    tests/replicas/run --long          more kills and restarts of some, and `older`; two hours
    tests/replicas/run --only NAME...  these rows
    tests/replicas/run --list          the rows

Builds what it needs (preset `check`) and starts everything on loopback: real gateways, a real PostgreSQL; for the row
`cut` that is in a network of its own, which root makes; for `patroni` there are three, Patroni and etcd; `older` builds
a gateway from the history, too. Prints one line a row: what was seen, and whether that is what must be. With --keep, state directories and logs stay; those of a
row that is not met stay anyway. Exit 0 only if every row is met.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(HERE.parent / "support" / "python"), str(HERE.parent / "mesh")]

import tools  # noqa: E402
from cases import ROWS  # noqa: E402
from clock import clock_off  # noqa: E402
from cut import cut  # noqa: E402
from leaders import patroni  # noqa: E402
from live import rows  # noqa: E402
from live.rows import Row  # noqa: E402
from older import older  # noqa: E402

COMMAND = "tests/replicas/run"
ROWS = [
    *ROWS,
    Row("patroni", "the leader is killed, Patroni has another one lead", patroni, short=False),
    Row("cut", "the network between one and PostgreSQL is cut", cut, short=False),
    Row("clock-off", "one has its clock an hour ahead, then behind", clock_off, short=False),
]
LONG = [Row("older", "older gateways beside present ones, and then alone", older, short=False)]
MORE = [("--long", {"action": "store_true", "help": "more kills and restarts; the bounds are the same"}),
        ("--cycles", {"type": int, "help": "kills of `patroni`, and rounds of `rolling`"})]

if __name__ == "__main__":
    options = rows.arguments(COMMAND, __doc__, ROWS + LONG, MORE)
    if not options.list:  # Envoy's environment
        tools.set_up(clients=False)
        tools.go_there(__file__)
    sys.exit(rows.main(COMMAND, ROWS + (LONG if options.long or options.only or options.list else []), options))
