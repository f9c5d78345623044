"""Notifications: a receiver of a tenant's own is told that a job has ended, whatever becomes of the gateway, the receiver
or the way to it. What it gets is verified by the library of Standard Webhooks.

cmake/tools.sh fetches that library. Exit 77: it is not there."""

import base64
import json
import os
import pathlib
import socket
import sys
import tempfile
import unittest
import urllib.request

import find_live  # noqa: F401
from full_disk_test import own_mounts
from live.gateway import Gateway
from live.process import wait_until
from live.programs import ROOT
from live.receiver import Receiver
from live.tenants import keygen

sys.path.append(str(ROOT / "build/tools/standardwebhooks"))
try:
    from standardwebhooks.webhooks import Webhook, WebhookVerificationError
except ImportError:
    Webhook = None

STORY = "One line for the scene."


def new_secret():
    return "whsec_" + base64.b64encode(os.urandom(32)).decode()


class NotifyTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.secret = new_secret()
        self.secret_file = self.write_secret("secret", self.secret)

    def write_secret(self, name, secret):
        file = self.folder / name
        file.touch(0o600)
        file.write_text(secret + "\n")
        return file

    def receiver(self, *args):
        started = Receiver(*args)
        self.addCleanup(started.end)
        return started

    def gateway(self, *flags, secrets=None, **kwargs):
        started = Gateway(self.folder / "gateway", *flags, "--notify-secret-files", secrets or self.secret_file, **kwargs)
        self.addCleanup(started.end)
        return started

    def preview(self, g, *flags, **kwargs):
        return g.json("preview", "--name", "told", "--text", STORY, *flags, **kwargs)["jobId"]

    def verify(self, request, secret=None):
        """The event, if the signature is one of the secret's."""
        return Webhook(secret or self.secret).verify(request.body, request.headers)

    def given_up(self, g, *args, count=1, **kwargs):
        def listed():
            lines = g.run("webhooks", "list", "--json", *args, **kwargs).stdout.splitlines()
            return len(lines) == count and ([json.loads(line) for line in lines],)
        return wait_until(listed, f"{count} notifications in the list")[0]

    def pending(self, g, **kwargs):
        [one] = self.given_up(g, "--pending", **kwargs)
        return one

    def delivered(self, g, count):
        wait_until(lambda: g.metric("notifications_total", result="delivered") == count, f"{count} deliveries")


class Deliveries(NotifyTest):
    def test_a_job_that_has_ended_is_told_once_and_can_be_verified(self):
        receiver = self.receiver()
        g = self.gateway("--notify-url", receiver.url())
        job = self.preview(g, "--label", "team=x", "--wait")
        [request] = receiver.await_requests(1)
        event = self.verify(request)
        self.assertEqual(request.headers["content-type"], "application/cloudevents+json; charset=utf-8")
        self.assertEqual({k: v for k, v in event.items() if k not in ("data", "time")},
                         {"specversion": "1.0", "id": request.id, "source": "/pictory-gateway/tenants/default",
                          "type": "pictory.jobs.v1.job.succeeded", "subject": job,
                          "datacontenttype": "application/json"})
        self.assertEqual(event["data"]["state"], "JOB_STATE_SUCCEEDED")
        self.assertEqual(event["data"]["labels"], {"team": "x"})
        self.assertEqual(event["data"]["revision"], g.json("get", job)["revision"])
        with self.assertRaises(WebhookVerificationError):
            self.verify(request, new_secret())
        self.delivered(g, 1)
        self.assertEqual(g.metric("notifications_waiting"), 0)
        self.assertEqual(len(receiver.requests), 1)
        self.assertNotIn(self.secret, g.log.read_text())

    def test_what_the_receiver_did_not_take_is_sent_again_under_the_same_id(self):
        receiver = self.receiver(lambda request: 500 if len(receiver.requests) == 1 else 200)
        g = self.gateway("--notify-url", receiver.url("/hook?token=hidden"))
        self.preview(g)
        first, second = receiver.await_requests(2)
        self.assertEqual(first.id, second.id)
        self.assertEqual(second.path, "/hook?token=hidden")
        self.verify(first), self.verify(second)
        self.delivered(g, 1)
        self.assertEqual(g.metric("notifications_total", result="later"), 1)
        self.assertNotIn("hidden", g.log.read_text())

    def test_a_kill_between_the_end_and_the_delivery_loses_nothing(self):
        receiver = self.receiver(lambda request: None)
        g = self.gateway("--notify-url", receiver.url())
        job = self.preview(g)
        [before] = receiver.await_requests(1)
        g.kill()
        receiver.answer = lambda request: 200
        g.start()
        after = receiver.await_requests(2)[1]
        self.assertEqual(before.id, after.id)
        self.assertEqual(self.verify(after)["subject"], job)
        self.delivered(g, 1)
        g.kill()
        g.start()
        self.assertEqual(g.metric("notifications_waiting"), 0)
        self.assertEqual(len(receiver.requests), 2, "what was delivered is not sent again")

    def test_a_receiver_that_never_answers_holds_up_no_other(self):
        silent, quick = self.receiver(lambda request: None), self.receiver()
        g = self.gateway("--notify-url", silent.url(), "--notify-hosts", quick.host)
        for _ in range(6):
            self.preview(g)
        silent.await_requests(4)
        job = self.preview(g, "--notify-url", quick.url())
        [request] = quick.await_requests(1)
        self.assertEqual(self.verify(request)["subject"], job)
        self.assertEqual(len(silent.requests), 4)
        self.assertEqual(g.json("get", job)["state"], "JOB_STATE_SUCCEEDED")

    def test_two_secrets_while_one_is_replaced_without_a_restart(self):
        receiver = self.receiver()
        new = new_secret()
        g = self.gateway("--notify-url", receiver.url(),
                         secrets=f"{self.write_secret('new', new)},{self.secret_file}")
        self.preview(g)
        [request] = receiver.await_requests(1)
        self.verify(request, new), self.verify(request, self.secret)
        newest = new_secret()
        self.write_secret("new", newest)
        self.preview(g)
        request = receiver.await_requests(2)[1]
        self.verify(request, newest)
        with self.assertRaises(WebhookVerificationError):
            self.verify(request, new)


