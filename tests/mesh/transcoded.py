"""Envoy's filter grpc_json_transcoder with the descriptor set that server/deploy/transcoder makes."""

import base64
import functools
import http.client
import json
import subprocess

import tools
from check import equal, true
from shapes import TYPE, documented, manager_of

SERVICE = "pictory.jobs.v1.PictoryJobs"
STORYBOARD = {"videoName": "transcoded", "scenes": [{"story": "One line."}]}


def descriptors(folder):
    plain = folder / "plain.pb"
    subprocess.run([tools.PYTHON, "-m", "grpc_tools.protoc", "-I", tools.ROOT / "protos", "--include_imports",
                    f"--descriptor_set_out={plain}", "pictory/jobs/v1/pictory_jobs.proto"], check=True)
    with open(plain, "rb") as given:
        return subprocess.run([tools.PYTHON, tools.ROOT / "server" / "deploy" / "transcoder"], stdin=given,
                              stdout=subprocess.PIPE, check=True).stdout


def transcoding(found, target):
    config = documented(target)
    manager_of(config)["http_filters"].insert(0, {"name": "envoy.filters.http.grpc_json_transcoder", "typed_config": {
        "@type": TYPE + "filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        "proto_descriptor_bin": base64.b64encode(found).decode(), "services": [SERVICE]}})
    return config


def transcoder(bench):
    sandbox, g = bench.side(sandbox=("--speed", "20"))
    [front] = bench.chain([functools.partial(transcoding, descriptors(bench.folder))], g.grpc)

    def ask(method, path, body=None):
        connection = http.client.HTTPConnection(front.target, timeout=60)
        connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text else None

    status, answer = ask("POST", "/v1/previews", {"requestId": "transcoded-1", "storyboard": STORYBOARD})
    yield equal("POST /v1/previews", status, 200)
    preview = answer["job"]["jobId"]
    status, told = ask("GET", f"/v1/jobs/{preview}:watch")
    yield equal("GET /v1/jobs/…:watch ends with", (status, [each["job"]["state"] for each in told if "job" in each][-1]),
                (200, "JOB_STATE_SUCCEEDED"))
    status, answer = ask("POST", f"/v1/previews/{preview}:render", {"requestId": "transcoded-2"})
    yield equal("POST /v1/previews/…:render", (status, answer["job"]["kind"]), (200, "JOB_KIND_RENDER"))
    status, answer = ask("GET", "/v1/jobs?kinds=JOB_KIND_RENDER")
    yield equal("GET /v1/jobs?kinds=…", (status, len(answer["jobs"])), (200, 1))
    yield equal("GET of an unknown job", ask("GET", "/v1/jobs/none")[0], 404)
    # Why the gateway has a listener of its own.
    status, answer = ask("POST", "/v1/previews", {"requestID": "misspelt", "storyboard": STORYBOARD})
    yield true("a misspelt requestId is dropped and paid for", status == 200 and answer["job"]["requestId"] != "misspelt",
               f"{status}, {answer['job']['requestId']}" if status == 200 else status, "as http.md warns; if not, change that")
    yield equal("POSTs at Pictory", len(sandbox.accepted()), 3)
