"""Many jobs and many watches through the real gateway and sandbox."""

import json
import subprocess
import unittest

import find_live  # noqa: F401
from live.gateway import gateway
from live.programs import BIN

LOAD = BIN / "load"


def load(g, jobs, per_second, watches, *mode):
    return subprocess.Popen([LOAD, g.grpc, str(jobs), str(per_second), str(watches), *mode],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    out, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    return json.loads(out)


def polls_per_job(g):
    """The mean over all jobs, from the sandbox's own count."""
    counts = g.pages.stats()["polls"]
    return sum(counts.values()) / len(counts)


class Load(unittest.TestCase):
    def test_a_thousand_jobs_with_a_thousand_watches(self):
        with gateway() as g:
            seen = finish(load(g, 1000, 50, 1))
            self.assertEqual(seen, {"refused": 0, "succeeded": 1000, "other": 0, "drained": 0,
                                    "backwards": 0})

    def test_polls_do_not_grow_with_watchers(self):
        means = []
        for watches in (1, 100):
            with gateway(speed=0.5) as g:
                self.assertEqual(finish(load(g, 10, 50, watches))["succeeded"], 10 * watches)
                means.append(polls_per_job(g))
        self.assertLess(abs(means[0] - means[1]), 0.15 * means[0], means)

    def test_sigterm_with_a_thousand_watches(self):
        with gateway(speed=0.02) as g:
            process = load(g, 10, 100, 100, "drain")
            for line in process.stderr:  # until the last thousandth watch has its first state
                if line.strip() == "watching 1000":
                    break
            code, seconds = g.terminate()
            self.assertEqual(code, 0, g.log.read_text())
            self.assertLess(seconds, 20)
            self.assertEqual(finish(process)["drained"], 1000)


if __name__ == "__main__":
    unittest.main()
