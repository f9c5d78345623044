"""Who calls, where the real Envoy says it: by the certificate of its neighbour, by a token that it has checked, and by
what it was told when it asked. Envoy connects from 127.0.0.6, as Istio's does; everybody else on this machine is a
stranger. Linkerd's proxy is not run: Envoy sets its header here."""

import contextlib
import http.server
import threading

import grpc
from bench import outcome, preview, stub
from check import equal
from live.certificates import openssl
from live.tokens import Issuer, key_set
from pictory.jobs.v1 import pictory_jobs_pb2 as api
from pictory.jobs.v1 import pictory_jobs_pb2_grpc as rpc
from shapes import TYPE, address, hop

PROXY = "127.0.0.6"
XFCC = "x-forwarded-client-cert"
ALICE, BOB = "spiffe://cluster.local/ns/video/sa/alice", "spiffe://cluster.local/ns/video/sa/bob"
TENANTS = f"""
[tenants.acme]
identities = ["san:{ALICE}", "header:acme", "header:alice.video.svc"]
[tenants.beta]
identities = ["san:{BOB}", "header:beta", "header:bob.video.svc"]
"""
UNKNOWN, NOT_FOUND, DENIED = "UNAUTHENTICATED", "NOT_FOUND", "PERMISSION_DENIED"


class Authority:
    """Signs certificates with a name of the kind that meshes give."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=authority", "-days", 1,
                "-addext", "keyUsage=critical,keyCertSign,digitalSignature",
                "-keyout", folder / "ca.key", "-out", folder / "ca.pem")

    def certificate(self, name, uri):
        key, request, made = (self.folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName=URI:{uri},DNS:{name}.video.svc\n")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}/O=Acme, Inc; \"x\"", "-keyout", key,
                "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.folder / "ca.pem", "-CAkey", self.folder / "ca.key",
                "-CAcreateserial", "-days", 1, "-extfile", extensions, "-out", made)
        return {"certificate_chain": {"filename": str(made)}, "private_key": {"filename": str(key)}}

    def channel(self, target, name):
        read = lambda end: (self.folder / end).read_bytes()  # noqa: E731
        credentials = grpc.ssl_channel_credentials(read("ca.pem"), read(f"{name}.key"), read(f"{name}.pem"))
        return grpc.secure_channel(target, credentials, [("grpc.ssl_target_name_override", "proxy.video.svc"),
                                                         ("grpc.use_local_subchannel_pool", 1)])


def manager(config):
    [listener] = config["static_resources"]["listeners"]
    [chain] = listener["filter_chains"]
    return chain, chain["filters"][0]["typed_config"]


def from_proxy(target):
    if target.startswith("unix:"):
        return hop(target)
    return hop(target, cluster={"upstream_bind_config": {"source_address": {"address": PROXY, "port_value": 0}}})


def asking_for_certificates(authority, target):
    """Envoy with mTLS."""
    config = from_proxy(target)
    chain, connections = manager(config)
    chain["transport_socket"] = {"name": "envoy.transport_sockets.tls", "typed_config": {
        "@type": TYPE + "transport_sockets.tls.v3.DownstreamTlsContext", "require_client_certificate": True,
        "common_tls_context": {
            "alpn_protocols": ["h2"],
            "tls_certificates": [authority.certificate("proxy", "spiffe://cluster.local/ns/video/sa/server")],
            "validation_context": {"trusted_ca": {"filename": str(authority.folder / "ca.pem")}}}}}
    return config, connections


def with_certificates(authority, target, forward):
    """Envoy as the inbound side of Istio: what it has seen stands in a header."""
    config, connections = asking_for_certificates(authority, target)
    connections["forward_client_cert_details"] = forward
    connections["set_current_client_cert_details"] = {"subject": True, "uri": True, "dns": True}
    return config


def as_linkerd(authority, target):
    """The header of Linkerd's proxy, set by Envoy: the name of its neighbour, instead of whatever came."""
    config, connections = asking_for_certificates(authority, target)
    [host] = connections["route_config"]["virtual_hosts"]
    host["request_headers_to_add"] = [{"append_action": "OVERWRITE_IF_EXISTS_OR_ADD", "header": {
        "key": "l5d-client-id", "value": "%DOWNSTREAM_PEER_DNS_SAN%"}}]
    return config


