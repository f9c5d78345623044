"""A disk without room: at a start, where nobody may be told that the gateway is ready, and while it runs,
where nothing may be paid for that cannot be stored. On a small file system, which only root can mount."""

import contextlib
import json
import os
import subprocess
import sys
import unittest

import find_live  # noqa: F401
from live.process import DEADLINE_SECONDS, wait_until
from live.rig import UNLIMITED, RigTest

STORY = "One sentence is enough."
MINE = "PICTORY_TEST_OWN_MOUNTS"  # in a namespace, so that a kill leaves nothing mounted


def preview(name):
    return ("preview", "--name", name, "--text", STORY, "--request-id", name)


def own_mounts():
    """None, or why this process cannot mount anything."""
    if os.environ.pop(MINE, None):
        return None
    tried = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True)
    if tried.returncode != 0:
        return f"a file system cannot be mounted here: {tried.stderr.strip()}"
    os.execvpe("unshare", ["unshare", "--mount", sys.executable, *sys.argv], {**os.environ, MINE: "1"})


def start_refused(test, g):
    """Starts it in vain: exit code 1 and no word of being ready. Returns what its log says of that."""
    said = len(g.log.read_text()) if g.log.exists() else 0
    with test.assertRaisesRegex(AssertionError, "did not start"):
        g.start()
    test.assertEqual(g.process.returncode, 1)
    test.assertFalse(g.ready.exists())
    log = g.log.read_text()[said:]
    test.assertNotIn("\"serving\"", log)
    return log


class Disk(RigTest):
    def gateway(self, **kwargs):
        return self.rig.gateway(self.sandbox.url, *UNLIMITED, start=False, **kwargs)


class LimitOfTheProcess(Disk):
    def test_files_that_may_not_grow_are_told_before_ready(self):
        g = self.gateway(wrapper=("prlimit", f"--fsize={8 << 20}"))
        said = start_refused(self, g)
        self.assertIn(f"There is no room in {g.state}/jobs/pictory: 16.0 MiB are needed", said)
        self.assertIn("ulimit -f", said)


class SmallDisk(Disk):
    def mount(self, mib):
        g = self.gateway()
        self.jobs = g.state / "jobs"
        self.jobs.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0700", "full-disk-test", self.jobs], check=True)
        # After the gateway's end, and before the folder is removed.
        self.addCleanup(lambda: (self.rig.exits.close(), subprocess.run(["umount", self.jobs], check=True)))
        return g

    def fill(self):
        with open(self.jobs / "filler", "wb", buffering=0) as filler:
            for size in (1 << 20, 4096):
                with contextlib.suppress(OSError):
                    while True:
                        filler.write(bytes(size))

    def test_a_start_says_what_is_missing(self):
        g = self.mount(12)
        said = start_refused(self, g)
        self.assertRegex(said, f"There is no room in {g.state}/jobs/pictory: 16.0 MiB are needed, "
                               r"1[12]\.\d MiB are free \(No space left on device\)\. Free some space there")
        subprocess.run(["mount", "-o", "remount,size=64m", self.jobs], check=True)
        g.start()
        self.assertEqual(g.run(*preview("a")).returncode, 0)

    def test_what_cannot_be_stored_is_not_paid_for(self):
        g = self.mount(64)
        g.start()
        first = g.json(*preview("before"))
        self.fill()
        # The log may have some room of its own left.
        for number in range(1000):
            refused = g.run(*preview(f"during-{number}"))
            if refused.returncode != 0:
                break
        # Either of a submit's two writes may be the first without room: what says that it is sent, so that it
        # is not, or what says what came of it, so that it is known to be unconfirmed.
        if refused.returncode == 6:
            self.assertIn("its outcome could not be stored; do not resubmit", refused.stderr)
            self.assertEqual(len(self.sandbox.journal()[f"during-{number}"]), 1)
        else:
            self.assertEqual(refused.returncode, 5, refused.stderr)
            self.assertIn("job store failed", refused.stderr)
            self.assertIn("nothing was submitted", refused.stderr)
            self.assertNotIn(f"during-{number}", self.sandbox.journal())
        wait_until(lambda: not g.is_ready(), "not ready")
        self.assertEqual(g.process.wait(timeout=DEADLINE_SECONDS), 1)
        [failed] = [json.loads(line) for line in g.log.read_text().splitlines() if "store_failed" in line]
        self.assertIn("full", failed["reason"])
        self.assertEqual(failed["directory"], f"{self.jobs}/pictory")

        self.assertIn("There is no room in", start_refused(self, g))
        (self.jobs / "filler").unlink()
        g.start()
        for name in ("before", f"during-{number}"):
            again = g.json(*preview(name))
            self.assertEqual(g.json(*preview(name))["jobId"], again["jobId"])
            self.assertEqual(len(self.sandbox.journal()[name]), 1)
        self.assertEqual(g.json(*preview("before"))["jobId"], first["jobId"])


if __name__ == "__main__":
    why_not = own_mounts()
    if why_not:
        print(f"SmallDisk is left out: {why_not}", file=sys.stderr)
        SmallDisk = unittest.skip(why_not)(SmallDisk)
    unittest.main()
