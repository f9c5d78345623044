"""Runs the programs of this directory, as they are, against `pictory-gateway sandbox`."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "support" / "python"))
from live.process import DEADLINE_SECONDS  # noqa: E402
from live.sandbox import Sandbox  # noqa: E402


class Scratch(Sandbox):
    """With what the programs are to know, and a folder for what they make."""

    def __init__(self, scratch, *flags, env=None):
        self.scratch = pathlib.Path(scratch)
        self.counted = 0
        recording, template = self.scratch / "recording.mp4", self.scratch / "letter.pictai"
        recording.write_bytes(b"no film at all" * 1000)
        template.write_text(json.dumps(TEMPLATE))
        super().__init__(self.scratch, *flags, env=env)
        self.env = {
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "PICTORY_BASE_URL": self.url,
            "PICTORY_API_KEY": "pictai_of_a_user",
            "CLIENT_ID": "client",
            "CLIENT_SECRET": "secret",
            "USER_ID": "user",
            "FILE_URL": f"{self.origin}/media/stock/clip.mp4",
            "MEDIA_PATH": str(recording),
            "TEMPLATE_PATH": str(template),
            "PAUSE_SCALE": "0.001",
            "OUTPUT": str(self.scratch / "out.mp4"),
        }

    def calls(self):
        """What was taken and journalled since this was asked last, ids left out."""
        entries = self.accepted()[self.counted:]
        self.counted += len(entries)
        paths = [entry["path"].split("/render/")[0] + ("/render/{id}" if "/render/" in entry["path"] else "")
                 for entry in entries]
        return [f"{entry['method']} {path}" for entry, path in zip(entries, paths)]

    def requests(self, call):
        return self.stats()["requests"].get(call, 0)

    def run(self, program, *args, **env):
        runner = sys.executable if program.endswith(".py") else node()
        env = {k: v for k, v in {**self.env, **env}.items() if v is not None}
        return subprocess.run([runner, HERE / program, *args], env=env, cwd=self.scratch, text=True,
                              capture_output=True, timeout=DEADLINE_SECONDS)


def node():
    found = shutil.which("node") or shutil.which("nodejs")
    if found is None:
        raise AssertionError("there is no node: run `cmake/install-deps --tests`")
    return found


@contextlib.contextmanager
def sandbox(*flags, speed=50, **kwargs):
    with tempfile.TemporaryDirectory() as scratch:
        running = Scratch(scratch, "--speed", str(speed), *flags, **kwargs)
        try:
            yield running
        finally:
            code, _ = running.terminate()
        if code != 0:
            raise AssertionError(f"the sandbox ended with {code}")


TEMPLATE = {"name": "Letter", "scenes": [
    {"sceneId": 1, "sentence": "The <strong>oven</strong> is warm.", "image": "https://media.example.com/oven.mp4"},
    {"sceneId": 2, "sentence": "The bread is done."}]}
V1_FILM = ["POST /v1/video/storyboard", "POST /v1/video/render"]


class Clients(unittest.TestCase):
    def check(self, s, program, accepted, callers, *args, **env):
        done = s.run(program, *args, **env)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        self.assertEqual(s.calls(), accepted)
        self.assertEqual(set(s.stats()["callers"]), callers)
        return done.stdout

    def check_mp4(self, s):
        film = (s.scratch / "out.mp4").read_bytes()
        self.assertEqual(film[4:8], b"ftyp")
        render = s.accepted()[-1]["job_id"]
        with urllib.request.urlopen(f"{s.origin}/media/{render}/video.mp4", timeout=10) as answer:
            self.assertEqual(film, answer.read())

    def test_text_to_video(self):
        for program in ("node/text_to_video.mjs", "python/text_to_video.py"):
            with self.subTest(program), sandbox() as s:
                self.check(s, program, V1_FILM, {"token and user id"})
                self.check_mp4(s)
                body = json.loads(s.accepted()[1]["body"])
                self.assertEqual(set(body), {"audio", "output", "scenes", "next_generation_video",
                                             "containsTextToImage"})
                ids = [scene["background"]["src"][0]["asset_id"] for scene in body["scenes"]]
                self.assertEqual([type(i) for i in ids[:2]], [int, str])

    def test_update_text(self):
        with sandbox() as s:
            out = self.check(s, "node/update_text.mjs", [V1_FILM[0], *V1_FILM], {"token and user id"})
            video = json.loads(out.splitlines()[-1])
            self.assertEqual(video["status"], "completed")
            with urllib.request.urlopen(video["txtFile"], timeout=10) as answer:
                self.assertEqual(answer.read().decode().count("So it goes on."), 3)

    def test_text_to_video_v2(self):
        with sandbox() as s:
            out = self.check(s, "node/text_to_video_v2.mjs", ["POST /v2/video/storyboard/render"],
                             {"token and user id"})
            self.assertIn("videoURL", json.loads(out.splitlines()[-1]))

    def test_transcription(self):
        with sandbox() as s:
            out = self.check(s, "node/transcription.mjs", ["POST /v2/transcription"],
                             {"token and user id"})
            self.assertIn("Good bread forgives.", out)
            self.assertEqual(s.requests("POST /v1/media/generateUrl"), 1)
            # The transcription of a file that was not uploaded fails.
            self.assertNotEqual(json.loads(s.accepted()[0]["body"])["fileUrl"], s.env["FILE_URL"])

    def test_highlights(self):
        summary = ["POST /v2/transcription", "POST /v2/transcription/highlights"]
        with sandbox() as s:
            self.check(s, "node/video_highlights.mjs", summary + V1_FILM, {"token and user id"})
            self.check_mp4(s)
            story = json.loads(s.accepted()[2]["body"])
            self.assertTrue(story["scenes"][0]["backgroundVideoSegments"])
        with sandbox() as s:
            # Without a user id: the second generation has none.
            out = self.check(s, "python/video_highlights.py", summary, {"token"}, USER_ID=None)
            self.assertIn("bread", out)

    def test_audio_to_video(self):
        with sandbox() as s:
            out = self.check(s, "python/audio_to_video.py",
                             ["POST /v2/transcription", "POST /v1/video/storyboard",
                              "PUT /v1/video/render/{id}"], {"token and user id"})
            self.assertIn(f"{s.origin}/preview/", out)
            self.check_mp4(s)

    def test_an_upload_of_another_type_than_announced(self):
        with sandbox(speed=500) as s:
            self.check(s, "node/audio_to_video.mjs", ["POST /v2/transcription", *V1_FILM], {"token and user id"})
            self.check_mp4(s)
            story = json.loads(s.accepted()[1]["body"])
            self.assertEqual(story["audio"]["voiceOverUri"], json.loads(s.accepted()[0]["body"])["fileUrl"])
            self.assertGreater(len(story["scenes"]), 2)
            # By the strict reading of Pictory's page it fails.
            s.fault("strict_content_type", match={"method": "PUT"})
            done = s.run("node/audio_to_video.mjs")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("HTTP 403", done.stderr)

    def test_a_template_and_media_that_were_searched_for(self):
        with sandbox(speed=500) as s:
            self.check(s, "node/template_to_video.mjs",
                       ["POST /v1/templates", "POST /v1/video/from-template", "PUT /v1/video/render/{id}"],
                       {"token and user id"})
            self.check_mp4(s)
            with urllib.request.urlopen(f"{s.origin}/media/{s.accepted()[-1]['job_id']}/video.txt",
                                        timeout=10) as answer:
                self.assertEqual(answer.read().decode().splitlines(),
                                 ["Good morning.", "The oven is warm.", "The bread is done.", "Until tomorrow."])
            out = self.check(s, "node/media_search.mjs", [*V1_FILM, "PUT /v1/video/render/{id}"],
                             {"token and user id"})
            self.assertEqual(s.requests("GET /v1/media/search"), 1)
            self.assertIn(f"{s.origin}/preview/", out)
            self.assertIn("shareVideoURL", json.loads(out.splitlines()[-1]))

    def test_each_sort_of_storyboard(self):
        with sandbox(speed=500) as s:
            for sort in ("logo", "styles", "intro", "visuals", "blog"):
                with self.subTest(sort):
                    self.check(s, "python/text_to_video.py", V1_FILM, {"token and user id"}, STORY=sort)
                    self.check_mp4(s)
                    params = json.loads(s.accepted()[-1]["body"])
                    part = params["scenes"][0]["sub_scenes"][0]
                    self.assertEqual(any(one["type"] == "visual" for one in part["displayItems"]), sort == "logo")
                    source = params["scenes"][0]["background"]["src"][0]["url"]
                    self.assertEqual(source.endswith("/tea.mp4"), sort == "visuals")

    def test_skill(self):
        with sandbox() as s:
            out = self.check(s, "python/skill.py", ["POST /v2/video/storyboard/render"], {"key"})
            self.assertIn("videoURL", json.loads(out))
            looked_up = {}
            for command in (("search", "bread"), ("voices", "en"), ("music", "Loaf"), ("music-options",)):
                looked_up[command[0]] = json.loads(
                    self.check(s, "python/skill_lookup.py", [], {"key"}, *command))
            self.assertTrue(all(one["picture"].startswith(s.origin) for one in looked_up["search"]))
            self.assertIn("Brian", [one["name"] for one in looked_up["voices"]])
            self.assertNotIn("Hans", [one["name"] for one in looked_up["voices"]])
            self.assertEqual([one["title"] for one in looked_up["music"]], ["First Loaf"])
            self.assertTrue(all(looked_up["music-options"][words] for words in ("moods", "genres", "purposes")))

    def test_edit_video_outlives_its_tokens(self):
        # The transcription takes 1.5 s, a token lives for one: this program takes a new one a poll.
        with sandbox("--token-seconds", "1", speed=2) as s:
            out = self.check(s, "node/edit_video.mjs", ["POST /v2/transcription"],
                             {"token and user id"}, PAUSE_SCALE="0.01")
            self.assertIn(f"{s.origin}/v2/edit/", out)
            requests = s.stats()["requests"]
            self.assertEqual(requests["POST /v1/oauth2/token"],
                             requests["GET /v1/jobs/{id}"] + 1)


class Trouble(unittest.TestCase):
    def test_a_token_ends_while_its_program_polls(self):
        with sandbox("--token-seconds", "1", speed=2) as s:
            done = s.run("python/text_to_video.py")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("HTTP 401", done.stderr)

    def test_failed_jobs(self):
        with sandbox() as s:
            done = s.run("python/skill.py", VIDEO_NAME="Clouds sandbox-fail")
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("TEXT_TO_VIDEO_FAILED", done.stderr)
            # Those that know no failure trip over the missing result.
            for program in ("node/text_to_video.mjs", "python/text_to_video.py"):
                done = s.run(program, VIDEO_NAME="a sandbox-fail")
                self.assertNotEqual(done.returncode, 0, program)
                self.assertIn("renderParams" if program.endswith("py") else "TypeError", done.stderr)

    def test_credentials(self):
        with sandbox() as s:
            done = s.run("python/skill.py", PICTORY_API_KEY="pictai_bad")
            self.assertEqual(done.returncode, 1)
            self.assertIn("Unauthorized", done.stderr)
            for program in ("node/text_to_video.mjs", "python/text_to_video.py"):
                done = s.run(program, CLIENT_SECRET="bad")
                self.assertNotEqual(done.returncode, 0, program)
                self.assertIn("401", done.stderr)
        with sandbox("--client-id", "it", env={"PICTORY_CLIENT_SECRET": "them",
                                               "PICTORY_API_KEY": "pictai_one"}) as s:
            self.assertEqual(s.run("node/transcription.mjs").returncode, 1)
            done = s.run("node/transcription.mjs", CLIENT_ID="it", CLIENT_SECRET="them")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(s.run("python/skill.py").returncode, 1)
            self.assertEqual(s.run("python/skill.py", PICTORY_API_KEY="pictai_one").returncode, 0)

    def test_a_bare_script_is_turned_away(self):
        with sandbox() as s:
            request = urllib.request.Request(f"{s.url}/v1/quota",
                                             headers={"Authorization": "pictai_of_a_user"})
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=10)
            self.assertEqual(refused.exception.code, 403)
            self.assertIn(b"1010", refused.exception.read())

    def test_unknown_jobs_in_both_readings(self):
        poll = "from pictory import call; print(call('GET', 'v1/jobs/none', {'Authorization': 'pictai_k'}))"

        def ask(s):
            return subprocess.run([sys.executable, "-c", poll], cwd=HERE / "python", text=True,
                                  env=s.env, capture_output=True, timeout=DEADLINE_SECONDS)

        with sandbox() as s:
            self.assertIn("HTTP 404", ask(s).stderr)
            s.fault("restatus", match={"path_prefix": "/v1/jobs/"}, status=200)
            self.assertIn("JOB_NOT_FOUND", ask(s).stdout)


if __name__ == "__main__":
    unittest.main()
