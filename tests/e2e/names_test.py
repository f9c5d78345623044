"""Names of jobs as people write them, and lists as they read them."""

import concurrent.futures
import json
import pathlib
import unittest

import find_live  # noqa: F401
from live.gateway import gateway


class Names(unittest.TestCase):
    def test_beginnings_and_the_last_job(self):
        with gateway() as g:
            nothing = g.run("get", "@last")
            self.assertEqual(nothing.returncode, 2)
            self.assertIn("nothing was submitted from here", nothing.stderr)
            jobs = [g.json("image", "--prompt", f"Lake number {n}", "--wait")["jobId"] for n in range(3)]
            self.assertEqual(g.json("get", "@last")["jobId"], jobs[-1])
            for job in jobs:
                self.assertEqual(g.json("get", job[:-3])["jobId"], job)
            several = g.run("delete", jobs[0][:4])
            self.assertEqual((several.returncode, several.stdout), (2, ""))
            for job in jobs:
                self.assertIn(job, several.stderr)
            self.assertEqual(len(g.run("list", "-o", "id").stdout.split()), 3)
            preview = g.json("preview", "--name", "x", "--text", "Hello there.", "--wait")
            render = g.json("render", preview["jobId"][:-2], "--wait")
            self.assertEqual(render["state"], "JOB_STATE_SUCCEEDED")
            self.assertEqual(g.run("get", "zzzz").returncode, 3)

    def test_many_who_submit_at_once_leave_one_whole_id(self):
        with gateway() as g, concurrent.futures.ThreadPoolExecutor(8) as pool:
            jobs = set(pool.map(lambda n: g.json("image", "--prompt", f"Lake number {n}")["jobId"], range(16)))
            self.assertIn(g.json("get", "@last")["jobId"], jobs)
            [file] = (g.state / "xdg" / "pictory").iterdir()
            self.assertEqual(file.stat().st_mode & 0o777, 0o600)

    def test_lists(self):
        with gateway() as g:
            job = g.json("image", "--prompt", "A lake at night", "--wait")["jobId"]
            self.assertEqual(g.run("list", "-o", "id").stdout, job + "\n")
            wide = g.run("list", "-o", "wide").stdout
            self.assertIn("CREATED", wide.splitlines()[0])
            self.assertEqual(g.run("list", "-o", "id", "--since", "1h").stdout, job + "\n")
            self.assertEqual(g.run("list", "-o", "id", "--since", "2100-01-01").stdout, "")
            self.assertEqual(g.run("list", "--since", "noon").returncode, 2)
            self.assertNotIn("\x1b", wide)
            self.assertIn("\x1b[32mSUCCEEDED\x1b[0m", g.run("list", "--color", "always").stdout)
            watched = g.run("list", "--watch", "-o", "json", "--timeout", "1s")
            self.assertEqual([json.loads(each)["jobId"] for each in watched.stdout.splitlines()], [job])

    def test_a_link_is_opened_or_printed(self):
        with gateway() as g:
            job = g.json("image", "--prompt", "A lake at night", "--wait")
            bin_folder = pathlib.Path(g.state) / "bin"
            bin_folder.mkdir()
            g.env["PATH"] = str(bin_folder)
            alone = g.run("open", job["jobId"])
            self.assertEqual((alone.returncode, alone.stdout), (0, job["image"]["url"] + "\n"))
            self.assertIn("no xdg-open", alone.stderr)
            opened = bin_folder / "opened"
            (bin_folder / "xdg-open").write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
            (bin_folder / "xdg-open").chmod(0o755)
            self.assertEqual(g.run("open", job["jobId"]).stderr, "")
            self.assertEqual(opened.read_text(), job["image"]["url"] + "\n")


if __name__ == "__main__":
    unittest.main()
