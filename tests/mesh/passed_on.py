"""What callers prove themselves by, passed on by the real Envoy, which checks nothing of it: API keys and tokens. And all
that Envoy says of callers, where it reaches the gateway by a unix socket."""

import contextlib

from bench import preview, stub
from check import equal
from identity import (ALICE, BOB, NOT_FOUND, TENANTS, UNKNOWN, XFCC, Authority, from_proxy, seen, with_certificates,
                      with_tokens)
from live.tenants import keygen
from live.tokens import Issuer, key_set
from pictory.jobs.v1 import pictory_jobs_pb2_grpc as rpc

JWT = """
[jwt]
jwks_file = "{jwks}"
issuer = "issuer"
audience = "pictory"
algorithms = ["RS256"]
tenant_claim = "tenant"
"""


def bearer(text):
    return "authorization", f"Bearer {text}"


def submitted(jobs, *metadata):
    return jobs.CreatePreview(preview("ours"), metadata=metadata, timeout=30).job.job_id


def passed_on(bench):
    issuer, stranger = Issuer(bench.folder), Issuer(bench.folder, kid="stranger")
    jwks, file = bench.folder / "jwks.json", bench.folder / "tenants.toml"
    jwks.write_text(key_set(issuer))
    (acme, acme_lines), (beta, beta_lines), (nobodys, _) = keygen("acme"), keygen("beta"), keygen("acme")
    file.write_text(acme_lines + beta_lines + JWT.format(jwks=jwks))
    _, gateway = bench.side("--tenants", file)
    own = bearer(acme)
    token = lambda **claims: bearer(issuer.token(**claims))  # noqa: E731
    with stub(bench.envoy(from_proxy(gateway.grpc)).target) as jobs:
        job = submitted(jobs, own)
        for what, metadata, wanted in (
                ("the tenant's API key", (own,), "OK"), ("another tenant's", (bearer(beta),), NOT_FOUND),
                ("a key of nobody's", (bearer(nobodys),), UNKNOWN), ("none", (), UNKNOWN),
                ("two keys", (own, bearer(beta)), UNKNOWN), ("the same key twice", (own, own), UNKNOWN),
                ("a token of the tenant", (token(tenant="acme"),), "OK"),
                ("a token of another", (token(tenant="beta"),), NOT_FOUND),
                ("a token that has ended", (token(tenant="acme", exp=1),), UNKNOWN),
                ("a token for somebody else", (token(tenant="acme", aud="others"),), UNKNOWN),
                ("a token of another issuer's key", (bearer(stranger.token(tenant="acme")),), UNKNOWN),
                ("a key, and a forged tenant", (bearer(beta), ("x-tenant", "acme")), NOT_FOUND),
                ("a forged tenant alone", (("x-tenant", "acme"),), UNKNOWN)):
            yield equal(f"passed on, {what}", seen(jobs, job, *metadata), wanted)
    # Envoy checks the token first and leaves it where it is, so that the gateway checks it too.
    with stub(bench.envoy(with_tokens(issuer, gateway.grpc)).target) as jobs:
        for what, metadata, wanted in (("a token of the tenant", (token(tenant="acme"),), "OK"),
                                       ("a token of another", (token(tenant="beta"),), NOT_FOUND),
                                       ("an API key, which is no token", (own,), UNKNOWN)):
            yield equal(f"checked and passed on, {what}", seen(jobs, job, *metadata), wanted)


def by_unix_socket(bench):
    authority = Authority(bench.folder / "authority")
    for name, uri in (("alice", ALICE), ("bob", BOB)):
        authority.certificate(name, uri)
    key, lines = keygen("acme")
    file, path = bench.folder / "tenants.toml", bench.folder / "socket"
    file.write_text(TENANTS + lines)
    _, gateway = bench.side("--tenants", file, "--listen", f"unix:{path}", "--trusted-proxies", "unix", "--trust-xfcc",
                            "--tenant-header", "x-tenant")
    target, issuer = f"unix:{path}", Issuer(bench.folder)
    forged = (XFCC, f"URI={BOB}")

    with contextlib.ExitStack() as exits:
        certificates = bench.envoy(with_certificates(authority, target, "APPEND_FORWARD")).target
        alice, bob = (rpc.PictoryJobsStub(exits.enter_context(authority.channel(certificates, name)))
                      for name in ("alice", "bob"))
        tokens = exits.enter_context(stub(bench.envoy(with_tokens(issuer, target)).target))
        plain = exits.enter_context(stub(bench.envoy(from_proxy(target)).target))
        near = exits.enter_context(stub(gateway.grpc))
        job = submitted(alice)
        token = lambda **claims: bearer(issuer.token(**claims))  # noqa: E731
        for what, jobs, metadata, wanted in (
                ("a certificate", alice, (), "OK"), ("another's", bob, (), NOT_FOUND),
                ("a certificate, and a forged element", alice, (forged,), "OK"),
                ("JWT filter, a token of the tenant", tokens, (token(tenant="acme"),), "OK"),
                ("JWT filter, a token of another", tokens, (token(tenant="beta"),), NOT_FOUND),
                ("JWT filter, another's token and a forged header", tokens,
                 (token(tenant="beta"), ("x-tenant", "acme")), NOT_FOUND),
                ("an API key", plain, (bearer(key),), "OK"), ("nothing", plain, (), UNKNOWN),
                ("past Envoy, by TCP: a forged tenant", near, (("x-tenant", "acme"),), UNKNOWN),
                ("past Envoy, by TCP: a forged certificate", near, ((XFCC, f"URI={ALICE}"),), UNKNOWN)):
            yield equal(f"unix socket, {what}", seen(jobs, job, *metadata), wanted)
