"""The stories of client/examples, run as their users run them, against the real gateway, its sandbox and Envoy.

    stories.py LANGUAGE...     (tests/interop/run sets them up first)
"""

import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "mesh"), str(ROOT / "tests" / "support" / "python")]
import tools  # noqa: E402
from live.process import DEADLINE_SECONDS, environment, wait_until  # noqa: E402

EXAMPLES = ROOT / "build" / "interop" / "client" / "examples"
STORY_LINES, WATCH_LINES, STUDIO_LINES, COLUMNS = 60, 25, 45, 120
PINGED_SECONDS = 60  # a ping after 30 s, which may take 10 s
TALK = "https://media.example.com/talk.mp4"
LARGE, LARGE_BYTES = "https://media.example.com/sandbox-minutes-3000.mp4", 60_000_000  # the transcript's
# Of a story. The gateway, built without optimisation, and the sandbox make, read and summarise the large result, which
# takes them minutes beside many others; the program that is told of it needs a second.
TOLD_SECONDS = 10 * DEADLINE_SECONDS


@dataclasses.dataclass(frozen=True)
class Story:
    name: str
    command: tuple
    source: str      # of the story
    watch: tuple | None  # the file, and how its function begins
    jobs_watch: tuple | None = None  # the example that watches all jobs with a label
    studio: tuple | None = None  # the one that makes a picture and a clip: its file, and its command

    @property
    def language(self):
        return self.source.split("/")[0]

    def start(self, target, *args, command=None):
        return subprocess.Popen([*(command or self.command), *map(str, args)], cwd=EXAMPLES / self.language, text=True,
                                env=environment({"PICTORY_GATEWAY": target, "PYTHONDONTWRITEBYTECODE": "1"}),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)


STORIES = [
    Story("python", (".venv/bin/python", "story.py"), "python/story.py",
          ("python/pictory_jobs/watching.py", "def watch("), (".venv/bin/python", "watch_jobs.py"),
          ("python/ai_studio.py", ".venv/bin/python", "ai_studio.py")),
    Story("python, asyncio", (".venv/bin/python", "story_aio.py"), "python/story_aio.py",
          ("python/pictory_jobs/aio.py", "async def watch(")),
    Story("node", ("node", "story.js"), "node/story.js", ("node/watch.js", "export async function* watch("),
          ("node", "watch_jobs.js"), ("node/ai_studio.js", "node", "ai_studio.js")),
    Story("typescript", ("node", "build/story.js"), "typescript/story.ts",
          ("connect/src/watch.ts", "export async function* watch("), ("node", "build/watch_jobs.js"),
          ("typescript/ai_studio.ts", "node", "build/ai_studio.js")),
    Story("go", ("./story",), "go/main.go", ("go/watch.go", "func Watch("), ("./watch_jobs",),
          ("go/aistudio/main.go", "./ai_studio")),
    Story("cpp", ("build/story",), "cpp/story.cc", None,  # its watch is the library's
          studio=("cpp/ai_studio.cc", "build/ai_studio")),
    Story("java", ("java", "-jar", "target/story.jar"), "java/src/main/java/com/example/Story.java",
          ("java/src/main/java/ai/pictory/jobs/Watch.java", "  public static Job watch("),
          ("java", "-cp", "target/story.jar", "com.example.JobsOfLabel"),
          ("java/src/main/java/com/example/AiStudio.java", "java", "-cp", "target/story.jar", "com.example.AiStudio")),
    Story("rust", ("target/debug/story",), "rust/src/main.rs", ("rust/src/watch.rs", "pub fn watch<"),
          ("target/debug/watch_jobs",), ("rust/src/bin/ai_studio.rs", "target/debug/ai_studio")),
]


def code_lines(text):
    """Those that say something: no comments, docstrings and imports, no lines of nothing but brackets."""
    text = re.sub(r'^\s*"""(.|\n)*?"""\n', "", text, flags=re.M)
    text = re.sub(r"^\s*/\*\*(.|\n)*?\*/\n", "", text, flags=re.M)
    text = re.sub(r"^(#include|import|from|use|using|package)\b(.*;|[^({\n]*)\n", "", text, flags=re.M)
    return [line for line in text.splitlines() if re.search(r"\w", line) and not re.match(r"\s*(//|#(?!include))", line)]


