"""Callers with JSON Web Tokens of an issuer: which of them count, and what becomes of a watch."""

import contextlib
import json
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

import find_live  # noqa: F401
from live.gateway import Gateway
from live.process import wait_until
from live.programs import BIN
from live.tokens import Issuer, key_set, with_secret

REFUSED = ("UNAUTHENTICATED", "CALLER_UNKNOWN")
TENANTS = """
[tenants.acme]
identities = ["jwt:alice"]
[tenants.beta]
identities = ["jwt:bob"]
[jwt]
jwks_file = "{jwks}"
issuer = "issuer"
audience = "pictory"
algorithms = ["RS256", "PS256", "ES256"]
leeway_seconds = {leeway}
"""
SHORT_LIFE = 4  # seconds
LEEWAY = 30


class Tokens(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.issuers = {algorithm: Issuer(self.folder, algorithm, algorithm.lower())
                        for algorithm in ("RS256", "PS256", "ES256")}
        self.issuer = self.issuers["RS256"]
        self.jwks = self.folder / "jwks.json"
        self.put(key_set(*self.issuers.values()))

    def put(self, text):
        """All of it at once."""
        beside = self.folder / "beside"
        beside.write_text(text)
        beside.rename(self.jwks)

    def gateway(self, leeway=LEEWAY, **kwargs):
        tenants = self.folder / "tenants.toml"
        tenants.write_text(TENANTS.format(jwks=self.jwks, leeway=leeway))
        g = Gateway(self.folder / "state", "--tenants", tenants, "--log-format", "json", "--log-level", "debug",
                    **kwargs)
        self.addCleanup(g.end)
        return g

    def reload(self, g, text, event):
        before = self.count(g, event)
        self.put(text)
        g.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.count(g, event) > before, event)

    def count(self, g, event):
        return sum(json.loads(line)["event"] == event for line in g.log.read_text().splitlines())

    def told(self, g, token):
        """OK, or code and reason of the refusal."""
        done = g.run("list", "--json", key=token)
        if done.returncode == 0:
            return "OK"
        error = json.loads(done.stderr.strip().splitlines()[-1])["error"]
        return error["code"], error["reason"]

    def submit(self, g, token):
        return json.loads(g.run("preview", "--name", "a", "--text", "One.", "--json", key=token).stdout)["jobId"]

    @contextlib.contextmanager
    def watch(self, g, token, job):
        """A watch that has begun."""
        env = {**g.env, "PICTORY_GATEWAY": g.grpc, "PICTORY_GATEWAY_KEY": token}
        with subprocess.Popen([BIN / "pictory", "watch", job, "--json"], env=env, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as process:
            try:
                self.assertIn(job, process.stdout.readline())
                yield process
            finally:
                process.kill()

    def test_a_signed_token_is_its_subjects(self):
        g = self.gateway()
        for algorithm, issuer in self.issuers.items():
            with self.subTest(algorithm=algorithm):
                job = self.submit(g, issuer.token(sub="alice"))
                again = issuer.token(sub="alice", aud=["other", "pictory"], nbf=int(time.time()))
                self.assertEqual(g.run("get", job, key=again).returncode, 0)
                self.assertIn("JOB_NOT_FOUND", g.run("get", job, "--json", key=issuer.token(sub="bob")).stderr)

    def test_no_other_token_counts(self):
        g = self.gateway()
        now, issuer = int(time.time()), self.issuer
        alice = issuer.token(sub="alice")
        header, claims, signature = alice.split(".")
        stranger = Issuer(self.folder, "RS256", "stranger")
        imposter = Issuer(self.folder, "RS256", issuer.kid, key=stranger.key)
        hs = {"alg": "HS256", "kid": issuer.kid}
        cases = {
            "ended": issuer.token(sub="alice", exp=now - LEEWAY - 5),
            "without an end": issuer.token(sub="alice", exp=None),
            "not yet": issuer.token(sub="alice", nbf=now + 600),
            "for another audience": issuer.token(sub="alice", aud="elsewhere"),
            "for nobody": issuer.token(sub="alice", aud=None),
            "of another issuer": issuer.token(sub="alice", iss="elsewhere"),
            "of nobody the file has": issuer.token(sub="eve"),
            "without a subject": issuer.token(sub=None),
            "alg none": issuer.token({"alg": "none", "kid": issuer.kid}, lambda text: b"", sub="alice"),
            "alg none, without kid": issuer.token({"alg": "none"}, lambda text: b"", sub="alice"),
            "alg none, with the signature": issuer.token({"alg": "none", "kid": issuer.kid}, sub="alice"),
            "HS256 by the public key": issuer.token(hs, with_secret(issuer.public()), sub="alice"),
            "HS256 by its DER": issuer.token(hs, with_secret(issuer.public("DER")), sub="alice"),
            "HS256 by the file": issuer.token(hs, with_secret(self.jwks.read_bytes()), sub="alice"),
            "HS256 by nothing": issuer.token(hs, with_secret(b""), sub="alice"),
            "of an unknown key": stranger.token(sub="alice"),
            "of an unknown key by a known name": imposter.token(sub="alice"),
            "with a key of its own": imposter.token({"alg": "RS256", "jwk": imposter.jwk()}, sub="alice"),
            "of an unknown key, without a name": imposter.token({"alg": "RS256"}, sub="alice"),
            "with other claims": f"{header}.{issuer.token(sub='bob').split('.')[1]}.{signature}",
            "by another's signature": f"{header}.{claims}.{issuer.token(sub='bob').split('.')[2]}",
            "without its signature": f"{header}.{claims}.",
            "half of it": alice[:len(alice) // 2],
            "padded inside": f"{header}.{claims}.AAAAAAAAA=AAAAAA",  # an assertion of libcjose ends the process
        }
        for what, token in cases.items():
            with self.subTest(what):
                self.assertEqual(self.told(g, token), REFUSED)
        self.assertEqual(self.told(g, alice), "OK")
        said = g.log.read_text()
        for token in (alice, *cases.values()):
            self.assertNotIn(token.rsplit(".", 1)[0], said)

    def test_a_key_is_changed_by_the_file(self):
        g = self.gateway()
        newer = Issuer(self.folder, "RS256", "newer")
        old, new = self.issuer.token(sub="alice"), newer.token(sub="alice")
        self.assertEqual((self.told(g, old), self.told(g, new)), ("OK", REFUSED))
        self.reload(g, key_set(self.issuer, newer), "tenants_replaced")
        self.assertEqual((self.told(g, old), self.told(g, new)), ("OK", "OK"))
        self.reload(g, "{", "tenants_kept")
        self.assertEqual((self.told(g, old), self.told(g, new)), ("OK", "OK"))
        self.reload(g, key_set(newer), "tenants_replaced")
        # Also a token that was taken before: what is remembered of it goes with its key.
        self.assertEqual((self.told(g, old), self.told(g, new)), (REFUSED, "OK"))

    def test_a_watch_ends_with_its_token_or_its_key(self):
        g = self.gateway(leeway=0, speed=0.01)
        long = self.issuers["ES256"].token(sub="alice")
        job = self.submit(g, long)
        with self.watch(g, long, job) as lasting:
            ends = int(time.time()) + SHORT_LIFE
            with self.watch(g, self.issuer.token(sub="alice", exp=ends), job) as short:
                _, said = short.communicate(timeout=SHORT_LIFE + 30)
                self.assertGreaterEqual(time.time(), ends, "not before")
                self.assertEqual(short.returncode, 5, said)
                self.assertIn("UNAUTHENTICATED", said)
            self.assertIsNone(lasting.poll(), "a token that has not ended keeps its watch")
            self.reload(g, key_set(self.issuer), "tenants_replaced")
            _, said = lasting.communicate(timeout=30)
            self.assertEqual(lasting.returncode, 5, said)
            self.assertIn("UNAUTHENTICATED", said)


if __name__ == "__main__":
    unittest.main()
