"""Known secrets through a mixed workload, and then looked for wherever others can look: 0 hits.

Each secret is looked for as it is, and in base64, hexadecimal and percent signs. That a leak would be found is shown
by what must hold it: the record of the stand-in for Pictory, and a core dump where one was allowed."""

import base64
import http.client
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import find_live  # noqa: F401
from live.certificates import Authority
from live.gateway import Gateway
from live.postgres import Postgres
from live.process import environment, wait_until
from live.programs import BIN
from live.sandbox import Sandbox
from live.tenants import keygen
from live.tokens import Issuer, key_set
from strangers_test import REFLECTION, ask
from upstream import RESULTS, Upstream

STORY = "One line for the scene."
KEY, NEXT_KEY = "pictai_canaryKEY7fd1c0a9e2", "pictai_canaryNEXT3b8d44f1a0"
CLIENT_SECRET, TOKEN = "canarySECRET5a90c3e7d1/+=", "canaryTOKEN0c11d29f8b"
STORE_PASSWORD = "canaryPASSWORD9d2e61f0b7/+="
CALLER_KEY, WRONG_CALLER_KEY = "pictai_canaryCALLER_5f1e7c", "pictai_bad_canaryCAROL_77c1"
ODD_CALLER_KEY = "canary ODD_1c77e0"
NOTIFY_KEY = b"canary-NOTIFY-8e41b7d2c09f-key!?"
NOTIFY_SECRET = "whsec_" + base64.b64encode(NOTIFY_KEY).decode()
TENANTS = """
[tenants.acme]
identities = ["jwt:alice"]
[tenants.acme.notify]
url = "https://hooks.invalid/hook"
secret_files = ["{secret}"]
[tenants.payer]
callers_pay = true
[jwt]
jwks_file = "{jwks}"
issuer = "issuer"
audience = "pictory"
algorithms = ["RS256"]
"""
DEBUG = ("--log-level", "debug", "--log-format", "json")