class Stories(unittest.TestCase):
    stories = STORIES

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.bench = Bench(self.folder.name, quick=True)
        self.addCleanup(self.bench.exits.close)

    def each(self, judge, stories=None):
        """Two at a time, for each has its own processes."""
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for story, done in [(story, pool.submit(judge, story)) for story in stories or self.stories]:
                with self.subTest(story=story.name):
                    done.result()

    def told(self, story, g, *args, command=None):
        process = story.start(g.grpc, *args, command=command)
        out, err = process.communicate(timeout=TOLD_SECONDS)
        return process.returncode, out, err

    def test_it_can_be_pasted(self):
        for story in self.stories:
            with self.subTest(story=story.name):
                for source, lines in [(story.source, STORY_LINES), *([(story.studio[0], STUDIO_LINES)] if story.studio else [])]:
                    text = (ROOT / "client/examples" / source).read_text()
                    self.assertLessEqual(len(code_lines(text)), lines, source)
                    self.assertLessEqual(max(map(len, text.expandtabs(4).splitlines())), COLUMNS, source)
                if story.watch is None:
                    continue
                file, begins = story.watch
                text = (ROOT / "client/packages" / file).read_text()
                watch = re.search(rf"^{re.escape(begins)}(.|\n)*?^(\}}|(?=^(async def|def|class) )|\Z)", text[text.index(begins):], re.M)
                self.assertLessEqual(len(code_lines(watch[0])), WATCH_LINES)

    def test_the_whole_story(self):
        with gateway() as g:
            self.each(lambda story: self.whole(story, g, story.name, TALK))
            self.assertEqual(len(g.pages.accepted()), 5 * len(self.stories))

    def test_one_order_is_paid_once_whoever_tells_it_and_large_results_come_whole(self):
        """The same request_ids and requests in all languages are the same jobs."""
        with gateway("--max-job-reply-mib", "128") as g:
            ids = self.whole(self.stories[0], g, "one", LARGE)
            [speech] = [job for job in ids if g.json("get", job)["kind"] == "JOB_KIND_TRANSCRIPTION"]
            talk = g.run("result", speech, "--part", "transcript", timeout=TOLD_SECONDS).stdout.encode()
            self.assertGreater(len(talk), LARGE_BYTES)

            def same(story):
                self.assertEqual(self.whole(story, g, "one", LARGE), ids)
                self.assertEqual((self.out(story) / "talk.json").read_bytes(), talk)

            self.each(same)
            self.assertEqual(len(g.pages.accepted()), 5)

    def out(self, story):
        folder = pathlib.Path(self.folder.name) / re.sub(r"\W", "", story.name)
        folder.mkdir(exist_ok=True)
        return folder

    def whole(self, story, g, order, media):
        """The ids of its five jobs."""
        code, out, err = self.told(story, g, re.sub(r"\W", "", order), self.out(story), media)
        self.assertEqual((code, err), (0, ""), out)
        states = re.findall(r"^\S+ \d+ (?:JOB_STATE_)?(\w+)$", out, re.M)
        self.assertGreaterEqual(states.count("SUCCEEDED"), 4, out)
        self.assertEqual(states.count("FAILED"), 1, out)
        self.assertRegex(out, r"(?m)^summary: \w+")
        self.assertRegex(out, r"(?m)^the same render: true$")
        self.assertRegex(out, r"(?m)^failed: TEXT_TO_VIDEO_FAILED \w+")
        self.assertEqual(re.findall(r"(?m)^refused: (\S+)$", out), ["REQUEST_ID_REUSED", "INVALID_REQUEST"])
        self.assertRegex(out, r"(?m)^wrong: storyboard\.video_name \w+")
        self.assertEqual((self.out(story) / "video.mp4").read_bytes()[4:8], b"ftyp")
        json.loads((self.out(story) / "talk.json").read_bytes())
        self.assertEqual(sorted(os.listdir(self.out(story))), ["talk.json", "video.mp4"])
        ids = sorted(set(re.findall(r"^(\S+) \d+ \w+$", out, re.M)))
        self.assertEqual(len(ids), 5)
        return ids

    def test_a_failed_render_or_summary_is_not_taken_for_a_result(self):
        def fails(story, order, media):
            folder = self.out(story)
            code, out, err = self.told(story, g, f"{order}-{folder.name}", folder, media)
            self.assertNotEqual(code, 0, out)
            self.assertIn("TEXT_TO_VIDEO_FAILED", err)
            self.assertRegex(out, r"(?m)^\S+ \d+ (JOB_STATE_)?FAILED$")
            return out, os.listdir(folder)

        def render(story):
            _, files = fails(story, "sandbox-fail-render", TALK)
            self.assertNotIn("video.mp4", files)

        def summary(story):
            out, _ = fails(story, "other", "https://media.example.com/sandbox-fail-summary.mp4")
            self.assertNotIn("summary:", out)

        with gateway() as g:
            self.each(render)
            self.each(summary)

    def test_a_picture_and_the_clip_that_begins_with_it_are_paid_once_whoever_asks(self):
        studios = [story for story in self.stories if story.studio]

        def studio(story, order, prompt):
            return self.told(story, g, order, self.out(story), prompt, command=story.studio[1:])

        def same(story):
            code, out, err = studio(story, "one", "A lake at sunset")
            self.assertEqual((code, err), (0, ""), out)
            told.append(out)
            self.assertEqual((self.out(story) / "picture.jpg").read_bytes()[:2], b"\xff\xd8")
            self.assertEqual((self.out(story) / "clip.mp4").read_bytes()[4:8], b"ftyp")
            self.assertEqual(sorted(os.listdir(self.out(story))), ["clip.mp4", "picture.jpg"])

        def fails(story):
            for order, prompt, why in ("failed", "sandbox-fail", "TEXT_TO_VIDEO_FAILED"), ("short", "Hi", "INVALID_REQUEST"):
                for file in self.out(story).iterdir():
                    file.unlink()
                code, out, err = studio(story, order, prompt)
                self.assertNotEqual(code, 0, out)
                self.assertIn(why, err)
                self.assertEqual((out, os.listdir(self.out(story))), ("", []))

        with gateway() as g:
            told = []
            self.each(same, studios)
            self.assertEqual(len(told), len(studios))
            [said] = set(told)
            picture, clip, credits = re.fullmatch(r"picture: (\S+)\nclip: (\S+)\nAI credits: ([\d.]+)\n", said).groups()
            jobs = [g.json("get", job) for job in (picture, clip)]
            self.assertEqual(float(credits), sum(job["creditsUsed"] for job in jobs))
            image, video = (json.loads(entry["body"]) for entry in g.pages.accepted())
            self.assertEqual(image, {"prompt": "A lake at sunset", "aspectRatio": "16:9"})
            self.assertEqual(video, image | {"duration": "8s", "firstFrameImageUrl": jobs[0]["image"]["url"]})
            self.each(fails, studios)
            self.assertEqual(len(g.pages.accepted()), 3)

    def test_a_connection_that_swallows_everything_is_given_up_long_before_a_silent_stream(self):
        """Its pings are not answered, whereas a stream may say nothing for 75 s."""
        with gateway() as g, Relay(g.grpc) as relay:
            job = g.json("preview", "--name", "sandbox-stuck", "--text", "Hi.")["jobId"]
            watches = [Watching(story, "swallowed", relay.target, job) for story in self.stories]
            try:
                for watch in watches:
                    wait_until(lambda: watch.states() or watch.ended(), f"{watch.name} to see the job")
                relay.freeze()
                given_up = time.monotonic() + PINGED_SECONDS  # by all of them
                while (holding := [watch.name for watch in watches if not watch.lost()]) and time.monotonic() < given_up:
                    time.sleep(0.02)
                self.assertEqual(holding, [])
            finally:
                for watch in watches:
                    watch.end()

    def test_all_jobs_with_a_label_over_a_kill_of_the_gateway(self):
        sandbox, g = self.bench.side(sandbox=("--speed", "1000"))
        hold(sandbox)
        watches = [Watching(story, "by label", g.grpc, "batch=monday", command=story.jobs_watch)
                   for story in self.stories if story.jobs_watch]
        for watch in watches:
            self.addCleanup(watch.end)

        def all_see(job, state):
            for watch in watches:
                wait_until(lambda: any(re.fullmatch(rf"{job} \d+ (JOB_STATE_)?{state}", line) for line in watch.states())
                           or watch.ended(), f"{watch.name} to see {job} {state}")

        def labelled(name):
            return g.json("preview", "--name", name, "--text", "Hi.", "--label", "batch=monday")["jobId"]

        submit(g.grpc, "of no label")
        first = labelled("first")
        all_see(first, "RUNNING")
        g.kill()
        g.start()
        second = labelled("second")
        sandbox.forget_faults()
        for job in first, second:
            all_see(job, "SUCCEEDED")
        for watch in watches:
            with self.subTest(watch=watch.name):
                self.assertFalse(watch.ended(), watch.lines)
                self.assertEqual({line.split()[0] for line in watch.states()}, {first, second})
                for job in first, second:
                    revisions = [int(line.split()[1]) for line in watch.states() if line.startswith(job)]
                    self.assertEqual(revisions, sorted(set(revisions)))

    def test_an_unknown_job(self):
        def unknown(story):
            code, out, err = self.told(story, g, "--watch", "no-such-job")
            self.assertNotEqual(code, 0, out)
            self.assertIn("JOB_NOT_FOUND", err)

        with gateway() as g:
            self.each(unknown)

    def test_a_watch_outlives_the_gateway_and_the_cuts_of_envoy(self):
        """Straight and through an Envoy that ends each stream after two seconds."""
        sandbox, g = self.bench.side(sandbox=("--speed", "1000"))
        hold(sandbox)
        job = submit(g.grpc, "watched").job_id
        wait_until(lambda: g.json("get", job)["state"] == "JOB_STATE_RUNNING", "the job to run")
        watches = []
        for story in self.stories:
            [cutting] = self.bench.chain([lambda target: hop(target, timeout="2s")], g.grpc)
            [quiet] = self.bench.chain([documented], g.grpc)
            watches += [Watching(story, "straight", g.grpc, job), Watching(story, "cut", cutting.target, job, cutting),
                        Watching(story, "behind Envoy", quiet.target, job)]
        for watch in watches:
            self.addCleanup(watch.end)
        for lost, stop in enumerate([None, g.kill, g.terminate]):
            if stop:
                stop()
                g.start()
            for watch in watches:
                wait_until(lambda: watch.lost() >= lost and (watch.envoy or watch.states()) or watch.ended(),
                           f"{watch.name} to lose its connection {lost} times")
            wait_until(lambda: g.metric("watches") == len(watches) or any(w.ended() for w in watches),
                       "the watches to come back")
        for watch in watches:
            if watch.envoy:
                wait_until(lambda: watch.envoy.stat("up.upstream_rq_timeout") >= 2 or watch.ended(), "cuts")
        sandbox.forget_faults()
        for watch in watches:
            with self.subTest(watch=watch.name):
                code, err = watch.end_of()
                self.assertEqual((code, err), (0, ""), watch.lines)
                revisions = [int(line.split()[1]) for line in watch.states()]
                self.assertEqual(revisions, sorted(set(revisions)))
                self.assertTrue(watch.states()[-1].endswith("SUCCEEDED"), watch.lines)
                self.assertGreaterEqual(watch.lost(), 2, watch.lines)


