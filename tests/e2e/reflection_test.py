"""Tools that know the gateway by reflection alone: each can describe all that is listed, and call it.

cmake/tools.sh fetches them; a tool that is not there is skipped. Exit 77: none is there.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

import find_live  # noqa: F401
from live.gateway import gateway

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = HERE.parents[1] / "build" / "tools"  # where cmake/tools.sh puts them
MODULES = TOOLS / "node_modules"
os.environ["PATH"] = f"{TOOLS}/bin:{MODULES}/.bin:{os.environ['PATH']}"

API = "pictory.jobs.v1.PictoryJobs"
HEALTH = "grpc.health.v1.Health"
SERVICES = {API, HEALTH, "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"}
METHODS = {"CreatePreview", "Render", "Transcribe", "Summarize", "GenerateImage", "GenerateVideo", "GetJob",
           "BatchGetJobs", "ListJobs", "WatchJob", "WatchJobs", "ReadJobResult", "ReadArchivedFile",
           "ResolveJob", "DeleteJob", "CreateUpload", "GetUsage", "GetServerInfo", "ListNotifications",
           "ReplayNotification", "UpdatePreview", "ListProjects", "GetProject", "GetAccount", "ListTemplates", "GetTemplate",
           "CreateTemplate", "UpdateTemplate", "DeleteTemplate"}
PREVIEW = {"storyboard": {"videoName": "demo", "scenes": [{"story": "Hello there."}]}}
CLIENTS = ("grpc-js-reflection-client", "grpc-reflection-js")


def package_version(name):
    return json.loads((MODULES / name / "package.json").read_text())["version"]


def run(*command, expect=0, env=None):
    done = subprocess.run(command, text=True, capture_output=True, timeout=60, env=env)
    if (done.returncode == 0) != (expect == 0):
        raise AssertionError(f"{command}: {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout if expect == 0 else done.stdout + done.stderr


class Tool(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.g = cls.enterClassContext(gateway())


@unittest.skipUnless(shutil.which("grpcurl"), "no grpcurl")
class Grpcurl(Tool):
    def grpcurl(self, *args, **kwargs):
        return run("grpcurl", "-plaintext", *args, **kwargs)

    def test_describes_all_that_is_listed(self):
        listed = self.grpcurl(self.g.grpc, "list").split()
        self.assertEqual(set(listed), SERVICES)
        everything = self.grpcurl(self.g.grpc, "describe")
        for service in listed:
            self.assertIn(f"{service} is a service", everything)
            for method in self.grpcurl(self.g.grpc, "list", service).split():
                self.assertIn(f"{method} is a method", self.grpcurl(self.g.grpc, "describe", method))

    def test_shows_the_comments_of_the_protos(self):
        for name, words in {API: "Resolves an UNCONFIRMED job.",
                            "pictory.jobs.v1.Job": "Rises with each visible change",
                            "pictory.jobs.v1.JobState": "Pictory says it works on it."}.items():
            self.assertIn(words, self.grpcurl(self.g.grpc, "describe", name))
        # What the gateway declares for itself is not shown.
        self.assertNotIn("FIELD_ROLE", self.grpcurl(self.g.grpc, "describe", "pictory.jobs.v1.Storyboard"))

    def test_prints_why_a_call_failed(self):
        said = self.grpcurl("-d", '{"jobId":"nobody"}', self.g.grpc, f"{API}/GetJob", expect=1)
        for words in ('"reason": "JOB_NOT_FOUND"', '"domain": "pictory-gateway"', '"resourceName": "nobody"'):
            self.assertIn(words, said)
        said = self.grpcurl("-d", '{"storyboard":{}}', self.g.grpc, f"{API}/CreatePreview", expect=1)
        self.assertIn('"field": "storyboard.video_name"', said)
        self.assertNotIn("@value", said)


@unittest.skipUnless(shutil.which("buf"), "no buf")
class Buf(Tool):
    def curl(self, *args):
        return run("buf", "curl", "--protocol", "grpc", "--http2-prior-knowledge", *args)

    def test_lists_the_methods_and_calls_one(self):
        listed = self.curl("--list-methods", f"http://{self.g.grpc}").split()
        self.assertEqual({method.split("/")[0] for method in listed}, SERVICES)
        self.assertEqual({m.split("/")[1] for m in listed if m.startswith(API)}, METHODS)
        for protocol in ("grpc-v1", "grpc-v1alpha"):
            request = json.dumps({"requestId": protocol, **PREVIEW})
            said = self.curl("--reflect-protocol", protocol, "-d", request,
                             f"http://{self.g.grpc}/{API}/CreatePreview")
            self.assertEqual(json.loads(said)["job"]["state"], "JOB_STATE_QUEUED")


@unittest.skipUnless(all((MODULES / name).is_dir() for name in CLIENTS), "no reflection clients of Node")
class Node(Tool):
    def test_clients_load_all_that_is_listed_and_call_it(self):
        env = dict(os.environ, NODE_PATH=str(MODULES))
        said = run("node", HERE / "reflection_clients.cjs", self.g.grpc, env=env)
        found = [json.loads(line) for line in said.splitlines()]
        self.assertEqual([f["client"] for f in found], ["grpc-js-reflection-client v1",
                                                        "grpc-js-reflection-client v1alpha",
                                                        "grpc-reflection-js"])
        for client in found:
            self.assertEqual(set(client["services"]), SERVICES)
            self.assertEqual(set(client["services"][API]), METHODS)
            self.assertEqual(client["state"], "JOB_STATE_QUEUED")


def versions():
    """The tools that are there, each with its version."""
    if program := shutil.which("grpcurl"):
        built = run("go", "version", "-m", program) if shutil.which("go") else run(program, "--version")
        lines = map(str.split, built.splitlines())
        yield "grpcurl " + next((words[2] for words in lines if words[:1] == ["mod"]), built)
    if shutil.which("buf"):
        yield f"buf {run('buf', '--version').strip()}"
    for name in CLIENTS:
        if (MODULES / name).is_dir():
            yield f"{name} {package_version(name)}"


if __name__ == "__main__":
    tools = list(versions())
    if not tools:
        sys.exit(77)
    print("with", ", ".join(tools), flush=True)
    unittest.main()