def forms(secret):
    """The secret as bytes, in each way in which programs write one down."""
    raw = secret if isinstance(secret, bytes) else secret.encode()
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    yield urllib.parse.quote_from_bytes(raw, safe="").encode()
    for before in range(3):  # the bytes in front decide how base64 cuts it
        encoded = base64.b64encode(bytes(before) + raw)
        whole = encoded[(before * 4 + 2) // 3:-4]  # digits that are of the secret alone
        yield whole
        yield whole.translate(bytes.maketrans(b"+/", b"-_"))


def hits(secrets, places):
    return [f"{name} in {place}" for place, text in places.items() for name, secret in secrets.items()
            if any(form in text for form in forms(secret))]


def files_in(folder):
    return {str(path): path.read_bytes() for path in pathlib.Path(folder).rglob("*")
            if path.is_file() and path.name != "webhook.key"}


class Echo(Upstream):
    """With client credentials, and an access token that can be recognised."""

    def __init__(self):
        super().__init__()
        self.client_secret = CLIENT_SECRET

    @property
    def token(self):
        return f"{TOKEN}{self.tokens}"

    def answer(self, method, path, headers, body):
        if method != "GET" and path != "/v1/oauth2/token" and path not in RESULTS:
            return 404, {"message": "No such path"}
        return super().answer(method, path, headers, body)


class Canary(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        self.seen = {}  # place -> bytes

    def secret_file(self, name, text):
        path = self.path / name
        path.write_text(text + "\n")
        path.chmod(0o600)
        return path

    def start(self, url, *flags, **kwargs):
        state = self.path / "gateway"
        made = Gateway(state, "--base-url", url, *DEBUG, *flags, sandbox=False, **kwargs)
        self.addCleanup(made.end)
        return made

    def run_cli(self, g, *args, **kwargs):
        done = g.run("--timeout", "10s", *args, **kwargs)
        self.seen[f"pictory {len(self.seen)} {' '.join(map(str, args))}"] = (done.stdout + done.stderr).encode()
        return done

    def submit_each_kind(self, g, tag):
        self.run_cli(g, "preview", "--name", f"a{tag}", "--text", STORY, "--request-id", f"p{tag}", "--wait")
        job = g.json("preview", "--name", f"b{tag}", "--text", STORY)["jobId"]
        self.run_cli(g, "wait", job)
        self.run_cli(g, "render", job, "--wait")
        talk = g.json("transcribe", "https://media.example.com/talk.mp4")["jobId"]
        self.run_cli(g, "wait", talk)
        self.run_cli(g, "summarize", talk, "--seconds", "30", "--wait")
        self.run_cli(g, "preview", "--name", f"sandbox-fail {tag}", "--text", STORY, "--wait")
        for command in ("list", "get", "watch", "result"):
            self.run_cli(g, command, *([] if command == "list" else [job]), "--json")
        self.run_cli(g, "result", talk)
        self.run_cli(g, "get", "nobody-knows-this")
        self.run_cli(g, "resolve", job, "--abandon")
        self.run_cli(g, "delete", job)
        media = self.path / "talk.mp4"
        media.write_bytes(b"not a film")
        self.run_cli(g, "upload", media)

    def look_everywhere(self, g):
        """While it runs, and at what it leaves."""
        for path in ("/metrics", "/readyz", "/livez", "/nothing"):
            try:
                self.seen["admin" + path] = g.fetch(path).encode()
            except urllib.error.HTTPError as refused:
                self.seen["admin" + path] = refused.read() + str(refused.headers).encode()
        for question in (b"\x3a\x01*", b"\x22\x1fpictory.jobs.v1.PictoryJobs" + b"\0" * 4):
            self.seen[f"reflection {question[:1]}"] = ask(g, REFLECTION, question)
        for pid in [g.pid, *children(g.pid)]:
            for name in ("cmdline", "environ", "status", "comm"):
                self.seen[f"/proc/{pid}/{name}"] = pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
        self.seen["the ready file"] = g.ready.read_bytes()
        self.seen |= files_in(g.state)  # the log and the open store, with its write-ahead log
        g.terminate()
        self.seen |= {f"{name}, at the end": text for name, text in files_in(g.state).items()}

    def assert_nowhere(self, secrets):
        self.assertGreater(len(self.seen), 15)
        self.assertEqual(hits(secrets, self.seen), [])
        planted = {f"{name} {at}": b"..." + form + b"..." for name, secret in secrets.items()
                   for at, form in enumerate(forms(secret))}
        found = {hit.split(" in ", 1)[1] for hit in hits(secrets, planted)}  # one may be part of another
        self.assertEqual(found, set(planted), "a leak in any form would be found")

    def test_an_api_key_and_the_one_after_it(self):
        sandbox = Sandbox(self.path, "--speed", "50", env={"PICTORY_API_KEY": KEY})
        self.addCleanup(sandbox.end)
        file = self.secret_file("key", KEY)
        g = self.start(sandbox.url, "--api-key-file", file, "--webhook-listen", "127.0.0.1:0", "--webhook-url",
                       "http://127.0.0.1:9/hooks", "--requests-per-second", "1000", "--burst", "1000")
        self.submit_each_kind(g, "key")
        sealed = {entry["webhook"].rsplit(".", 1)[1] for entry in sandbox.accepted() if entry.get("webhook")}
        self.assertTrue(sealed, "Pictory's record has the URLs of the webhook calls")
        # What goes wrong: each is a text of the gateway's own in log, status or store.
        for settings in ({"status": 401, "body": "Unauthorized"}, {"status": 403, "body": "{}"},
                         {"status": 429, "body": "slow down"}, {"status": 500, "body": "<html>oops</html>"}):
            sandbox.fault("status", times=1, **settings)
            self.run_cli(g, "preview", "--name", "wrong", "--text", STORY)
        for kind in ("reset", "close_after_read"):
            sandbox.fault(kind, times=1)
            self.run_cli(g, "preview", "--name", "lost", "--text", STORY)
        for entry in sandbox.accepted()[-2:]:
            if entry.get("webhook"):
                path = urllib.parse.urlsplit(entry["webhook"]).path
                for body in (b"{}", json.dumps({"job_id": entry["job_id"]}).encode(), b"not json"):
                    for at in (path, path + "0", "/hooks/nothing"):
                        with urllib.request.urlopen(urllib.request.Request(
                                f"http://{g.webhook}{at}", body, method="POST"), timeout=10) as answer:
                            self.seen[f"webhook {len(self.seen)}"] = answer.read() + str(answer.headers).encode()
        # Another key, that Pictory refuses: the log and all that say why.
        self.secret_file("key", NEXT_KEY)
        g.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "secret_replaced" in g.log.read_text(), "the new key")
        self.run_cli(g, "preview", "--name", "refused", "--text", STORY)
        wait_until(lambda: not g.is_ready(), "a gateway whose key is refused")
        self.secret_file("key", KEY + " " + NEXT_KEY)  # what no key looks like
        g.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "secret_kept" in g.log.read_text(), "a file that is refused")
        seal = (g.state / "jobs" / "pictory" / "webhook.key").read_bytes()
        self.look_everywhere(g)
        self.assert_nowhere({"key": KEY, "next key": NEXT_KEY, "webhook key": seal})
        # Pictory says the URL back in the result of a preview, for who may read that job; nobody else sees it.
        elsewhere = {place: text for place, text in self.seen.items() if "jobs.db" not in place}
        self.assertEqual(hits({f"sealed URL {at}": mac for at, mac in enumerate(sealed)}, elsewhere), [])

    def ask_http(self, g, *headers, method="GET", path="/v1/jobs"):
        """Through the face for HTTP; the status. `headers`: pairs, of which some may be equal."""
        connection = http.client.HTTPConnection(*g.http.removeprefix("http://").split(":"), timeout=60)
        self.addCleanup(connection.close)
        connection.putrequest(method, path)
        body = json.dumps({"prompt": "A lake"}).encode() if method == "POST" else b""
        for name, value in (("content-type", "application/json"), ("content-length", str(len(body))), *headers):
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        self.seen[f"HTTP {len(self.seen)}"] = str(answer.headers).encode() + answer.read()
        return answer.status

    def test_a_key_in_a_variable_and_what_callers_show(self):
        sandbox = Sandbox(self.path, "--speed", "50")  # takes every key that does not look bad
        self.addCleanup(sandbox.end)
        (key, lines), (payer, payer_lines), (wrong, _) = keygen("acme"), keygen("payer"), keygen("acme")
        issuer = Issuer(self.path)
        (self.path / "jwks").write_text(key_set(issuer))
        tokens = {"token": issuer.token(sub="alice"),
                  "expired token": issuer.token(sub="alice", exp=int(time.time()) - 600),
                  "forged token": issuer.token(sub="alice", sign=lambda text: issuer.sign(text + b".")),
                  "token of nobody": issuer.token(sub="mallory")}
        tenants = self.path / "tenants.toml"
        tenants.write_text(lines + payer_lines + TENANTS.format(
            secret=self.secret_file("notify", NOTIFY_SECRET), jwks=self.path / "jwks"))
        g = self.start(sandbox.url, "--tenants", tenants, "--http-listen", "127.0.0.1:0", env={"PICTORY_API_KEY": KEY})
        preview = ("preview", "--name", "a", "--text", STORY)
        # What counts.
        self.assertEqual(self.run_cli(g, *preview, key=key).returncode, 0)
        self.assertEqual(self.run_cli(g, *preview, "--wait", key=tokens["token"]).returncode, 0)
        self.assertEqual(self.run_cli(g, *preview, key=payer, pays=CALLER_KEY).returncode, 0)
        for text in (key, tokens["token"]):
            self.assertEqual(self.ask_http(g, ("authorization", f"Bearer {text}")), 200)
        pays = [("authorization", f"Bearer {payer}"), ("pictory-api-key", CALLER_KEY)]
        self.assertEqual(self.ask_http(g, *pays, method="POST", path="/v1/images"), 200)
        # What does not.
        refused = {"wrong key": wrong, **{name: text for name, text in tokens.items() if name != "token"}}
        for name, text in refused.items():
            with self.subTest(name):
                self.assertIn("CALLER_UNKNOWN", self.run_cli(g, "list", "--json", key=text).stderr)
                self.assertEqual(self.ask_http(g, ("authorization", f"Bearer {text}")), 401)
        for text in (key, tokens["token"]):
            shown = ("authorization", f"Bearer {text}")
            self.assertEqual(self.ask_http(g, shown, shown), 401, "twice")
            for odd in (text, f"Basic {text}", f"Bearer {text}x", f"Bearer {text} x"):
                self.assertEqual(self.ask_http(g, ("authorization", odd)), 401, odd)
            self.assertGreaterEqual(self.ask_http(g, shown, path=f"/v1/jobs?key={text}"), 400)
        for text in (WRONG_CALLER_KEY, ODD_CALLER_KEY):
            self.assertNotEqual(self.run_cli(g, *preview, key=payer, pays=text).returncode, 0)
            self.assertGreaterEqual(self.ask_http(g, ("authorization", f"Bearer {payer}"), ("pictory-api-key", text),
                                                  method="POST", path="/v1/images"), 400)
        self.assertGreaterEqual(self.ask_http(g, ("authorization", f"Bearer {key}"), ("pictory-api-key", CALLER_KEY)),
                                400, "shown where the gateway pays")
        wait_until(lambda: g.metric("notifications_total", result="later"), "a notification that was tried")
        self.assertIn("could not be reached", self.run_cli(g, "webhooks", "list", "--pending", key=key).stdout)
        secrets = {"key": KEY, "API key": key, "payer's API key": payer, "wrong API key": wrong,
                   "caller's key": CALLER_KEY, "wrong caller's key": WRONG_CALLER_KEY,
                   "odd caller's key": ODD_CALLER_KEY, "webhook secret": NOTIFY_SECRET, "webhook key": NOTIFY_KEY,
                   **tokens,
                   **{f"signature of the {name}": text.rsplit(".", 1)[1] for name, text in tokens.items()}}
        self.look_everywhere(g)
        self.assert_nowhere(secrets)

    def test_client_credentials_and_access_tokens(self):
        pictory = Echo()
        self.addCleanup(lambda: (pictory.server.shutdown(), pictory.server.server_close()))
        g = self.start(pictory.url, "--auth", "oauth", "--client-id", "the-id", "--user-id", "the-user",
                       "--requests-per-second", "1000", "--burst", "1000", "--client-secret-file", self.secret_file("secret", CLIENT_SECRET))
        self.submit_each_kind(g, "token")
        pictory.expire_token()
        self.run_cli(g, "preview", "--name", "renewed", "--text", STORY)
        pictory.client_secret = "another"
        pictory.expire_token()
        self.run_cli(g, "preview", "--name", "refused", "--text", STORY)
        self.look_everywhere(g)
        record = {"Pictory's record": repr(pictory.calls).encode()}
        secrets = {"client secret": CLIENT_SECRET, "access token": TOKEN}
        self.assertEqual(len(hits(secrets, record)), 2, "both were used")
        self.assert_nowhere(secrets)

    def test_a_pictory_that_says_the_key_back(self):
        sandbox = Sandbox(self.path, "--speed", "50", env={"PICTORY_API_KEY": KEY})
        self.addCleanup(sandbox.end)
        g = self.start(sandbox.url, "--api-key-file", self.secret_file("key", KEY))
        texts = [json.dumps({"message": f"The key {KEY} may not do that", "code": KEY}),
                 json.dumps({"errors": [{"code": "WRONG", "message": f"Authorization: {KEY}"}]}),
                 f"<html>{KEY}</html>", "x" * 500 + KEY]
        for at, status in enumerate((400, 402, 404, 422, 500, 429, 401)):
            for body in texts if status == 400 else texts[at % 2:at % 2 + 1]:
                sandbox.fault("status", times=1, status=status, body=body)
                self.run_cli(g, "preview", "--name", "echo", "--text", STORY)
                sandbox.forget_faults()
        for body in texts[:2]:  # of polls, into the store
            sandbox.fault("status", times=3, status=400, body=body, match={"method": "GET"})
            self.run_cli(g, "preview", "--name", "polled", "--text", STORY, "--wait")
            sandbox.forget_faults()
        self.look_everywhere(g)
        self.assert_nowhere({"key": KEY})

    def test_the_password_of_the_store(self):
        server = Postgres()
        self.addCleanup(server.end)
        server.database("jobs")
        authority = Authority(self.path / "ca")
        address = server.serve_tls(authority.issue("db"), STORE_PASSWORD)
        where = f"localhost/jobs?hostaddr={address}&sslmode=verify-full&sslrootcert={authority.cert}"
        url = f"postgres://gateway:{urllib.parse.quote(STORE_PASSWORD, safe='')}@{where}"
        passwords = self.secret_file("pass", f"localhost:*:jobs:gateway:{STORE_PASSWORD}")
        for flags, env in ((["--store-file", self.secret_file("store", url)], {}),
                           (["--store", f"postgres://gateway@{where}"], {"PGPASSFILE": str(passwords)})):
            g = Gateway(self.path / "gateway", *DEBUG, *flags, env=env)
            self.addCleanup(g.end)
            self.submit_each_kind(g, flags[0])
            self.assertGreater(int(server.sql("SELECT count(*) FROM pg_stat_ssl WHERE ssl")[0]), 1)
            # A server that is restarted, and wants another password then.
            said = g.log.stat().st_size
            server.sql("ALTER ROLE gateway PASSWORD 'another'")
            server.kill()
            server.start()
            wait_until(lambda: b"password authentication failed" in g.log.read_bytes()[said:], "a refused password")
            self.run_cli(g, "preview", "--name", "refused", "--text", STORY)
            server.sql(f"ALTER ROLE gateway PASSWORD '{STORE_PASSWORD}'")
            wait_until(lambda: b"store_back" in g.log.read_bytes()[said:], "the store to be back")
            self.run_cli(g, "preview", "--name", "again", "--text", STORY, "--wait")
            self.look_everywhere(g)
        self.assert_nowhere({"password": STORE_PASSWORD})

    def test_settings_that_are_wrong(self):
        odd = self.secret_file("odd", KEY + "\tx")
        tenants = self.path / "tenants.toml"
        tenants.write_text(f"[[tenants.acme.keys]]\nname = 'ci'\nsha256 = '{KEY}'\n")  # the key, not its SHA-256
        for at, (flags, env) in enumerate([
                (["--api-key-file", KEY], {}), ([f"--api-key={KEY}"], {}), (["--api-key", KEY], {}), ([KEY], {}),
                (["--api-key-file", odd], {}), ([], {"PICTORY_API_KEY": KEY + " x"}),
                (["--client-secret-file", odd, "--auth", "oauth"], {}),
                (["--api-key-file", odd], {"PICTORY_API_KEY": KEY}), ([], {"PICTORY_APY_KEY": KEY}),
                (["--auth=oauth", "--client-id=x"], {"PICTORY_CLIENT_SECRET": KEY + "\n"}),
                (["--sandbox", "--notify-secret-files", odd, "--notify-url", "https://hooks.example.com/x"], {}),
                (["--sandbox", "--tenants", tenants], {})]):
            done = subprocess.run([BIN / "pictory-gateway", "--state-dir", self.path / "s", *map(str, flags)],
                                  env=environment(env), capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 2, f"{at}: {done.stderr}")
            self.assertEqual(hits({"key": KEY}, {f"stderr {at}": done.stdout + done.stderr}), [])

    def core_of(self, *flags):
        """What a crash leaves: whether there was a core dump, and its bytes."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.path))
        sandbox = Sandbox(folder, env={"PICTORY_API_KEY": KEY})
        self.addCleanup(sandbox.end)
        g = Gateway(folder / "gateway", "--base-url", sandbox.url, "--api-key-file", self.secret_file("key", KEY),
                    *flags, sandbox=False,
                    wrapper=["sh", "-c", f"ulimit -c unlimited; cd {folder}; exec \"$0\" \"$@\""])
        self.addCleanup(g.end)
        hard = re.search(r"Max core file size +(\S+)", pathlib.Path(f"/proc/{g.pid}/limits").read_text())[1]
        os.kill(g.pid, signal.SIGSEGV)
        _, status = os.waitpid(g.pid, 0)
        g.process.returncode = -signal.SIGSEGV
        self.assertTrue(os.WIFSIGNALED(status))
        cores = [path.read_bytes() for path in folder.glob("core*")]
        return os.WCOREDUMP(status), hard, b"".join(cores)

    def test_no_core_dump_unless_it_is_allowed(self):
        dumped, limit, bytes_of_it = self.core_of()
        self.assertEqual((dumped, limit, bytes_of_it), (False, "0", b""))
        pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()
        if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0 or "/" in pattern or pattern.startswith("|"):
            self.skipTest("this system leaves no core dump in the folder of a program")
        dumped, _, bytes_of_it = self.core_of("--allow-core-dumps")
        self.assertTrue(dumped)
        self.assertIn(KEY.encode(), bytes_of_it, "it would have held the key")


def children(pid):
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return list(map(int, text.split()))


if __name__ == "__main__":
    unittest.main()
