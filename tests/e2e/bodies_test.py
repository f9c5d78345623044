"""A documented body can be pasted in: through grpcurl and the command line to Pictory, and it is the same JSON there.
The bodies are those of tests/pictory/testdata/bodies. Exit 77: no grpcurl here."""

import json
import pathlib
import shutil
import subprocess
import sys
import unittest

import find_live  # noqa: F401
from live.gateway import gateway

SERVICE = "pictory.jobs.v1.PictoryJobs"
FOLDER = pathlib.Path(__file__).resolve().parents[1] / "pictory" / "testdata" / "bodies"
METHODS = {"storyboard": ("CreatePreview", "Render"), "transcribe": ("Transcribe",), "summarize": ("Summarize",),
           "image": ("GenerateImage",), "video": ("GenerateVideo",)}
BODIES = {kind: sorted((FOLDER / kind).glob("*.json")) for kind in (*METHODS, "template", "elements")}
PATHS = {"CreatePreview": "/v2/video/storyboard", "Render": "/v2/video/storyboard/render",
         "Transcribe": "/v2/transcription", "Summarize": "/v2/transcription/highlights",
         "GenerateImage": "/v1/aistudio/images", "GenerateVideo": "/v1/aistudio/videos"}
COMMANDS = {"CreatePreview": "preview", "Render": "render", "Transcribe": "transcribe", "Summarize": "summarize",
            "GenerateImage": "image", "GenerateVideo": "video"}
# What the bodies of template/ and elements/ are about, by the names that they use.
LETTER = {"name": "Letter", "scenes": [{"sceneId": "s1", "sentence": "Dear {{customer_name}},"},
                                       {"sceneId": "s2", "sentence": "Pay before {{payment_date}}."}]}
FILM = {"videoName": "Lighthouse", "backgroundMusic": {"enabled": True, "autoMusic": True},
        "scenes": [{"story": "A lighthouse does not move."}]}


def grpcurl(g, method, request):
    return subprocess.run(["grpcurl", "-plaintext", "-d", "@", g.grpc, f"{SERVICE}/{method}"], text=True,
                          input=request, capture_output=True, timeout=60)


def cases():
    for kind, methods in METHODS.items():
        for file in BODIES[kind]:
            for method in methods:
                yield kind, file, method