def asking(target, authorizer, early=False):
    """Envoy that asks by HTTP who calls (ext_authz). `early`: it takes a forged header away first."""
    config = from_proxy(target)
    _, connections = manager(config)
    connections["http_filters"].insert(0, {
        "name": "envoy.filters.http.ext_authz", "typed_config": {
            "@type": TYPE + "filters.http.ext_authz.v3.ExtAuthz", "transport_api_version": "V3",
            "http_service": {
                "server_uri": {"uri": f"http://{authorizer}", "cluster": "authorizer", "timeout": "10s"},
                "authorization_response": {"allowed_upstream_headers": {"patterns": [{"exact": "x-tenant"}]}}}}})
    if early:
        connections["early_header_mutation_extensions"] = [{
            "name": "envoy.http.early_header_mutation.header_mutation", "typed_config": {
                "@type": TYPE + "http.early_header_mutation.header_mutation.v3.HeaderMutation",
                "mutations": [{"remove": "x-tenant"}]}}]
    config["static_resources"]["clusters"].append({
        "name": "authorizer", "type": "STATIC", "connect_timeout": "2s",
        "load_assignment": {"cluster_name": "authorizer", "endpoints": [
            {"lb_endpoints": [{"endpoint": {"address": address(authorizer)}}]}]}})
    return config


class Authorizer(http.server.BaseHTTPRequestHandler):
    """Knows a word of each tenant's. Two more may pass and are nobody, one by an empty name and one by none."""

    protocol_version = "HTTP/1.1"
    tenants = {"word of acme": "acme", "word of beta": "beta", "nameless": "", "guest": None}

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        word = (self.headers.get("authorization") or "").removeprefix("Bearer ")
        self.send_response(200 if word in self.tenants else 403)
        if self.tenants.get(word) is not None:
            self.send_header("x-tenant", self.tenants[word])
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def authorizer():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Authorizer)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def with_tokens(issuer, target):
    config = from_proxy(target)
    _, connections = manager(config)
    connections["http_filters"].insert(0, {
        "name": "envoy.filters.http.jwt_authn", "typed_config": {
            "@type": TYPE + "filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"p": {
                "issuer": "issuer", "audiences": ["pictory"], "forward": True,
                "local_jwks": {"inline_string": key_set(issuer)},
                "claim_to_headers": [{"header_name": "x-tenant", "claim_name": "tenant"}]}},
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "p"}}]}})
    return config


def seen(jobs, job_id, *metadata):
    """What becomes of GetJob: its code."""
    return outcome(lambda: jobs.GetJob(api.GetJobRequest(job_id=job_id), metadata=metadata, timeout=30)).split()[0]


