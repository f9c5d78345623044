"""Attacks on the gateway, straight at its port and through the documented edge, and what each of them does to others.

    tests/attack/run                 every row, six minutes
    tests/attack/run --quick         the shorter ones, two and a half minutes
    tests/attack/run --only NAME...  these rows
    tests/attack/run --list          the rows

Debian's gRPC 1.51 does not withstand some floods, and nothing behind it can: of those a row wants, straight at the
port, that the gateway serves again within a minute, by itself or started again, and that its store is whole; and
through an Envoy as server/deploy/envoy-edge.yaml sets it up, that nobody notices. The machine is spared: a gateway that
grows beyond a bound is killed, as its container's limit would do it.

Cases of other commands and of unit tests that belong to the list are run by their names, if they take less than a
minute, and else named. PICTORY_BIN is the folder of the programs (build/check/bin). Exit 0 only if every row is met.
server/docs/security.md is the table of threats that this command proves.
"""

import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
sys.dont_write_bytecode = True
# In this order: two folders have a main.py, and the first one counts.
sys.path[:0] = [str(HERE), str(TESTS / "support" / "python"), str(TESTS / "e2e"), str(TESTS / "mesh")]
import tools  # noqa: E402
from live import rows  # noqa: E402
from rows_of_attacks import ROWS  # noqa: E402

COMMAND = "tests/attack/run"
os.environ.setdefault("PICTORY_BIN", str(tools.ROOT / "build" / "check" / "bin"))


def main():
    if not {"-h", "--help", "--list"} & set(sys.argv[1:]):
        tools.set_up(clients=False)
        tools.go_there(__file__)
    return rows.main(COMMAND, ROWS, rows.arguments(COMMAND, __doc__, ROWS))


if __name__ == "__main__":
    sys.exit(main())
