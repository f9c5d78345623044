"""Several Pictory accounts in one gateway: each with its own key, address and rest, and tenants that pay with them."""

import json
import pathlib
import subprocess
import tempfile
import unittest

import find_live  # noqa: F401
from live.gateway import Gateway
from live.process import wait_until
from live.programs import BIN
from live.sandbox import Sandbox
from live.tenants import keygen

KEYS = {"east": "pictai_east_0123456789", "west": "pictai_west_0123456789"}
TENANTS = {"acme": "east", "beta": "west"}


class Accounts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.pictory, self.keys, self.lines = {}, {}, {}
        for account, key in KEYS.items():
            (self.folder / account).mkdir()
            self.pictory[account] = Sandbox(self.folder / account, "--speed", "50", env={"PICTORY_API_KEY": key})
            self.addCleanup(self.pictory[account].end)
            self.put_key(account, key)
        for tenant in TENANTS:
            self.keys[tenant], self.lines[tenant] = keygen(tenant)

    def put_key(self, account, key):
        beside = self.folder / f"{account}.new"
        beside.touch(0o600)
        beside.write_text(key + "\n")
        beside.rename(self.folder / f"{account}.key")

    def write(self, tenants=tuple(TENANTS), accounts=tuple(KEYS), limits=""):
        parts = [f'[accounts.{account}]\napi_key_file = "{self.folder}/{account}.key"\n'
                 f'base_url = "{self.pictory[account].url}"\n' for account in accounts]
        parts += [f'[tenants.{tenant}]\naccount = "{TENANTS[tenant]}"\n{self.lines[tenant]}' for tenant in tenants]
        beside = self.folder / "beside"
        beside.write_text("\n".join(parts) + limits)
        beside.rename(self.folder / "tenants.toml")

    def gateway(self):
        g = Gateway(self.folder / "state", "--tenants", self.folder / "tenants.toml", sandbox=False)
        self.addCleanup(g.end)
        return g

    def run_as(self, g, tenant, *args):
        env = {**g.env, "PICTORY_GATEWAY": g.grpc, "PICTORY_GATEWAY_KEY": self.keys[tenant]}
        return subprocess.run([BIN / "pictory", *args, "--json"], env=env, capture_output=True, text=True, timeout=60)

    def preview(self, g, tenant, name, *args):
        return self.run_as(g, tenant, "preview", "--name", name, "--text", "One sentence.", *args)

    def submit(self, g, tenant, name, *args):
        done = self.preview(g, tenant, name, *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout.strip().splitlines()[-1])

    def reason(self, done):
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return json.loads(done.stderr.strip().splitlines()[-1])["error"]["reason"]

    def usage(self, g, tenant):
        done = self.run_as(g, tenant, "usage")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_each_tenant_pays_with_its_own_account(self):
        self.write()
        g = self.gateway()
        for tenant, account in TENANTS.items():
            self.assertEqual(self.submit(g, tenant, f"of-{tenant}", "--wait")["state"], "JOB_STATE_SUCCEEDED")
            self.assertEqual(self.usage(g, tenant)["account"], account)
        self.assertEqual(list(self.pictory["east"].journal()), ["of-acme"])
        self.assertEqual(list(self.pictory["west"].journal()), ["of-beta"])

    def test_a_key_that_is_refused_stops_its_account_only(self):
        self.put_key("east", "pictai_bad_0123456789")
        self.write()
        g = self.gateway()
        wait_until(lambda: self.reason(self.preview(g, "acme", "a")) == "UPSTREAM_CREDENTIALS", "refused")
        self.assertEqual(self.submit(g, "beta", "b", "--wait")["state"], "JOB_STATE_SUCCEEDED")
        self.assertTrue(g.is_ready(), "half of the accounts work")
        self.put_key("east", KEYS["east"])
        wait_until(lambda: self.preview(g, "acme", "a").returncode == 0, "the new key is read")

    def test_a_job_stays_with_the_account_that_made_it(self):
        self.write()
        g = self.gateway()
        made = self.submit(g, "acme", "a", "--wait")
        running = self.submit(g, "acme", "sandbox-stuck")
        g.end()
        self.write(tenants=["beta"], accounts=["west"])
        g.start()
        self.assertEqual(self.reason(self.run_as(g, "acme", "get", made["jobId"])), "CALLER_UNKNOWN")
        g.end()
        polls = self.pictory["east"].stats()
        self.write()
        g.start()
        for job, state in ((made, "JOB_STATE_SUCCEEDED"), (running, None)):
            done = self.run_as(g, "acme", "get", job["jobId"])
            self.assertEqual(done.returncode, 0, done.stderr)
            if state:
                self.assertEqual(json.loads(done.stdout)["state"], state)
        wait_until(lambda: self.pictory["east"].stats() != polls, "the job is polled again")

    def test_an_account_may_come_while_the_gateway_runs(self):
        self.write(tenants=["acme"], accounts=["east"])
        g = self.gateway()
        self.submit(g, "acme", "before", "--wait")
        # At an address that the gateway knows; another one needs a restart.
        self.pictory["west"].url = self.pictory["east"].url
        self.put_key("west", "pictai_bad_but_another")
        self.write()
        wait_until(lambda: self.reason(self.preview(g, "beta", "after")) == "UPSTREAM_CREDENTIALS", "it is open")
        self.assertEqual(self.usage(g, "beta")["account"], "west")

    def kept(self, g, event):
        lines = [json.loads(line) for line in g.log.read_text().splitlines() if line.startswith("{")]
        return " ".join(line["reason"] for line in lines if line.get("event") == event)

    def test_a_key_that_another_account_has_is_refused_while_it_runs_too(self):
        self.pictory["west"].url = self.pictory["east"].url
        self.put_key("west", "pictai_bad_but_another")
        self.write()
        g = self.gateway()
        self.put_key("west", KEYS["east"])
        wait_until(lambda: "account west: has the same credentials as east" in self.kept(g, "secret_kept"), "refused")
        self.submit(g, "acme", "a", "--wait")

    def test_another_base_url_needs_a_restart_and_is_said_so(self):
        self.write()
        g = self.gateway()
        url = self.pictory["west"].url
        self.pictory["west"].url = "http://127.0.0.1:9/pictoryapis"
        self.write()
        wait_until(lambda: "restart the gateway" in self.kept(g, "tenants_kept"), "refused")
        self.assertIn("account west: its base_url is other than at the start", self.kept(g, "tenants_kept"))
        self.submit(g, "beta", "b", "--wait")
        self.pictory["west"].url = url
        self.write()
        wait_until(lambda: "tenants_readable" in g.log.read_text(), "put right")

    def test_what_a_tenant_may_spend_is_limited(self):
        self.write(limits="\n[tenants.acme.limits]\nactive_jobs = 1\nsubmits_per_day = 2\n")
        g = self.gateway()
        self.submit(g, "acme", "sandbox-stuck")
        self.assertEqual(self.reason(self.preview(g, "acme", "b")), "SPENDING_LIMIT")
        self.assertEqual(self.usage(g, "acme")["activeJobs"], {"used": 1, "limit": 1})
        self.write(limits="\n[tenants.acme.limits]\nactive_jobs = 9\nsubmits_per_day = 2\n")
        wait_until(lambda: self.preview(g, "acme", "b").returncode == 0, "the new limits count")
        self.assertEqual(self.reason(self.preview(g, "acme", "c")), "SPENDING_LIMIT")
        self.assertEqual(self.usage(g, "acme")["submitsToday"], {"used": 2, "limit": 2})
        self.submit(g, "beta", "d", "--wait")


if __name__ == "__main__":
    unittest.main()