class GivenUp(NotifyTest):
    def test_a_dead_letter_is_listed_and_replayed(self):
        receiver = self.receiver(lambda request: 410)
        g = self.gateway("--notify-url", receiver.url(), "--http-listen", "127.0.0.1:0")
        job = self.preview(g)
        [letter] = self.given_up(g)
        self.assertEqual({k: letter[k] for k in ("notificationId", "jobId", "jobState", "state", "tries")},
                         {"notificationId": receiver.requests[0].id, "jobId": job, "jobState": "JOB_STATE_SUCCEEDED",
                          "state": "NOTIFICATION_STATE_GIVEN_UP", "tries": 1})
        self.assertIn("410", letter["problem"])
        self.assertEqual(g.metric("notifications_total", result="given_up"), 1)
        self.assertIn('"event":"not_notified"', g.log.read_text())
        self.assertEqual(self.http(g, "GET", "/v1/notifications")["notifications"], [letter])
        receiver.answer = lambda request: 200
        done = g.run("webhooks", "replay", "--all")
        self.assertEqual(done.returncode, 0, done.stderr)
        again = receiver.await_requests(2)[1]
        self.assertEqual(again.id, letter["notificationId"])
        self.verify(again)
        self.given_up(g, count=0)
        self.assertEqual(g.run("webhooks", "replay", job).returncode, 0)
        self.assertEqual(receiver.await_requests(3)[2].id, again.id)
        self.http(g, "POST", f"/v1/jobs/{job}:replayNotification", b"{}")
        self.assertEqual(receiver.await_requests(4)[3].id, again.id)

    def http(self, g, method, path, body=None):
        request = urllib.request.Request(g.http + path, method=method, data=body,
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def test_of_a_deleted_job_nothing_is_told_any_more(self):
        receiver = self.receiver(lambda request: 500)
        g = self.gateway("--notify-url", receiver.url())
        job = self.preview(g)
        self.assertEqual(self.pending(g)["jobId"], job)
        self.assertEqual(g.run("delete", job).returncode, 0)
        self.given_up(g, "--pending", count=0)
        self.given_up(g, count=0)
        self.assertEqual(g.run("webhooks", "replay", job).returncode, 3)


class Where(NotifyTest):
    def test_a_redirect_is_not_followed(self):
        inside = self.receiver()
        receiver = self.receiver(lambda request: (302, {"Location": inside.url("/inside")}))
        g = self.gateway("--notify-url", receiver.url())
        self.preview(g)
        receiver.await_requests(2)
        self.assertIn("302", self.pending(g)["problem"])
        self.assertEqual(inside.requests, [])

    def test_a_submit_names_an_allowed_host_or_nothing_is_paid(self):
        receiver, other = self.receiver(), self.receiver()
        g = self.gateway("--notify-hosts", receiver.host)
        for url in (other.url(), "https://hooks.example.com/", receiver.url().replace("127.0.0.1", "127.0.0.2"),
                    receiver.url().replace("//", "//user@"), "https://10.0.0.5/", "file:///etc/passwd"):
            done = g.run("preview", "--name", "told", "--text", STORY, "--notify-url", url)
            self.assertNotEqual(done.returncode, 0, url)
            self.assertIn("notify_url", done.stderr, url)
        self.assertEqual(g.pages.accepted(), [])
        job = self.preview(g, "--notify-url", receiver.url("/named"))
        [request] = receiver.await_requests(1)
        self.assertEqual((request.path, self.verify(request)["subject"]), ("/named", job))
        self.preview(g, "--wait")
        self.delivered(g, 1)
        self.assertEqual(len(receiver.requests), 1, "a submit that names none is told nowhere")

    def test_tenants_have_receivers_and_dead_letters_of_their_own(self):
        mine, theirs = self.receiver(lambda request: 410), self.receiver()
        keys = {}
        text = ""
        for tenant, receiver in (("mine", mine), ("theirs", theirs)):
            keys[tenant], lines = keygen(tenant)
            text += (f"{lines}\n[tenants.{tenant}.notify]\nurl = '{receiver.url()}'\nsecret_files = ['{self.secret_file}']\n")
        tenants = self.folder / "tenants.toml"
        tenants.write_text(text)
        g = Gateway(self.folder / "gateway", "--tenants", tenants)
        self.addCleanup(g.end)
        job = self.preview(g, key=keys["mine"])
        [letter] = self.given_up(g, key=keys["mine"])
        self.assertEqual(letter["jobId"], job)
        self.given_up(g, count=0, key=keys["theirs"])
        self.assertEqual(g.run("webhooks", "replay", job, key=keys["theirs"]).returncode, 3)
        other = self.preview(g, key=keys["theirs"])
        [request] = theirs.await_requests(1)
        event = self.verify(request)
        self.assertEqual((event["subject"], event["source"]), (other, "/pictory-gateway/tenants/theirs"))


class Inside(NotifyTest):
    """A public name that leads to this machine."""

    def test_a_name_that_leads_inside_is_not_connected_to_unless_it_is_allowed(self):
        hosts = self.folder / "hosts"
        hosts.write_text("127.0.0.1 localhost hooks.example.com\n")
        wrapper = ("unshare", "--mount", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "sh")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(60)
            host = f"hooks.example.com:{listener.getsockname()[1]}"
            g = self.gateway("--notify-url", f"https://{host}/hook", wrapper=wrapper)
            self.preview(g)
            wait_until(lambda: self.pending(g).get("problem"), "a word of what is wrong")
            self.assertIn("address inside", self.pending(g)["problem"])
            g.kill()
            listener.setblocking(False)
            with self.assertRaises(BlockingIOError):
                listener.accept()
            listener.settimeout(60)
            g.flags += ["--notify-inside-hosts", host]
            g.start()
            listener.accept()[0].close()


class Settings(NotifyTest):
    def refused(self, *flags):
        g = Gateway(self.folder / "gateway", *flags, start=False)
        with self.assertRaisesRegex(AssertionError, "did not start"):
            g.start()
        return g.log.read_text()

    def test_what_cannot_work_is_refused_at_the_start(self):
        url = ("--notify-url", "https://hooks.example.com/")
        self.assertIn("needs the file of a secret", self.refused(*url))
        short = self.write_secret("short", "whsec_c2hvcnQ=")
        self.assertIn("24 to 64 bytes", self.refused(*url, "--notify-secret-files", short))
        self.assertNotIn("c2hvcnQ", self.refused(*url, "--notify-secret-files", short))
        open_to_all = self.write_secret("open", new_secret())
        open_to_all.chmod(0o644)
        self.assertIn("chmod 600", self.refused(*url, "--notify-secret-files", open_to_all))
        for wrong, says in (("http://hooks.example.com/", "https"), ("https://10.0.0.5/", "IP address"),
                            ("https://u:p@hooks.example.com/", "user name")):
            self.assertIn(says, self.refused("--notify-url", wrong, "--notify-secret-files", self.secret_file))
        self.assertIn("--notify-states", self.refused(*url, "--notify-secret-files", self.secret_file,
                                                      "--notify-states", "running"))
        self.assertIn("--notify-hosts", self.refused("--notify-hosts", "https://a/", "--notify-secret-files",
                                                     self.secret_file))


if __name__ == "__main__":
    if Webhook is None:
        sys.exit(77)
    why_not = own_mounts()
    if why_not:
        print(f"Inside is left out: {why_not}", file=sys.stderr)
        Inside = unittest.skip(why_not)(Inside)
    unittest.main()
