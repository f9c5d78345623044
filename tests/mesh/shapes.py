"""The configurations of Envoy that are tested: the documented ones, and hops as meshes set them up."""

import dataclasses
import pathlib
import typing

import yaml

DOCUMENTED = pathlib.Path(__file__).resolve().parents[2] / "server" / "deploy" / "envoy.yaml"
SIDECAR, EDGE = DOCUMENTED.parent / "envoy-sidecar.yaml", DOCUMENTED.parent / "envoy-edge.yaml"
TYPE = "type.googleapis.com/envoy.extensions."
MANAGER = TYPE + "filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = TYPE + "filters.http.router.v3.Router"
UPSTREAM_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

# What Istio gives every route by default.
ISTIO = {"retry_on": "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes",
         "num_retries": 2, "retriable_status_codes": [503], "host_selection_retry_max_attempts": 5,
         "retry_host_predicate": [{"name": "envoy.retry_host_predicates.previous_hosts", "typed_config": {
             "@type": TYPE + "retry.host.previous_hosts.v3.PreviousHostsPredicate"}}]}
# The same, and after answers that were lost.
EAGER = {**ISTIO, "retry_on": ISTIO["retry_on"] + ",reset,5xx"}
# What Istio gives a sidecar's inbound side.
INBOUND = {"retry_on": "reset-before-request", "num_retries": 2}


def address(target):
    if target.startswith("unix:"):
        return {"pipe": {"path": target.removeprefix("unix:")}}
    host, port = target.rsplit(":", 1)
    return {"socket_address": {"address": host, "port_value": int(port)}}


def hop(target, *, include=False, edge=False, retry=None, cluster=None, **route):
    """An Envoy in front of `target`. `include`: it numbers attempts; `edge`: it takes its neighbours for
    strangers; `route`: more settings of the route."""
    manager = {
        "@type": MANAGER, "stat_prefix": "in", "use_remote_address": edge, "stream_idle_timeout": "300s",
        "route_config": {"virtual_hosts": [{
            "name": "all", "domains": ["*"], "include_request_attempt_count": include,
            "routes": [{"match": {"prefix": "/"}, "route": {
                "cluster": "up", "timeout": "0s", **({"retry_policy": retry} if retry else {}), **route}}]}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER}}]}
    return {
        "admin": {"address": address("127.0.0.1:0")},
        "static_resources": {
            "listeners": [{"name": "in", "address": address("127.0.0.1:0"), "filter_chains": [{"filters": [
                {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]}],
            "clusters": [{
                "name": "up", "type": "STATIC", "connect_timeout": "2s",
                "load_assignment": {"cluster_name": "up", "endpoints": [
                    {"lb_endpoints": [{"endpoint": {"address": address(target)}}]}]},
                "typed_extension_protocol_options": {UPSTREAM_HTTP: {
                    "@type": "type.googleapis.com/" + UPSTREAM_HTTP,
                    "explicit_http_config": {"http2_protocol_options": {}}}},
                **(cluster or {})}]}}


def manager_of(config):
    """What the listener does with HTTP: its last filter."""
    return config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][-1]["typed_config"]


def host_of(config):
    return manager_of(config)["route_config"]["virtual_hosts"][0]


def here(config, target):
    """A configuration of one listener and one cluster, with addresses of this machine."""
    config["admin"]["address"] = address("127.0.0.1:0")
    [listener], [cluster] = config["static_resources"]["listeners"], config["static_resources"]["clusters"]
    listener["address"] = address("127.0.0.1:0")
    [endpoint] = cluster["load_assignment"]["endpoints"]
    endpoint["lb_endpoints"][0]["endpoint"]["address"] = address(target)
    return config


def documented(target, file=DOCUMENTED):
    """A file of server/deploy."""
    return here(yaml.safe_load(file.read_text()), target)


def half(number):
    """One half of the sidecar: 0, the way out of a caller, or 1, the way in to the gateway."""
    def config(target):
        made = yaml.safe_load(SIDECAR.read_text())
        resources = made["static_resources"]
        for kind in ("listeners", "clusters"):
            resources[kind] = [resources[kind][number]]
        return here(made, target)
    return config


def edge(target):
    return documented(target, EDGE)


def sidecars(*_):
    return [half(1), half(0)]


def one_hop(**settings):
    """A chain of one. A chain is a list of functions from a target to a configuration, the one nearest to
    the gateway first."""
    return [lambda target: hop(target, **settings)]


def two_hops(first, second):
    return [lambda target: hop(target, **second), lambda target: hop(target, **first)]


@dataclasses.dataclass(frozen=True)
class Shape:
    """A way to the gateway on which submits are retried, wisely or not."""

    name: str
    chain: typing.Callable  # (settings of the hop that retries) -> a chain
    renames: bool = False   # the retrying hop's attempts reach the gateway as calls of their own
    library_retries: bool = False


def counting(settings):
    return {"include": True, **settings}


SHAPES = [
    Shape("one hop", lambda it: one_hop(**it)),
    Shape("one hop, include", lambda it: one_hop(**counting(it))),
    Shape("Istio: outbound, inbound", lambda it: two_hops(counting(it), {"retry": INBOUND})),
    Shape("two hops, both include", lambda it: two_hops(counting(it), {"include": True})),
    Shape("outbound, then an edge", lambda it: two_hops(counting(it), {"include": True, "edge": True}),
          renames=True),
    Shape("library's retries, direct", lambda it: [], library_retries=True),
    Shape("library's retries, Istio", lambda it: two_hops(counting(it), {"retry": INBOUND}), library_retries=True),
    Shape("envoy.yaml as documented", lambda it: [documented]),
]
# Of server/deploy, too; these set their retries themselves.
SHIPPED = [
    Shape("envoy-sidecar.yaml, both halves", sidecars),
    Shape("envoy-edge.yaml", lambda it: [edge]),
]
