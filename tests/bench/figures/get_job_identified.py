"""What it costs to know who calls: GetJob of a gateway with a tenants file, against one without."""

import os
import statistics

from house import SERVICE, TENANT
from live.tenants import keygen
from live.tokens import Issuer, key_set
from verdict import Figure, Goal

ABOUT = "GetJob with an API key and with a token, against GetJob of a gateway that asks nobody"
PROGRAMS = ["pictory-gateway", "bench_upstream", "bench_unary_load"]
CALLERS = 64
MOST_US = 3
JWT = """
[jwt]
jwks_file = "{jwks}"
issuer = "issuer"
audience = "pictory"
algorithms = ["ES256"]
tenant_claim = "tenant"
"""


def measure(bench):
    upstream = bench.server("upstream")
    folder = bench.path("identities")
    folder.mkdir()
    key, lines = keygen(TENANT)
    issuer = Issuer(folder, "ES256")
    jwks, tenants = folder / "jwks.json", folder / "tenants.toml"
    jwks.write_text(key_set(issuer))
    tenants.write_text(lines + JWT.format(jwks=jwks))
    plain = bench.gateway_to(upstream)
    asking = bench.gateway_to(upstream, "--tenants", tenants)
    # A token that has been checked is remembered, as long as it lives.
    shown = {"key": key, "token": issuer.token(tenant=TENANT)}

    def ask(gateway, bearer=None):
        bench.bearer = bearer
        try:
            return bench.request(f'job_id: "{bench.submit(gateway)}" view: JOB_VIEW_BASIC', "GetJobRequest")
        finally:
            bench.bearer = None

    plain_ask, asking_ask = ask(plain), ask(asking, key)
    without, added = [], {name: [] for name in shown}
    for _ in range(2 * bench.runs):  # what is told is a small difference of two larger numbers
        without.append(bench.load(plain, SERVICE + "GetJob", plain_ask, CALLERS)["cpu_us"])
        for name, bearer in shown.items():
            cpu = bench.load(asking, SERVICE + "GetJob", asking_ask, CALLERS, bearer=bearer)["cpu_us"]
            added[name].append(cpu - without[-1])
    bench.note([f"GetJob without identities takes {statistics.median(without):.1f} µs of CPU; added by "
                + ", ".join(f"a {name} {min(each):.2f} to {max(each):.2f} µs" for name, each in added.items())
                + f", on {os.cpu_count()} cores"])
    for name, about in (("key", "an API key"), ("token", "a JSON Web Token that is remembered")):
        yield Figure(f"get-job-identified.{name}", f"GetJob with {about}, CPU added to a call", "µs", added[name],
                     without, Goal(at_most=MOST_US, absolute=True, guard=4 * MOST_US))
