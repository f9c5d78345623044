"""The whole story of one video, and of another that somebody else began: a template, a project, an adopted job, a render
that waits, and files that outlive Pictory."""

import hashlib
import json
import pathlib
import unittest
import urllib.error
import urllib.request

import find_live  # noqa: F401
from live.process import wait_until
from live.rig import KEY, UNLIMITED, RigTest

LETTER = {"name": "Letter", "scenes": [{"sceneId": "s1", "sentence": "Dear {{name}}, good morning."}]}


class WholeStory(RigTest):
    def setUp(self):
        super().setUp()
        self.out = pathlib.Path(self.folder.name)
        archive = self.out / "archive"
        archive.mkdir()
        self.g = self.rig.gateway(self.sandbox.url, *UNLIMITED, "--archive-dir", archive, "--archive-min-free-mib", "0")

    def kept(self, job):
        """Once all files of the job are archived: the mp4 as it was at Pictory, which then cleans the job."""
        def archived():
            files = self.g.json("get", job)["archive"]["files"]
            return all(f["state"] == "ARCHIVE_STATE_ARCHIVED" for f in files) and files
        files = {f["name"]: f for f in wait_until(archived, f"the files of {job}")}
        known = self.g.json("get", job)
        with urllib.request.urlopen(known["render"]["videoURL"]) as answer:
            video = answer.read()
        self.assertEqual(files["video.mp4"]["sha256"], hashlib.sha256(video).hexdigest())
        self.sandbox.ask("POST", "/sandbox/clean", {"job": known["pictoryJobId"]})
        with self.assertRaises(urllib.error.HTTPError):
            urllib.request.urlopen(known["render"]["videoURL"])
        return video

    def downloaded(self, job):
        to = self.out / f"{job}.mp4"
        done = self.g.run("result", job, "--download", "-o", to)
        self.assertEqual(done.returncode, 0, done.stderr)
        return to.read_bytes()

    def test_from_a_template_to_a_file_that_pictory_has_no_more(self):
        g = self.g
        letter = self.out / "letter.pictai"
        letter.write_text(json.dumps(LETTER))
        template = g.json("template", "upload", letter)["info"]["templateId"]

        # The render is asked for at once. It waits for its preview through a kill, and is paid for once.
        self.sandbox.fault("never_answer", match={"path_prefix": "/v1/jobs/"})
        preview = g.json("preview", "--template", template, "--set", "name=Ann", "--request-id", "letter")["jobId"]
        render = g.json("render", preview, "--wait-for-preview", "--request-id", "film")
        self.assertEqual(render["state"], "JOB_STATE_WAITING")
        g.kill()
        self.sandbox.forget_faults()
        g.start()

        # Somebody else's preview is adopted by its name; it has saved a project, and that is rendered.
        theirs = self.sandbox.submit(
            "/v2/video/storyboard", {"videoName": "theirs", "saveProject": True, "scenes": [{"story": "Hello."}]},
            KEY["PICTORY_API_KEY"])
        project = wait_until(lambda: g.run("projects", "--json").stdout, "the project is saved")
        second = g.json("render", "--project", json.loads(project)["id"])
        adopted = g.json("get", theirs)
        self.assertEqual((adopted["state"], adopted["kind"]), ("JOB_STATE_SUCCEEDED", "JOB_KIND_PREVIEW"))
        self.assertNotEqual(adopted["jobId"], theirs)
        for job in (render, second):
            self.assertEqual(g.json("wait", job["jobId"])["state"], "JOB_STATE_SUCCEEDED")

        # Pictory cleans both videos, and the gateway is killed; they are there, byte for byte.
        videos = {job: self.kept(job) for job in (render["jobId"], second["jobId"])}
        g.kill()
        g.start()
        for job, video in videos.items():
            self.assertEqual(self.downloaded(job), video)
        renders = [entry for entry in self.sandbox.accepted() if "render" in entry["path"]]
        self.assertEqual(len(renders), 2)
        self.assertEqual(g.json("render", preview, "--request-id", "film")["jobId"], render["jobId"])
        self.assertEqual(len([entry for entry in self.sandbox.accepted() if "render" in entry["path"]]), 2)


if __name__ == "__main__":
    unittest.main()
