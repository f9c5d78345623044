"""The rows, in the order they run."""

import importlib

from live.rows import Outcome, Row


def row(name, what, where, short=True):
    """`where`: module.function, (Bench) -> Checks. Imported late: a list of the rows needs nothing of what they need."""

    def measure(folder, options):
        from bench import Bench

        module, function = where.split(".")
        checks = []
        with Bench(folder, options.quick) as bench:
            for check in getattr(importlib.import_module(module), function)(bench):
                checks.append(check)
                print(f"\n    {check}", end="", flush=True)
        good = sum(check.met for check in checks)
        return Outcome(bool(checks) and good == len(checks), f"\n    {good} of {len(checks)} as wanted")

    return Row(name, what, measure, short)


ROWS = [
    row("headers", "Headers of a retry: x-request-id | x-envoy-attempt-count | previous attempts",
        "headers.headers"),
    row("repeated-by-hand", "Submits without request_id whose headers tell of a retry, or do not",
        "byhand.repeated_by_hand"),
    row("lost-answers", "Answers lost between gateway and Envoy, without request_id | with one",
        "losses.lost_answers"),
    row("asked-again", "The caller gives up, or its Envoy dies, and it asks again, without request_id | with one",
        "callers.asked_again"),
    row("killed-in-submit", "kill -9 of the gateway in a submit, without request_id | with one",
        "killed.killed_in_submit"),
    row("drained-in-submit", "SIGTERM while Pictory does not answer a submit", "callers.drained_in_submit"),
    row("all-rpcs", "Every RPC, health and reflection by grpcurl, as documented", "documented.all_rpcs"),
    row("refused", "Pictory refuses a submit, on ways that retry whatever fails, without request_id | with one",
        "refused.refusals", short=False),
    row("metadata", "Metadata that fit, and more", "bounds.metadata"),
    row("sidecar-edge", "What is shipped besides: a sidecar's two hops, and an edge that bounds connections",
        "shipped.sidecar_and_edge", short=False),
    row("transcoder", "Envoy's own transcoder from JSON, by the paths of our protos", "transcoded.transcoder",
        short=False),
    row("health", "Health checks by Envoy through an end and a start", "bounds.health"),
    row("crowd", "GetJob beside more watches than Envoy lets through by default", "bounds.crowd", short=False),
    row("keepalive", "Pings of Envoy's", "bounds.keepalive", short=False),
    row("grpc-web", "gRPC-Web from Node", "web.from_node"),
    row("browser", "gRPC-Web from pages in headless Chromium, one of them of another origin", "web.from_a_browser",
        short=False),
    row("identity", "Who calls, as Envoy says it: certificates, tokens, and what callers forge", "identity.identity"),
    row("identity-passed-on", "API keys and tokens that Envoy passes on", "passed_on.passed_on"),
    row("identity-unix", "Who calls, as Envoy says it by a unix socket", "passed_on.by_unix_socket"),
    row("one-trace", "Spans of Envoy and the gateway in one trace, by the headers of W3C and of B3", "traces.one_trace"),
    row("pictory-away", "Many submits fail because Pictory is away: GetJob and watches beside them",
        "outliers.pictory_away"),
    row("watches-cut", "Clients' watches through a route timeout, an idle limit, kill -9 of the gateway",
        "watches.watches_cut"),
    row("many-watches", "Watches of the Python example through restarts of the gateway", "watches.many_watches"),
    row("quiet-watch", "A watch that is quiet for a minute", "watches.quiet_watch", short=False),
]
