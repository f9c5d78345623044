"""Every alert of server/deploy/monitoring, made to fire in Debian's Prometheus by a real gateway that has that trouble;
and the dashboard there, each of whose expressions has to give something.

    tests/alerts/run                 every alert, some minutes
    tests/alerts/run --only NAME...  these
    tests/alerts/run --list          the alerts, and what is done for each

The rules are the shipped ones, with shorter times: `for:` is a second, ranges are some, and so is how late a poll is.
Before the trouble begins the alert must be silent. What becomes of the real times is tested by rules_test.yml in
simulated ones. Starts everything on loopback; exit 0 only if all have fired.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(HERE.parent / "support" / "python")]

import prometheus  # noqa: E402
from dashboard import DASHBOARD  # noqa: E402
from live import rows  # noqa: E402
from troubles import TROUBLES  # noqa: E402

COMMAND = "tests/alerts/run"


def main():
    missing = set(prometheus.names()) ^ {row.name for row in TROUBLES}
    if missing:
        print(f"these are an alert or a trouble, and not both: {', '.join(sorted(missing))}", file=sys.stderr)
        return 1
    every = [*TROUBLES, DASHBOARD]
    return rows.main(COMMAND, every, rows.arguments(COMMAND, __doc__, every))


if __name__ == "__main__":
    sys.exit(main())