class Watching:
    """A story that only watches, and what it has said so far."""

    def __init__(self, story, way, target, job, envoy=None, command=None):
        self.name, self.lines, self.envoy = f"{story.name}, {way}", [], envoy
        self.process = story.start(target, *([] if command else ["--watch"]), job, command=command)
        self.reader = threading.Thread(target=lambda: self.lines.extend(iter(self.process.stdout.readline, "")))
        self.reader.start()

    def states(self):
        return [line.strip() for line in self.lines if re.match(r"\S+ \d+ \w+$", line)]

    def lost(self):
        return sum("connection lost" in line for line in self.lines)

    def ended(self):
        return self.process.poll() is not None

    def end_of(self):
        code = self.process.wait(timeout=DEADLINE_SECONDS)
        self.reader.join()
        return code, self.process.stderr.read()

    def end(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()


def main(languages):
    Stories.stories = [story for story in STORIES if story.language in languages]
    names = [word for word in sys.argv[1:] if word.startswith("Stories.")]
    unittest.main(argv=[sys.argv[0], "-v", *names])


if __name__ == "__main__":
    tools.set_up(clients=False)
    tools.go_there(__file__)
    sys.path.append(str(tools.STUBS))
    from bench import Bench, submit
    from live.gateway import gateway
    from live.relay import Relay
    from shapes import documented, hop
    from watches import hold
    main(sys.argv[1:])
