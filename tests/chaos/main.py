"""Kills, floods and starves the real gateway, and counts what was paid for twice and what was lost.

    tests/chaos/run                 every row, some minutes
    tests/chaos/run --quick         fewer cycles of each, under two minutes
    tests/chaos/run --long          more cycles of some
    tests/chaos/run --only NAME...  these rows
    tests/chaos/run --list          the rows

The sandbox, a process of its own, writes down every paid request before it acts on it: what was sent is
counted there. PICTORY_BIN is the folder of the programs (build/check/bin). With --keep, state directories
and logs stay; those of a row that failed stay anyway. Exit 0 only if every number is met.
"""

import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
os.environ.setdefault("PICTORY_BIN", str(HERE.parents[1] / "build" / "check" / "bin"))
sys.path[:0] = [str(HERE), str(HERE.parent / "support" / "python")]
from live import rows  # noqa: E402
from table import ROWS  # noqa: E402


if __name__ == "__main__":
    more = [("--cycles", {"type": int, "help": "instead of the row's own number"}),
            ("--long", {"action": "store_true", "help": "more cycles of some rows"})]
    sys.exit(rows.main("tests/chaos/run", ROWS, rows.arguments("tests/chaos/run", __doc__, ROWS, more)))
