"""Estimates from past jobs: in answers, watches and the command line, and after a restart."""

import json
import pathlib
import tempfile
import unittest

import find_live  # noqa: F401
from live.gateway import gateway
from live.process import wait_until

PAST = 24  # more than the 20 that it takes to say that a job stands still


def submit(g, prompts):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / f"{prompts[0]}.jsonl"
        file.write_text("".join(json.dumps({"kind": "image", "body": {"prompt": each}}) + "\n" for each in prompts))
        done = g.run("submit", file, "--json", "--watch")
        assert done.returncode == 0, done.stderr


class Estimates(unittest.TestCase):
    def test_a_job_that_stands_still_is_told_and_nothing_is_done_to_it(self):
        with gateway("--requests-per-second", 50, "--burst", 50) as g:
            first = g.json("image", "--prompt", "sandbox-stuck first")
            self.assertNotIn("estimate", g.json("get", first["jobId"]))

            submit(g, [f"A lake {n}" for n in range(PAST)])
            stuck = g.json("image", "--prompt", "sandbox-stuck")
            self.assertIn("estimate", stuck, "the answer to the submit has one already")
            early = stuck["estimate"]
            self.assertEqual(early["pastJobs"], PAST)
            self.assertFalse(early["stalled"])
            self.assertLessEqual(early["likelyFinishTime"], early["lateFinishTime"])
            self.assertLess(stuck["createTime"], early["stallTime"])

            def stalled():
                job = g.json("get", stuck["jobId"])
                return job if job.get("estimate", {}).get("stalled") else None

            job = wait_until(stalled, "it to stand still")
            self.assertEqual(job["state"], "JOB_STATE_RUNNING")
            unchanged = g.json("get", stuck["jobId"])
            self.assertEqual(unchanged["revision"], job["revision"])
            self.assertNotIn("likelyFinishTime", unchanged["estimate"], "no past job took as long")
            listed = g.run("list", "--state", "running")
            self.assertIn("stalled?", listed.stdout)
            self.assertIn("seems to stand still", g.run("get", stuck["jobId"]).stdout)

            # What the last process saw is read from the store, and nothing stands still that nobody could look at.
            g.terminate()
            g.start()
            again = wait_until(lambda: g.json("get", stuck["jobId"]).get("estimate"), "the past jobs to be read")
            self.assertEqual(again["stallTime"] > early["stallTime"], True)
            wait_until(stalled, "it to stand still again")

    def test_a_watch_has_it_with_each_state_but_the_last(self):
        with gateway("--requests-per-second", 50, "--burst", 50, speed=2) as g:
            submit(g, [f"A hill {n}" for n in range(6)])
            watched = g.run("image", "--prompt", "A town", "--watch", "--json")
            self.assertEqual(watched.returncode, 0, watched.stderr)
            states = [json.loads(each) for each in watched.stdout.splitlines()]
            working = [each for each in states if each["state"] in ("JOB_STATE_QUEUED", "JOB_STATE_RUNNING")]
            self.assertTrue(working)
            self.assertTrue(all(each["estimate"]["pastJobs"] >= 5 or "likelyFinishTime" not in each["estimate"]
                                for each in working), working)
            self.assertNotIn("estimate", states[-1])


if __name__ == "__main__":
    unittest.main()