def identity(bench):
    authority = Authority(bench.folder / "authority")
    file = bench.folder / "tenants.toml"
    file.write_text(TENANTS)
    _, gateway = bench.side("--tenants", file, "--trusted-proxies", PROXY, "--trust-xfcc", "--tenant-header",
                            "x-tenant")
    for name, uri in (("alice", ALICE), ("bob", BOB), ("mallory", "spiffe://cluster.local/ns/video/sa/mallory")):
        authority.certificate(name, uri)
    appending = bench.envoy(with_certificates(authority, gateway.grpc, "APPEND_FORWARD")).target
    setting = bench.envoy(with_certificates(authority, gateway.grpc, "SANITIZE_SET")).target
    with authority.channel(appending, "alice") as channel:
        job = rpc.PictoryJobsStub(channel).CreatePreview(preview("alices"), timeout=30).job.job_id

    forged = (XFCC, f"By=spiffe://x;URI={BOB}")
    cases = [("nothing forged", ()), ("a forged element", (forged,)), ("two forged headers", (forged, forged)),
             ("a forged quote that swallows the rest", ((XFCC, f'URI="{BOB}'),)),
             ("a forged quote in a subject", ((XFCC, f'URI={BOB};Subject="CN=x'),)),
             ("a forged tenant", (("x-tenant", "beta"),))]
    hidden = {"a forged quote that swallows the rest": UNKNOWN, "a forged quote in a subject": UNKNOWN}
    for name, own in (("alice", "OK"), ("bob", NOT_FOUND)):
        for what, metadata in cases:
            for target, words in ((appending, "APPEND_FORWARD"), (setting, "SANITIZE_SET")):
                with authority.channel(target, name) as channel:
                    wanted = hidden.get(what, own) if target == appending else own
                    yield equal(f"{words}, {name}, {what}", seen(rpc.PictoryJobsStub(channel), job, *metadata), wanted)
    with authority.channel(appending, "mallory") as channel:
        for what, metadata in cases[:2]:
            yield equal(f"APPEND_FORWARD, a stranger, {what}", seen(rpc.PictoryJobsStub(channel), job, *metadata),
                        UNKNOWN)

    issuer = Issuer(bench.folder)
    tokens = bench.envoy(with_tokens(issuer, gateway.grpc)).target
    with stub(tokens) as jobs:
        def bearer(**claims):
            return "authorization", "Bearer " + issuer.token(**claims)

        yield equal("JWT filter, a token of the tenant", seen(jobs, job, bearer(tenant="acme")), "OK")
        yield equal("JWT filter, a token of another", seen(jobs, job, bearer(tenant="beta")), NOT_FOUND)
        yield equal("JWT filter, another's token and a forged header",
                    seen(jobs, job, bearer(tenant="beta"), ("x-tenant", "acme")), NOT_FOUND)
        yield equal("JWT filter, a token without tenant and a forged header",
                    seen(jobs, job, bearer(), ("x-tenant", "acme")), UNKNOWN)
        yield equal("JWT filter, no token and a forged header", seen(jobs, job, ("x-tenant", "acme")), UNKNOWN)
        yield equal("JWT filter, a token that has ended", seen(jobs, job, bearer(tenant="acme", exp=1)), UNKNOWN)

    yield from asked(bench, gateway, job)
    yield from named_by_linkerd(bench, authority)

    with stub(gateway.grpc) as jobs:
        for what, header in (("x-tenant", ("x-tenant", "acme")), (XFCC, (XFCC, f"URI={ALICE}"))):
            yield equal(f"past Envoy, from an address that is not trusted: {what}", seen(jobs, job, header), UNKNOWN)


def asked(bench, gateway, job):
    with authorizer() as at:
        plain, early = (bench.envoy(asking(gateway.grpc, at, early)).target for early in (False, True))
        acme, beta, nameless, guest, nobody = (
            ("authorization", f"Bearer {word}")
            for word in ("word of acme", "word of beta", "nameless", "guest", "nonsense"))
        forged = ("x-tenant", "acme")
        for target, words in ((plain, "ext_authz"), (early, "ext_authz, early removal")):
            with stub(target) as jobs:
                for what, metadata, wanted in (
                        ("the tenant", (acme,), "OK"), ("another", (beta,), NOT_FOUND),
                        ("another, and a forged header", (beta, forged), NOT_FOUND),
                        ("another, and two forged headers", (beta, forged, forged), NOT_FOUND),
                        ("who is refused", (nobody,), DENIED),
                        ("who is refused, and a forged header", (nobody, forged), DENIED),
                        ("who passes by an empty name", (nameless,), UNKNOWN),
                        ("who passes by an empty name, and a forged header", (nameless, forged), UNKNOWN),
                        ("who passes and is not named", (guest,), UNKNOWN)):
                    yield equal(f"{words}: {what}", seen(jobs, job, *metadata), wanted)
                # An answer that names nobody leaves a forged header where it is; docs/security.md says so.
                yield equal(f"{words}: who passes and is not named, and a forged header",
                            seen(jobs, job, guest, forged), "OK" if target == plain else UNKNOWN)


def named_by_linkerd(bench, authority):
    _, gateway = bench.side("--tenants", bench.folder / "tenants.toml", "--trusted-proxies", PROXY, "--tenant-header",
                            "l5d-client-id")
    target = bench.envoy(as_linkerd(authority, gateway.grpc)).target
    with authority.channel(target, "alice") as channel:
        job = rpc.PictoryJobsStub(channel).CreatePreview(preview("alices"), timeout=30).job.job_id
    forged = ("l5d-client-id", "alice.video.svc")
    for name, wanted in (("alice", "OK"), ("bob", NOT_FOUND), ("mallory", UNKNOWN)):
        for what, metadata in (("nothing forged", ()), ("a forged header", (forged,)),
                               ("two forged headers", (forged, forged))):
            with authority.channel(target, name) as channel:
                yield equal(f"l5d-client-id by Envoy, {name}, {what}",
                            seen(rpc.PictoryJobsStub(channel), job, *metadata), wanted)