class Bodies(unittest.TestCase):
    def expect_sent(self, g, method, body, call=None):
        """The newest submit, or what else is remembered, is this call with this body."""
        entry = g.pages.accepted()[-1]
        self.assertEqual((entry["method"], entry["path"]), call or ("POST", PATHS[method]))
        self.assertEqual(json.loads(entry["body"]), body)

    def test_they_are_all_there(self):
        self.assertGreaterEqual(len(BODIES["storyboard"]), 27)
        self.assertGreaterEqual(len(BODIES["transcribe"]), 5)
        self.assertGreaterEqual(len(BODIES["summarize"]), 3)
        self.assertEqual([len(BODIES[kind]) for kind in ("image", "video", "template", "elements")], [2, 4, 3, 2])

    def test_through_grpcurl(self):
        with gateway() as g:
            for kind, file, method in cases():
                with self.subTest(f"{method} {file.stem}"):
                    # As text, so that what is pasted is what grpcurl reads.
                    text = file.read_text()
                    request = f'{{"requestId":"{method}-{file.stem}",' + (
                        f'"storyboard":{text}}}' if kind == "storyboard" else text.lstrip()[1:])
                    done = grpcurl(g, method, request)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertEqual(json.loads(done.stdout)["job"]["state"], "JOB_STATE_QUEUED")
                    self.expect_sent(g, method, json.loads(text))

    def test_through_the_command_line(self):
        with gateway() as g:
            for kind, file, method in cases():
                with self.subTest(f"{method} {file.stem}"):
                    job = g.json(COMMANDS[method], file, "--request-id", f"{method}-{file.stem}")
                    self.assertEqual(job["state"], "JOB_STATE_QUEUED")
                    self.expect_sent(g, method, json.loads(file.read_text()))

    def test_of_a_template_and_of_elements(self):
        with gateway(speed=1000) as g:
            template = g.json("template", "upload", "-", input=json.dumps(LETTER))["info"]["templateId"]
            for file in BODIES["template"]:
                with self.subTest(file.stem):
                    body = {**json.loads(file.read_text()), "templateId": template}
                    typed = {**body, **({"scenes": json.dumps(body["scenes"])} if "scenes" in body else {})}
                    for form in ({"fromTemplate": typed}, {"fromTemplateJson": json.dumps(body)}):
                        done = grpcurl(g, "CreatePreview", json.dumps(form))
                        self.assertEqual(done.returncode, 0, done.stderr)
                        self.expect_sent(g, "", body, ("POST", "/v1/video/from-template"))
            preview = g.json("preview", "-", "--wait", input=json.dumps(FILM))
            call = ("PUT", f"/v2/video/storyboard/{preview['pictoryJobId']}/elements")
            for file in BODIES["elements"]:
                with self.subTest(file.stem):
                    text = file.read_text()
                    count = len(g.pages.accepted())
                    done = grpcurl(g, "UpdatePreview", f'{{"jobId":"{preview["jobId"]}","elements":{text}}}')
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.expect_sent(g, "", json.loads(text), call)
                    g.json("update-preview", preview["jobId"], file)
                    self.expect_sent(g, "", json.loads(text), call)
                    self.assertEqual(len(g.pages.accepted()), count + 2)

    def test_a_webhook_is_refused_with_what_to_do_instead(self):
        webhook = {"webhook": "https://example.com/hook"}
        with gateway() as g:
            for method, request, field in (
                    ("CreatePreview", {"storyboard": {"videoName": "n", "scenes": [{"story": "s"}], **webhook}},
                     "storyboard.webhook"),
                    ("Transcribe", {"fileUrl": "https://media.example.com/talk.mp4", **webhook}, "webhook"),
                    ("Summarize", {"transcriptionJobId": "t", **webhook}, "webhook"),
                    ("GenerateImage", {"prompt": "a calm sea", **webhook}, "webhook"),
                    ("GenerateVideo", {"prompt": "a calm sea", **webhook}, "webhook")):
                with self.subTest(method):
                    done = grpcurl(g, method, json.dumps(request))
                    self.assertIn("InvalidArgument", done.stderr)
                    self.assertIn(f'"field": "{field}"', done.stderr)
                    self.assertIn("remove it, and watch the job instead", done.stderr)
            self.assertEqual(g.pages.accepted(), [])

    def test_what_a_value_cannot_carry_is_refused_and_text_carries_it(self):
        body = {"videoName": "n", "webhookInput": {"order": {"id": 9007199254740993}}, "scenes": [{"story": "s"}]}
        with gateway() as g:
            done = grpcurl(g, "CreatePreview", json.dumps({"storyboard": body}))
            self.assertIn("InvalidArgument", done.stderr)
            self.assertIn("storyboard.webhook_input.order.id", done.stderr)
            self.assertIn("storyboard_json", done.stderr)
            self.assertEqual(g.pages.accepted(), [])
            done = grpcurl(g, "CreatePreview", json.dumps({"storyboardJson": json.dumps(body)}))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.expect_sent(g, "CreatePreview", body)
            g.json("preview", "-", "--request-id", "by-cli", input=json.dumps(body))
            self.expect_sent(g, "CreatePreview", body)

    def test_what_is_too_deep_or_too_much_is_refused(self):
        deep = {"k": None}
        for _ in range(20):
            deep = {"k": deep}
        with gateway() as g:
            for member, value, field, words in (
                    ("webhookInput", deep, "storyboard.webhook_input.k.k", "deeper than 20"),
                    ("webhookInput", {"a": [0] * 10_001}, "storyboard.webhook_input.a[", "at any depth"),
                    ("projectMetadata", {"a": "x" * (1 << 20)}, "storyboard.project_metadata", "bytes long")):
                body = {"videoName": "n", "scenes": [{"story": "s"}], member: value}
                done = grpcurl(g, "CreatePreview", json.dumps({"storyboard": body}))
                self.assertIn("InvalidArgument", done.stderr)
                self.assertIn(field, done.stderr)
                self.assertIn(words, done.stderr)
            self.assertEqual(g.pages.accepted(), [])


if __name__ == "__main__":
    if shutil.which("grpcurl") is None:
        sys.exit(77)
    unittest.main()
