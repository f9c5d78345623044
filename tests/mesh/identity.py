"""Who calls, where the real Envoy says it: by the certificate of its neighbour, and by a token that it has checked.
Envoy connects from 127.0.0.6, as Istio's does; everybody else on this machine is a stranger."""

import base64
import json
import subprocess
import time

import grpc
from bench import outcome, preview, stub
from check import equal
from pictory.jobs.v1 import pictory_jobs_pb2 as api
from pictory.jobs.v1 import pictory_jobs_pb2_grpc as rpc
from shapes import TYPE, hop

PROXY = "127.0.0.6"
XFCC = "x-forwarded-client-cert"
ALICE, BOB = "spiffe://cluster.local/ns/video/sa/alice", "spiffe://cluster.local/ns/video/sa/bob"
TENANTS = f"""
[tenants.acme]
identities = ["san:{ALICE}", "header:acme"]
[tenants.beta]
identities = ["san:{BOB}", "header:beta"]
"""
UNKNOWN, NOT_FOUND = "UNAUTHENTICATED", "NOT_FOUND"


def openssl(*args, **kwargs):
    return subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, **kwargs).stdout


class Authority:
    """Signs certificates with a name of the kind that meshes give, and tokens."""

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

    def key_set(self):
        modulus = bytes.fromhex(openssl("rsa", "-in", self.folder / "ca.key", "-noout", "-modulus").decode()
                                .strip().removeprefix("Modulus="))
        return {"keys": [{"kty": "RSA", "alg": "RS256", "kid": "k", "n": encoded(modulus), "e": "AQAB"}]}

    def token(self, **claims):
        claims = {"iss": "issuer", "aud": "pictory", "sub": "someone", "exp": int(time.time()) + 600, **claims}
        text = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "k"}, claims))
        signature = openssl("dgst", "-sha256", "-sign", self.folder / "ca.key", input=text.encode())
        return f"{text}.{encoded(signature)}"


def encoded(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def manager(config):
    [listener] = config["static_resources"]["listeners"]
    [chain] = listener["filter_chains"]
    return chain, chain["filters"][0]["typed_config"]


def from_proxy(target):
    return hop(target, cluster={"upstream_bind_config": {"source_address": {"address": PROXY, "port_value": 0}}})


def with_certificates(authority, target, forward):
    """Envoy as the inbound side of Istio: mTLS, and what it has seen in a header."""
    config = from_proxy(target)
    chain, connections = manager(config)
    chain["transport_socket"] = {"name": "envoy.transport_sockets.tls", "typed_config": {
        "@type": TYPE + "transport_sockets.tls.v3.DownstreamTlsContext", "require_client_certificate": True,
        "common_tls_context": {
            "alpn_protocols": ["h2"],
            "tls_certificates": [authority.certificate("proxy", "spiffe://cluster.local/ns/video/sa/server")],
            "validation_context": {"trusted_ca": {"filename": str(authority.folder / "ca.pem")}}}}}
    connections["forward_client_cert_details"] = forward
    connections["set_current_client_cert_details"] = {"subject": True, "uri": True, "dns": True}
    return config


def with_tokens(authority, target):
    config = from_proxy(target)
    _, connections = manager(config)
    connections["http_filters"].insert(0, {
        "name": "envoy.filters.http.jwt_authn", "typed_config": {
            "@type": TYPE + "filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"p": {
                "issuer": "issuer", "audiences": ["pictory"], "forward": True,
                "local_jwks": {"inline_string": json.dumps(authority.key_set())},
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

    tokens = bench.envoy(with_tokens(authority, gateway.grpc)).target
    with stub(tokens) as jobs:
        def bearer(**claims):
            return "authorization", "Bearer " + authority.token(**claims)

        yield equal("JWT filter, a token of the tenant", seen(jobs, job, bearer(tenant="acme")), "OK")
        yield equal("JWT filter, a token of another", seen(jobs, job, bearer(tenant="beta")), NOT_FOUND)
        yield equal("JWT filter, another's token and a forged header",
                    seen(jobs, job, bearer(tenant="beta"), ("x-tenant", "acme")), NOT_FOUND)
        yield equal("JWT filter, a token without tenant and a forged header",
                    seen(jobs, job, bearer(), ("x-tenant", "acme")), UNKNOWN)
        yield equal("JWT filter, no token and a forged header", seen(jobs, job, ("x-tenant", "acme")), UNKNOWN)

    with stub(gateway.grpc) as jobs:
        for what, header in (("x-tenant", ("x-tenant", "acme")), (XFCC, (XFCC, f"URI={ALICE}"))):
            yield equal(f"past Envoy, from an address that is not trusted: {what}", seen(jobs, job, header), UNKNOWN)
