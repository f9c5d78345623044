"""What an operator types: the real grpcurl, with nothing but reflection. Exit 77: no grpcurl here."""

import base64
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import find_live  # noqa: F401
from live.gateway import Gateway, gateway
from live.process import DEADLINE_SECONDS

SERVICE = "pictory.jobs.v1.PictoryJobs"


def grpcurl(g, *args, expect=0):
    done = subprocess.run(["grpcurl", "-plaintext", *args], text=True, capture_output=True, timeout=60)
    if (done.returncode == 0) != (expect == 0):
        raise AssertionError(f"grpcurl {args}: {done.returncode}: {done.stdout} {done.stderr}")
    return done


def objects(text):
    decoder, at, found = json.JSONDecoder(), 0, []
    while (match := re.compile(r"\s*").match(text, at)) and match.end() < len(text):
        value, at = decoder.raw_decode(text, match.end())
        found.append(value)
    return found


class Grpcurl(unittest.TestCase):
    def test_the_four_jobs_and_their_results(self):
        with gateway() as g:
            def call(method, request):
                return objects(grpcurl(g, "-d", json.dumps(request), g.grpc,
                                       f"{SERVICE}/{method}").stdout)

            preview = call("CreatePreview", {"storyboard": {
                "videoName": "demo", "scenes": [{"story": "Hello there.", "createSceneOnNewLine": True}]}})
            job = preview[0]["job"]
            self.assertEqual(job["state"], "JOB_STATE_QUEUED")
            states = [e["job"]["state"] for e in call("WatchJob", {"jobId": job["jobId"]}) if "job" in e]
            self.assertEqual(states[-1], "JOB_STATE_SUCCEEDED")
            music = {"id": "bgMusic", "elementType": "audioElement", "type": "audio", "startTime": 0, "duration": 2}
            text = {"id": "SceneText_0001", "elementType": "SceneText", "type": "text", "startTime": 0, "duration": 2,
                    "text": "Other words."}
            changed = call("UpdatePreview", {"jobId": job["jobId"], "elements": [text]})[0]["job"]
            self.assertEqual(changed["jobId"], job["jobId"])
            refused = grpcurl(g, "-d", json.dumps({"jobId": job["jobId"], "elements": [music | {"id": "none"}]}), g.grpc,
                              f"{SERVICE}/UpdatePreview", expect=1).stderr
            self.assertIn("InvalidArgument", refused)
            self.assertIn("names no element", refused)
            render = call("Render", {"previewJobId": job["jobId"]})[0]["job"]
            last = call("WatchJob", {"jobId": render["jobId"]})[-1]["job"]
            self.assertTrue(last["render"]["videoURL"].endswith(".mp4"))
            talk = call("Transcribe", {"fileUrl": "https://media.example.com/a.mp4"})[0]["job"]
            call("WatchJob", {"jobId": talk["jobId"]})
            brief = call("Summarize", {"transcriptionJobId": talk["jobId"], "highlight_duration": 15})
            last = call("WatchJob", {"jobId": brief[0]["job"]["jobId"], "view": "JOB_VIEW_FULL"})[-1]
            self.assertTrue(last["job"]["summary"]["transcript"])
            chunks = call("ReadJobResult", {"jobId": talk["jobId"], "part": "RESULT_PART_SRT"})
            self.assertEqual(chunks[0].get("offset", 0), 0)
            picture = call("GenerateImage", {"prompt": "A lake at sunset", "model": "nanobanana"})[0]["job"]
            last = call("WatchJob", {"jobId": picture["jobId"]})[-1]["job"]
            self.assertEqual((last["kind"], last["image"]["width"], last["creditsUsed"]), ("JOB_KIND_IMAGE", 1024, 4))
            clip = call("GenerateVideo", {"prompt": "A drone over trees", "duration": "10s"})[0]["job"]
            last = call("WatchJob", {"jobId": clip["jobId"]})[-1]["job"]
            self.assertEqual((last["video"]["duration"], last["creditsUsed"]), ("10s", 16))
            self.assertTrue(last["video"]["url"].endswith(".mp4"))
            self.assertEqual(len(call("ListJobs", {})[0]["jobs"]), 6)
            got = call("GetJob", {"jobId": render["pictoryJobId"]})[0]["job"]
            self.assertEqual(got["jobId"], render["jobId"])

    def test_what_is_the_accounts(self):
        with gateway() as g:
            def call(method, request=None):
                return objects(grpcurl(g, "-d", json.dumps(request or {}), g.grpc, f"{SERVICE}/{method}").stdout)[0]

            def watched(job):
                return objects(grpcurl(g, "-d", json.dumps({"jobId": job["jobId"]}), g.grpc,
                                       f"{SERVICE}/WatchJob").stdout)[-1]["job"]

            board = {"videoName": "kept", "saveProject": True, "scenes": [{"story": "Hello there."}]}
            watched(call("CreatePreview", {"storyboard": board})["job"])
            [project] = call("ListProjects")["items"]
            self.assertEqual(project["name"], "kept")
            whole = call("GetProject", {"projectId": project["id"]})
            self.assertEqual(json.loads(whole["projectJson"])["project_id"], project["id"])
            self.assertEqual(watched(call("Render", {"projectId": project["id"]})["job"])["state"], "JOB_STATE_SUCCEEDED")

            watched(call("GenerateImage", {"prompt": "A lake at sunset", "model": "nanobanana"})["job"])
            account = call("GetAccount")
            self.assertEqual((account["creditsCharged"], account["aiCreditsLeft"]), (4, 9996))
            self.assertEqual(account["transactions"][0]["source"], "Text-to-Image")

            file = base64.b64encode(b'{"name":"Letter","scenes":[{"sceneId":"s1","sentence":"Dear {{name}},"}]}')
            made = call("CreateTemplate", {"projectFile": file.decode()})["info"]
            self.assertEqual(made["variables"], {"name": "NAME"})
            named = {"templateId": made["templateId"]}
            scenes = json.dumps([{"sceneId": "s1", "text": "Good day {{name}}."}])
            call("UpdateTemplate", named | {"scenesJson": scenes})
            self.assertIn("Good day", call("GetTemplate", named)["templateJson"])
            self.assertEqual(call("ListTemplates")["items"][0]["templateId"], made["templateId"])
            request = {"fromTemplate": named | {"variables": {"name": "Ann"}}}
            preview = watched(call("CreatePreview", request)["job"])
            self.assertEqual((preview["kind"], preview["state"]), ("JOB_KIND_PREVIEW", "JOB_STATE_SUCCEEDED"))
            full = call("GetJob", {"jobId": preview["jobId"], "view": "JOB_VIEW_FULL"})["job"]["preview"]
            self.assertIn("Good day Ann.", full["renderParams"])
            done = watched(call("Render", {"previewJobId": preview["jobId"]})["job"])
            self.assertEqual(done["state"], "JOB_STATE_SUCCEEDED")
            call("DeleteTemplate", named)
            for method, field in (("GetTemplate", named), ("DeleteTemplate", named), ("GetProject", {"projectId": "none"})):
                gone = grpcurl(g, "-d", json.dumps(field), g.grpc, f"{SERVICE}/{method}", expect=1)
                self.assertIn("NotFound", gone.stderr)

    def test_reflection_and_health(self):
        with gateway() as g:
            listed = grpcurl(g, g.grpc, "list").stdout.split()
            for service in (SERVICE, "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                            "grpc.reflection.v1alpha.ServerReflection"):
                self.assertIn(service, listed)
            self.assertIn("rpc WatchJob", grpcurl(g, g.grpc, "describe", SERVICE).stdout)
            self.assertIn("aspect_ratio", grpcurl(g, g.grpc, "describe",
                                                  "pictory.jobs.v1.Storyboard").stdout)
            for name in ("", SERVICE):
                health = grpcurl(g, "-d", json.dumps({"service": name}), g.grpc,
                                 "grpc.health.v1.Health/Check")
                self.assertEqual(json.loads(health.stdout)["status"], "SERVING")

    def test_health_goes_off_with_the_store(self):
        with tempfile.TemporaryDirectory() as state:
            g = Gateway(state)
            try:
                watch = subprocess.Popen(["grpcurl", "-plaintext", "-d", json.dumps({"service": SERVICE}),
                                          g.grpc, "grpc.health.v1.Health/Watch"],
                                         text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                self.assertEqual([watch.stdout.readline() for _ in range(3)][1].strip(), '"status": "SERVING"')
                (g.state / "jobs" / "sandbox" / "jobs.lock").unlink()
                said, _ = watch.communicate(timeout=DEADLINE_SECONDS)
                self.assertIn("NOT_SERVING", said)
                self.assertEqual(g.process.wait(timeout=DEADLINE_SECONDS), 1)
            finally:
                g.kill()

    def test_errors_name_what_to_do(self):
        with gateway() as g:
            typed = grpcurl(g, "-d", '{"storyboard":{"videoNam":"a"}}', g.grpc,
                            f"{SERVICE}/CreatePreview", expect=1)
            self.assertIn("videoNam", typed.stderr)
            empty = grpcurl(g, "-d", '{"storyboard":{}}', g.grpc, f"{SERVICE}/CreatePreview", expect=1)
            self.assertIn("InvalidArgument", empty.stderr)
            self.assertIn("storyboard.video_name", empty.stderr)
            slides = grpcurl(g, "-d", '{"fileName":"a.key"}', g.grpc, f"{SERVICE}/CreateUpload", expect=1)
            self.assertIn("content_type", slides.stderr)
            gone = grpcurl(g, "-d", '{"jobId":"nobody"}', g.grpc, f"{SERVICE}/GetJob", expect=1)
            self.assertIn("NotFound", gone.stderr)
            for method, more in (("DeleteJob", ""), ("ResolveJob", ""), ("UpdatePreview", ',"elements":[{"id":"a"}]')):
                gone = grpcurl(g, "-d", f'{{"jobId":"nobody"{more}}}', g.grpc, f"{SERVICE}/{method}", expect=1)
                self.assertIn("NotFound", gone.stderr)


if __name__ == "__main__":
    if shutil.which("grpcurl") is None:
        sys.exit(77)
    unittest.main()
