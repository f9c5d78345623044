"""server/deploy/envoy-sidecar.yaml and envoy-edge.yaml: they are envoy.yaml with what they say, and they do it."""

import contextlib
import socket

import envoy
import shapes
import yaml
from bench import stub, submit
from bounds import get
from check import equal, true
from live.process import wait_until
from shapes import DOCUMENTED, EDGE, SIDECAR, edge, manager_of

CONNECTIONS = "connection_limit.pictory.active_connections"


def filters_of(config):
    return config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"]


def without_edge():
    """The file without what it has as an edge."""
    config = yaml.safe_load(EDGE.read_text())
    del manager_of(config)["use_remote_address"]
    del filters_of(config)[0]
    return config


def idle(target):
    host, port = target.split(":")
    return socket.create_connection((host, int(port)))


def is_closed(connection):
    """Whether Envoy closes it, and does not wait for what it says."""
    connection.settimeout(1)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def full_edge(front, job):
    [limit, _] = filters_of(yaml.safe_load(EDGE.read_text()))
    most = limit["typed_config"]["max_connections"]
    with contextlib.ExitStack() as held, stub(front.target) as jobs:
        yield equal("edge: GetJob", get(jobs, job), "OK")
        before = front.stat(CONNECTIONS)
        idlers = [held.enter_context(idle(front.target)) for _ in range(most - before)]
        wait_until(lambda: front.stat(CONNECTIONS) == most, "all connections")
        with idle(front.target) as beyond:
            yield equal(f"edge: a connection beyond its {most} is closed", is_closed(beyond), True)
        yield equal("edge: GetJob on a connection within", get(jobs, job), "OK")
        yield equal("edge: the last one within is closed", is_closed(idlers[-1]), False)
        for each in idlers:
            each.close()
        wait_until(lambda: front.stat(CONNECTIONS) == before, "the connections to go")
    with stub(front.target) as jobs:
        yield equal("edge: GetJob on a new connection once there is room", get(jobs, job), "OK")


def sidecar_and_edge(bench):
    for file in (SIDECAR, EDGE):
        wrong = envoy.check(file)
        yield true(f"{file.name} as it is", not wrong, wrong or "taken", "no complaint of Envoy")
    documented = shapes.documented("127.0.0.1:1")
    yield true("the sidecar's way out is envoy.yaml", shapes.half(0)("127.0.0.1:1") == documented, "it is", "the same")
    yield true("the edge is envoy.yaml and an edge", without_edge() == yaml.safe_load(DOCUMENTED.read_text()), "it is",
               "the same but for the edge")
    sandbox, g = bench.side(sandbox=("--speed", "20"))
    [inner, outer] = bench.chain(shapes.sidecars(), g.grpc)
    told = submit(outer.target, "through two hops")
    yield equal("sidecar: a submit", told.text.split()[0], "OK")
    yield equal("sidecar: calls that each hop has seen", [each.stat("upstream_rq_total") for each in (outer, inner)], [1, 1])
    [front] = bench.chain([edge], g.grpc)
    yield from full_edge(front, told.job_id)
    yield equal("POSTs at Pictory", len(sandbox.journal()["through two hops"]), 1)
