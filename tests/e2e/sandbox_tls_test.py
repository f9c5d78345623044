"""A sandbox over TLS: what insists on https, and trusts its authority, has all of it."""

import json
import os
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import unittest
import urllib.request

import find_live  # noqa: F401
from live.certificates import Authority
from live.process import DEADLINE_SECONDS, environment
from live.programs import BIN
from live.rig import UNLIMITED, Rig

KEY = "pictai_of_the_tests"


class SandboxTls(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.rig = Rig(self.folder)
        self.addCleanup(self.rig.exits.close)

    def sandbox(self, *flags):
        return self.rig.sandbox("--tls", "--speed", "100", *flags)

    def curl(self, *args):
        return subprocess.run(["curl", "-sS", "--fail", "-A", "test", *args], text=True, capture_output=True,
                              timeout=DEADLINE_SECONDS)

    def ask(self, sandbox, path, body=None, method=None, context=None):
        url = path if path.startswith("https://") else sandbox.url + path
        request = urllib.request.Request(url, data=None if body is None else json.dumps(body).encode(), method=method,
                                         headers={"Authorization": KEY, "User-Agent": "test",
                                                  "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS, context=context or sandbox.trust()) as answer:
            return answer.read()

    def test_curl_trusts_the_authority_and_nobody_else_does(self):
        sandbox = self.sandbox()
        self.assertTrue(sandbox.url.startswith("https://127.0.0.1:"))
        quota = [sandbox.url + "/v1/quota", "-H", f"Authorization: {KEY}"]
        for url in (quota[0], quota[0].replace("127.0.0.1", "localhost")):
            done = self.curl("--cacert", sandbox.ca, url, *quota[1:])
            self.assertIn("aiCredits", done.stdout, done.stderr)
        self.assertEqual(self.curl(*quota).returncode, 60)  # curl's for a certificate it does not trust
        self.assertEqual(self.curl(quota[0].replace("https:", "http:"), *quota[1:]).stdout, "")
        self.assertEqual(os.stat(pathlib.Path(sandbox.ca).parent / "ca-key.pem").st_mode & 0o77, 0)

    def test_the_strictest_python_takes_the_certificate(self):
        sandbox = self.sandbox()
        context = sandbox.trust()
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.assertIn(b"aiCredits", self.ask(sandbox, "/v1/quota", context=context))

    def test_requests_take_it_too(self):
        try:
            import requests
        except ImportError:
            self.skipTest("there is no requests")
        sandbox = self.sandbox()
        got = requests.get(sandbox.url + "/v1/quota", headers={"Authorization": KEY}, verify=sandbox.ca, timeout=60)
        self.assertIn("aiCredits", got.json())

    def test_every_link_is_https_and_leads_there(self):
        sandbox = self.sandbox()

        def job(path, body):
            made = json.loads(self.ask(sandbox, path, body))["data"]["jobId"]
            while True:
                data = json.loads(self.ask(sandbox, f"/v1/jobs/{made}"))["data"]
                if data["status"] == "completed":
                    return data
        data = job("/v2/video/storyboard/render", {"videoName": "n", "scenes": [{"story": "Hello."}]})
        links = {key: value for key, value in data.items() if "://" in str(value)}
        self.assertGreater(len(links), 5)
        for key, url in links.items():
            self.assertTrue(url.startswith("https://"), key)
            self.assertTrue(self.ask(sandbox, url), key)
        place = json.loads(self.ask(sandbox, "/v1/media/generateurl",
                                    {"fileName": "a.mp4", "contentType": "video/mp4"}))["data"]
        file = self.folder / "a.mp4"
        file.write_bytes(os.urandom(3_000_000))
        done = self.curl("--cacert", sandbox.ca, "-T", file, "-H", "Content-Type: video/mp4", place["signedUrl"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.ask(sandbox, place["url"]), file.read_bytes())

    def test_the_authority_stays_and_the_rest_is_made_anew(self):
        state = self.folder / "state"

        def certificates():
            """The authority's, and what the sandbox shows."""
            ready = self.folder / "ready"
            ready.unlink(missing_ok=True)
            process = subprocess.Popen([BIN / "pictory-gateway", "sandbox", "--tls", "--listen", "127.0.0.1:0",
                                        "--state-dir", state, "--ready-file", ready, "--tls-name", "sandbox.test"],
                                       env=environment(), stderr=subprocess.DEVNULL)
            try:
                while not ready.exists():
                    self.assertIsNone(process.poll())
                told = dict(line.split("=", 1) for line in ready.read_text().splitlines())
                port = int(told["sandbox"].split(":")[2].split("/")[0])
                shown = ssl.get_server_certificate(("127.0.0.1", port), ca_certs=told["ca"])
                return pathlib.Path(told["ca"]).read_text(), shown
            finally:
                process.kill()
                process.wait()
        authority, shown = certificates()
        again, other = certificates()
        self.assertEqual(authority, again)
        self.assertNotEqual(shown, other)
        words = subprocess.run(["openssl", "x509", "-noout", "-ext", "subjectAltName"], input=shown, text=True,
                               capture_output=True).stdout
        for name in ("DNS:localhost", "IP Address:127.0.0.1", "DNS:sandbox.test"):
            self.assertIn(name, words)
        (state / "tls" / "ca.pem").write_text("no certificate\n")
        done = subprocess.run([BIN / "pictory-gateway", "sandbox", "--tls", "--listen", "127.0.0.1:0", "--state-dir",
                               state], env=environment(), text=True, capture_output=True, timeout=DEADLINE_SECONDS)
        self.assertEqual(done.returncode, 1)
        self.assertIn("remove both", done.stderr)

    def test_the_gateway_goes_through_it(self):
        sandbox = self.sandbox()
        gateway = self.rig.gateway(sandbox.url, "--ca-file", sandbox.ca, *UNLIMITED)
        story = self.folder / "story.json"
        story.write_text(json.dumps({"videoName": "n", "scenes": [{"story": "Hello."}]}))
        job = gateway.json("render", "--storyboard", story, "--wait")
        url = job["render"]["videoURL"]
        self.assertTrue(url.startswith(sandbox.origin), url)
        self.assertEqual(self.curl("--cacert", sandbox.ca, "-o", "/dev/null", url).returncode, 0)
        self.fetches(gateway, sandbox, job["jobId"])
        # Whoever is not told of the authority does not get through.
        stranger = self.rig.gateway(sandbox.url, *UNLIMITED)
        self.assertNotEqual(stranger.run("account").returncode, 0)

    def fetches(self, gateway, sandbox, job):
        """`pictory` fetches from there and sends there, by a flag or by what programs are told with SSL_CERT_FILE."""
        video, media = self.folder / "v.mp4", self.folder / "a.mp4"
        media.write_bytes(os.urandom(10_000))
        download, upload = ("result", job, "--download", "-o", video), ("upload", media)
        other = Authority(self.folder / "other", "others").cert
        for command in download, upload:
            done = gateway.run(*command, "--json")
            self.assertEqual(done.returncode, 5, done.stderr)
            error = json.loads(done.stderr.splitlines()[-1])["error"]
            self.assertEqual((error["code"], error["reason"]), ("FAILED_PRECONDITION", "TRANSFER_FAILED"), error)
            self.assertIn("--media-ca", error["message"])
            self.assertNotIn("hint", error)
            for wrong, why in (self.folder / "none.pem", "no such file"), (media, "has no PEM certificate"):
                done = gateway.run(*command, "--media-ca", wrong)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(f"{wrong}: ", done.stderr)
                self.assertIn(why, done.stderr.lower() if why.islower() else done.stderr)
            done = gateway.run(*command, "--media-ca", sandbox.ca)
            self.assertEqual(done.returncode, 0, done.stderr)
            gateway.env["SSL_CERT_FILE"] = str(sandbox.ca)
            done = gateway.run(*command)
            self.assertEqual(done.returncode, 0, done.stderr)
            # What is named by the flag counts alone.
            self.assertEqual(gateway.run(*command, "--media-ca", other).returncode, 5)
            del gateway.env["SSL_CERT_FILE"]
        self.assertGreater(video.stat().st_size, 100)

    def test_the_contract_holds_through_it(self):
        sandbox = self.sandbox()
        done = subprocess.run(
            [BIN / "pictory-gateway", "contract", "--live", "--json", "--base-url", sandbox.url, "--ca-file",
             sandbox.ca, "--state-dir", self.folder / "contract", "--requests-per-second", "1000", "--burst", "1000",
             "--poll-seconds", "0.02", "--spend", "13"],
            env=environment({"PICTORY_API_KEY": KEY}), text=True, capture_output=True, timeout=DEADLINE_SECONDS)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(json.loads(done.stdout)["spent"]), 6)

    def test_what_goes_wrong_on_purpose_goes_wrong_through_it(self):
        sandbox = self.sandbox()
        for kind, settings in (("reset", {}), ("close_after_read", {}), ("wrong_length", {"extra": 100}),
                               ("never_answer", {})):
            with self.subTest(kind):
                sandbox.fault(kind, match={"path_prefix": "/v1/quota"}, times=1, **settings)
                done = self.curl("--cacert", sandbox.ca, "--max-time", "2", sandbox.url + "/v1/quota", "-H",
                                 f"Authorization: {KEY}")
                self.assertNotEqual(done.returncode, 0, done.stdout)
                self.assertIn(b"aiCredits", self.ask(sandbox, "/v1/quota"))

    def test_too_large_a_body_is_told(self):
        sandbox = self.sandbox()
        body = self.folder / "body"
        with open(body, "wb") as file:
            file.truncate(40 << 20)
        done = self.curl("--cacert", sandbox.ca, "-X", "POST", "-H", f"Authorization: {KEY}", "-w", "%{http_code}",
                         "--data-binary", f"@{body}", "-H", "Expect:", sandbox.url + "/v2/video/storyboard")
        self.assertIn("413", done.stdout + done.stderr)

    def test_usage(self):
        for flags, words in ((("--tls",), "--state-dir"), (("--tls-name", "a"), "--tls"),
                             (("--tls", "--state-dir", self.folder / "s", "--tls-name", "a,DNS:b"), "neither")):
            done = subprocess.run([BIN / "pictory-gateway", "sandbox", *flags], env=environment(), text=True,
                                  capture_output=True, timeout=DEADLINE_SECONDS)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    if shutil.which("curl") is None or shutil.which("openssl") is None:
        raise SystemExit(77)
    unittest.main()
