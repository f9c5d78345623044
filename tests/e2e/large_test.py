"""Results of many megabytes: read whole, in parts and again, in memory that stays what it was."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

import find_live  # noqa: F401
from live.gateway import gateway
from live.process import SANITIZED, wait_until
from live.programs import BIN

MIB = 1024 * 1024
# Minutes of talk that make a reply of so many MB, for the sandbox.
MINUTES = {6: 250, 60: 2500}
# How many results of 60 MB are made at the same time, in tests that measure with more.
AT_ONCE = int(os.environ.get("PICTORY_LARGE_AT_ONCE", "1"))


def talk(megabytes, name="talk"):
    return f"https://media.example.com/{name}-sandbox-minutes-{MINUTES[megabytes]}.mp4"


def forget_peak(g):
    pathlib.Path(f"/proc/{g.process.pid}/clear_refs").write_text("5")


def start(g, *args):
    return subprocess.Popen([BIN / "pictory", *map(str, args)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env=dict(g.env, PICTORY_GATEWAY=g.grpc))


def digest(stream):
    hashed = hashlib.sha256()
    size = 0
    while piece := stream.read(MIB):
        hashed.update(piece)
        size += len(piece)
    return hashed.hexdigest(), size


class SixMegabytes(unittest.TestCase):
    def test_every_part_is_whole_and_what_a_view_leaves_out_is_named(self):
        with gateway() as g, tempfile.TemporaryDirectory() as folder:
            job = g.json("transcribe", talk(6), "--wait")
            self.assertEqual(job["state"], "JOB_STATE_SUCCEEDED")
            self.assertIn("RESULT_PART_TRANSCRIPT_JSON", job["omittedParts"])
            data = json.loads(g.run("result", job["jobId"], "--part", "result-json").stdout)
            self.assertGreater(len(json.dumps(data)), 5.5 * MIB)
            words = [w for turn in data["transcript"] for w in turn["words"]]
            times = [w["start_time"] for w in words]
            self.assertEqual(times, sorted(times))
            self.assertEqual(len({w["uid"] for w in words}), len(words))
            for part in ("txt", "srt", "vtt", "transcript"):
                path = pathlib.Path(folder) / part
                done = g.run("result", job["jobId"], "--part", part, "-o", path)
                self.assertEqual(done.returncode, 0, done.stderr)
                text = path.read_text()
                self.assertEqual(json.loads(text) if part == "transcript" else text, data[part])
                self.assertEqual(sorted(p.name for p in pathlib.Path(folder).glob("*.part")), [])
            full = g.json("get", job["jobId"], "--full")
            self.assertEqual(full["transcription"]["txt"], data["txt"])
            summary = g.json("summarize", job["jobId"], "--seconds", "20", "--wait")
            self.assertEqual(summary["state"], "JOB_STATE_SUCCEEDED")
            self.assertTrue(summary["summary"]["segments"])

    def test_a_gateway_killed_in_the_middle_of_a_part(self):
        with gateway() as g:
            job = g.json("transcribe", talk(6), "--wait")
            whole = g.run("result", job["jobId"], "--part", "result-json").stdout.encode()
            address = g.grpc
            reader = start(g, "result", job["jobId"], "--part", "result-json")
            begun = reader.stdout.read(MIB)  # the pipe is full behind it, so it cannot be over
            g.kill()
            g.flags += ["--listen", address]
            g.start()
            rest = reader.stdout.read()
            self.assertEqual(reader.wait(), 0, reader.stderr.read())
            self.assertTrue(begun + rest == whole)
            reader.stdout.close()
            reader.stderr.close()

    def test_a_result_over_the_setting_waits_for_a_higher_one(self):
        with gateway("--max-job-reply-mib", "3") as g:
            job = g.json("transcribe", talk(6))
            told = wait_until(
                lambda: (now := g.json("get", job["jobId"])).get("message") and now, "the message")
            self.assertEqual(told["state"], "JOB_STATE_RUNNING")
            self.assertIn("larger than 3 MiB", told["message"])
            self.assertIn("--max-job-reply-mib", told["message"])
            self.assertEqual(g.metric("jobs_too_large"), 1)
            [line] = [line for line in g.log.read_text().splitlines() if "result_too_large" in line]
            self.assertIn(job["jobId"], line)
            polls = sum(g.pages.stats()["polls"].values())
            g.json("get", job["jobId"])
            self.assertNotIn("upstream_degraded", g.log.read_text())
            self.assertEqual(sum(g.pages.stats()["polls"].values()), polls)
            g.terminate()
            g.flags[g.flags.index("--max-job-reply-mib") + 1] = "64"
            g.start()
            self.assertEqual(g.json("wait", job["jobId"])["state"], "JOB_STATE_SUCCEEDED")
            self.assertEqual(g.json("get", job["jobId"]).get("message", ""), "")
            self.assertEqual(g.metric("jobs_too_large"), 0)

    def test_an_interrupted_part_goes_on_where_it_stopped(self):
        with gateway() as g, tempfile.TemporaryDirectory() as folder:
            job = g.json("transcribe", talk(6), "--wait")
            whole = g.run("result", job["jobId"], "--part", "transcript").stdout
            path = pathlib.Path(folder) / "words.json"
            args = ("result", job["jobId"], "--part", "transcript", "-o", path)
            partial = path.with_name(path.name + f".{job['jobId']}.transcript.part")
            reader = start(g, *args)
            wait_until(lambda: partial.exists() and partial.stat().st_size or reader.poll() is not None,
                       "the first piece")
            reader.send_signal(signal.SIGINT)
            _, said = reader.communicate()
            if reader.returncode == 130:  # else it was quicker than the signal
                self.assertIn("The same command goes on", said.decode())
                self.assertFalse(path.exists())
            path.unlink(missing_ok=True)
            partial.write_text(whole[:1_000_000])
            done = g.run(*args)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(path.read_text(), whole)
            self.assertFalse(partial.exists())


@unittest.skipIf(SANITIZED, "a sanitizer takes memory of its own")
class SixtyMegabytes(unittest.TestCase):
    def test_memory_stays_what_it_was(self):
        with gateway() as g:
            g.json("transcribe", "https://media.example.com/warm.mp4", "--wait")
            before = g.memory()
            forget_peak(g)
            submitted = [g.json("transcribe", talk(60, f"talk{i}")) for i in range(AT_ONCE)]
            for job in submitted:
                ended = g.json("wait", job["jobId"], timeout=300)
                self.assertEqual(ended["state"], "JOB_STATE_SUCCEEDED")
            job = submitted[0]
            grown = g.memory("VmHWM") - before
            stall = g.metric("upstream_loop_stall_seconds")

            forget_peak(g)
            still = g.memory()
            readers = [start(g, "result", job["jobId"], "--part", "result-json") for _ in range(10)]
            begun = [reader.stdout.read(1) for reader in readers]  # then they stand still
            waiting = g.memory("VmHWM") - still
            self.assertEqual(g.json("get", job["jobId"])["state"], "JOB_STATE_SUCCEEDED")
            with concurrent.futures.ThreadPoolExecutor(10) as pool:
                seen = list(pool.map(digest, (reader.stdout for reader in readers)))
            for reader in readers:
                self.assertEqual(reader.wait(), 0, reader.stderr.read())
                reader.stdout.close()
                reader.stderr.close()
            streaming = g.memory("VmHWM") - still
            self.assertEqual(set(begun), {b"{"})
            self.assertEqual(len(set(seen)), 1)
            size = seen[0][1] + 1
            self.assertGreater(size, 55_000_000)

            forget_peak(g)
            still = g.memory()
            views = [start(g, "get", job["jobId"], "--full", "--json") for _ in range(50)]
            for view in views:
                out, err = view.communicate()
                self.assertEqual(view.returncode, 0, err)
            self.assertIn(b"RESULT_PART_TRANSCRIPT_JSON", out)
            full = g.memory("VmHWM") - still

            print(f"\n{AT_ONCE} replies of {size / 1e6:.0f} MB: +{grown / MIB:.0f} MiB, "
                  f"loop stalled {stall * 1000:.0f} ms at most; 10 readers standing "
                  f"+{waiting / MIB:.0f}, streaming +{streaming / MIB:.0f} MiB; 50 FULL views "
                  f"+{full / MIB:.0f} MiB", flush=True)
            self.assertLess(grown, 3 * size * min(AT_ONCE, 2))
            self.assertLess(waiting, 32 * MIB)
            # The page cache of the store's reader is 32 MiB of it.
            self.assertLess(streaming, 64 * MIB)
            self.assertLess(full, 64 * MIB)


if __name__ == "__main__":
    unittest.main()
