"""Both generations of Pictory: client credentials and API keys, v1 and v2 paths, mixed as accounts
have them. The real programs against a scripted Pictory."""

import json
import tempfile
import unittest

import find_live  # noqa: F401
from live.gateway import Gateway, gateway
from upstream import TRANSCRIPT, upstream

ENV = {"PICTORY_AUTH": "oauth", "PICTORY_CLIENT_ID": "the-id", "PICTORY_CLIENT_SECRET": "s3cret",
       "PICTORY_USER_ID": "the-user"}


def oauth(pictory, *flags, env=None, **kwargs):
    return gateway("--base-url", pictory.url, *flags, sandbox=False, env={**ENV, **(env or {})},
                   **kwargs)


class Generations(unittest.TestCase):
    def test_seeds_own_mix_v2_transcription_with_v1_highlights(self):
        with upstream() as pictory, oauth(pictory, "--api-version.summarize=v1") as g:
            job = g.json("transcribe", "https://media.example.com/talk.mp4", "--wait")
            self.assertEqual(job["state"], "JOB_STATE_SUCCEEDED")
            summary = g.json("summarize", job["jobId"], "--seconds", "60", "--wait")
            self.assertEqual(summary["state"], "JOB_STATE_SUCCEEDED")
            self.assertIn("there was a gateway", json.dumps(summary["summary"]))

            stored = g.run("result", job["jobId"], "--part", "transcript")
            self.assertEqual(json.loads(stored.stdout), TRANSCRIPT)
            posts = [path for method, path, *_ in pictory.calls if method == "POST"]
            self.assertEqual(posts, ["/v1/oauth2/token", "/v2/transcription",
                                     "/v1/transcription/highlights"])
            sent, = pictory.bodies("/v1/transcription/highlights")
            self.assertEqual(sent, '{"transcript":' + json.dumps(TRANSCRIPT) +
                             ',"highlight_duration":60}')

            said = g.log.read_text() + g.fetch("/metrics")
            self.assertIn("api_versions", said)
            self.assertIn("summarize=v1", said)
            self.assertIn('token_fetches_total{outcome="ok"} 1', said)
            for secret in ("s3cret", "token-1"):
                self.assertNotIn(secret, said)

    def test_a_v1_preview(self):
        body = '{"videoName":"old", "scenes":[{"text":"Hi."}] }'
        with upstream() as pictory, oauth(pictory, env={"PICTORY_API_VERSION": "v1"}) as g:
            job = g.json("preview", "-", "--wait", input=body)
            self.assertEqual(job["state"], "JOB_STATE_SUCCEEDED")
            self.assertEqual(pictory.bodies("/v1/video/storyboard"), [body])
            typed = g.run("preview", "--name", "a", "--text", "Hi.")
            self.assertEqual(typed.returncode, 5)
            self.assertIn("v1", typed.stderr)


class Tokens(unittest.TestCase):
    def test_a_token_that_ended_is_renewed_once_and_nothing_is_paid_twice(self):
        with upstream() as pictory, oauth(pictory) as g:
            g.json("preview", "--name", "a", "--text", "Hi.")
            pictory.expire_token()
            job = g.json("preview", "--name", "b", "--text", "Hi.", "--wait")
            self.assertEqual(job["state"], "JOB_STATE_SUCCEEDED")
            self.assertEqual(len(pictory.bodies("/v1/oauth2/token")), 2)
            self.assertEqual(len(pictory.results), 2)

    def test_wrong_client_credentials(self):
        with upstream() as pictory:
            pictory.client_secret = "another"
            with oauth(pictory) as g:
                for _ in range(3):
                    done = g.run("preview", "--name", "a", "--text", "Hi.")
                    self.assertEqual(done.returncode, 5)
                    self.assertIn("credentials", done.stderr)
                self.assertEqual([path for _, path, *_ in pictory.calls], ["/v1/oauth2/token"])
                self.assertNotIn("s3cret", done.stderr + g.log.read_text())

    def test_killed_while_it_waits_for_a_token_nothing_is_in_doubt(self):
        with upstream() as pictory, tempfile.TemporaryDirectory() as state:
            pictory.token_gate.clear()
            g = Gateway(state, "--base-url", pictory.url, sandbox=False, env=ENV)
            try:
                submit = ("preview", "--name", "a", "--text", "Hi.", "--request-id", "r-1")
                done = g.run(*submit, "--timeout", "1")
                self.assertEqual(done.returncode, 6, done.stderr)  # for all the client can know
                self.assertTrue(pictory.token_asked.wait(60))
                g.kill()
                pictory.token_gate.set()
                g.start()
                self.assertEqual(g.run("list", "--json").stdout, "")
                self.assertEqual(pictory.results, {})
                self.assertEqual(g.run(*submit).returncode, 0)
                self.assertEqual(len(pictory.results), 1)
            finally:
                g.kill()


if __name__ == "__main__":
    unittest.main()
