"""The rows, in the order they run."""

import dataclasses
import importlib


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    what: str
    where: str          # module.function: (Bench) -> Checks
    short: bool = True  # part of a --quick run

    def function(self):
        """Imported late: a list of the rows needs nothing of what they need."""
        module, name = self.where.split(".")
        return getattr(importlib.import_module(module), name)


ROWS = [
    Row("headers", "Headers of a retry: x-request-id | x-envoy-attempt-count | previous attempts",
        "headers.headers"),
    Row("repeated-by-hand", "Submits without request_id whose headers tell of a retry, or do not",
        "byhand.repeated_by_hand"),
    Row("lost-answers", "Answers lost between gateway and Envoy, without request_id | with one",
        "losses.lost_answers"),
    Row("asked-again", "The caller gives up, or its Envoy dies, and it asks again, without request_id | with one",
        "callers.asked_again"),
    Row("killed-in-submit", "kill -9 of the gateway in a submit, without request_id | with one",
        "killed.killed_in_submit"),
    Row("drained-in-submit", "SIGTERM while Pictory does not answer a submit", "callers.drained_in_submit"),
    Row("all-rpcs", "Every RPC, health and reflection by grpcurl, as documented", "documented.all_rpcs"),
    Row("pictory-away", "Many submits fail because Pictory is away: GetJob and watches beside them",
        "outliers.pictory_away"),
    Row("watches-cut", "Clients' watches through a route timeout, an idle limit, kill -9 of the gateway",
        "watches.watches_cut"),
    Row("many-watches", "Watches of the Python example through restarts of the gateway", "watches.many_watches"),
    Row("quiet-watch", "A watch that is quiet for a minute", "watches.quiet_watch", short=False),
]
