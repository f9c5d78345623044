"""Several gateways that share a PostgreSQL with a synchronous standby, behind the real Envoy, and one sandbox for
Pictory. Who imports this has tests/mesh on its path, and runs in the environment of its tools.py."""

import pathlib
import tempfile
import time

import yaml
from envoy import Envoy
from live.postgres import USER
from live.process import wait_until
from live.programs import ROOT
from live.rig import UNLIMITED, Rig
from shapes import address, documented

OTHERWISE = ROOT / "server" / "deploy" / "cluster" / "envoy.yaml"


def shared(targets):
    """The documented Envoy in front of several gateways."""
    otherwise = yaml.safe_load(OTHERWISE.read_text())
    config = documented(targets[0])
    [cluster] = config["static_resources"]["clusters"]
    cluster.update(otherwise["cluster"])
    cluster["load_assignment"]["endpoints"] = [
        {"lb_endpoints": [{"endpoint": {"address": address(target)}} for target in targets]}]
    [listener] = config["static_resources"]["listeners"]
    [manager] = listener["filter_chains"][0]["filters"]
    [host] = manager["typed_config"]["route_config"]["virtual_hosts"]
    for route in host["routes"]:
        route["route"]["retry_policy"].update(otherwise["retry_policy"])
    return config


class Cluster(Rig):
    """All its parts run once it is entered; they are gone at its end. A gateway that is started again keeps its port."""

    def __init__(self, folder, gateways=3, sandbox=("--speed", "20"), flags=(*UNLIMITED,)):
        super().__init__(folder)
        self.wanted, self.sandbox_flags, self.flags = gateways, sandbox, flags

    def __enter__(self):
        try:
            self.begin()
        except BaseException:
            self.exits.close()
            raise
        return self

    def begin(self):
        self.pictory = self.sandbox(*self.sandbox_flags)
        self.primary = self.postgres()
        self.primary.database("jobs")
        self.standby = self.postgres(self.primary)
        self.primary.wait_for_standby()
        self.gateways = [self.add_gateway() for _ in range(self.wanted)]
        folder = pathlib.Path(tempfile.mkdtemp(prefix="envoy-", dir=self.folder)) / "run"
        self.envoy = Envoy(folder, shared([each.grpc for each in self.gateways]))
        self.exits.callback(self.envoy.kill)

    @property
    def database(self):
        """Both servers; libpq takes the one that takes writes."""
        hosts = f"{self.primary.folder},{self.standby.folder}"
        return f"host={hosts} user={USER} dbname=jobs target_session_attrs=read-write connect_timeout=2"

    @property
    def target(self):
        """Where callers come in."""
        return self.envoy.target

    def add_gateway(self):
        made = self.gateway(self.pictory.url, *self.flags, start=False)
        made.database = self.database
        made.start()
        made.listen = made.grpc
        return made

    def healthy(self):
        """How many gateways Envoy sends calls to."""
        return self.envoy.stat("cluster.pictory_gateway.membership_healthy")

    def wait_until_healthy(self):
        wait_until(lambda: self.healthy() == len(self.gateways), "Envoy to find every gateway", every=0.1)

    def fail_over(self, killed=False):
        """What a cluster manager does when the primary is gone: the standby becomes the primary. Returns the seconds
        until every gateway has its store again."""
        began = time.monotonic()
        if not killed:
            self.primary.kill()
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary
        wait_until(lambda: all(each.metric("store_away") == 0 and self.stores(each) for each in self.gateways),
                   "the gateways to have the store again", every=0.2)
        return time.monotonic() - began

    @staticmethod
    def stores(gateway):
        """Whether it gets an answer from its store: that there is no such job."""
        return "no job" in gateway.run("get", "nowhere", "--timeout", "5").stderr.lower()
