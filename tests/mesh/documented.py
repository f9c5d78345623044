"""The documented configuration, as an operator first tries it."""

import base64
import json
import shutil
import subprocess

import envoy
import tools
import yaml
from check import equal, true
from live.gateway import Gateway
from live.process import wait_until
from shapes import DOCUMENTED, documented

SERVICE = "pictory.jobs.v1.PictoryJobs"
GRPCURL = shutil.which("grpcurl") or tools.ROOT / "build" / "tools" / "bin" / "grpcurl"
MEDIA = "https://media.example.com/a.mp4"


def objects(text):
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(text.rstrip()):
        value, at = decoder.raw_decode(text, at + len(text[at:]) - len(text[at:].lstrip()))
        found.append(value)
    return found


def both_retry():
    """What each of the two files says of retries, route by route, and how many requests it lets through."""
    config = yaml.safe_load(DOCUMENTED.read_text())["static_resources"]
    manager = config["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    routes = [route["route"] for route in manager["route_config"]["virtual_hosts"][0]["routes"]]
    service, rule = yaml.safe_load_all((DOCUMENTED.parent / "istio.yaml").read_text())
    pool = rule["spec"]["trafficPolicy"]["connectionPool"]["http"]
    return ([(route["timeout"], route["retry_policy"]["retry_on"]) for route in routes]
            + [config["clusters"][0]["circuit_breakers"]["thresholds"][0]["max_requests"]],
            [(route["timeout"], route["retries"]["retryOn"]) for route in service["spec"]["http"]]
            + [pool["http2MaxRequests"]])


def all_rpcs(bench):
    wrong = envoy.check(DOCUMENTED)
    yield true(f"{DOCUMENTED.relative_to(tools.ROOT)} as it is", not wrong, wrong or "taken", "no complaint of Envoy")
    ours, istios = both_retry()
    yield true("istio.yaml says the same of timeouts, retries and requests", ours == istios, "it does", ours)
    archive = bench.folder / "archive"
    archive.mkdir()
    g = Gateway(bench.folder / "gateway", "--archive-dir", archive, "--archive-min-free-mib", "0")
    bench.exits.callback(g.kill)
    [front] = bench.chain([documented], g.grpc)

    def ask(*args):
        return subprocess.run([GRPCURL, "-plaintext", *args], capture_output=True, text=True, timeout=60)

    called = set()

    def call(method, request, *flags):
        called.add(method)
        done = ask(*flags, "-d", json.dumps(request), front.target, f"{SERVICE}/{method}")
        return objects(done.stdout) or [done.stderr]

    def job(method, request):
        """Submitted, and watched to its end."""
        submitted = call(method, request)[0]["job"]["jobId"]
        states = [each["job"]["state"] for each in call("WatchJob", {"jobId": submitted}) if "job" in each]
        return submitted, states[-1]

    preview, state = job("CreatePreview", {"storyboard": {"videoName": "demo", "scenes": [{"story": "Hello there."}]}})
    yield equal("CreatePreview, WatchJob", state, "JOB_STATE_SUCCEEDED")
    text = {"id": "SceneText_0001", "elementType": "SceneText", "type": "text", "startTime": 0, "duration": 2, "text": "Hi."}
    changed = call("UpdatePreview", {"jobId": preview, "elements": [text]})[0]
    yield true("UpdatePreview", "job" in changed, "the preview", f"the preview, not {changed}")
    render, state = job("Render", {"previewJobId": preview})
    yield equal("Render", state, "JOB_STATE_SUCCEEDED")
    talk, state = job("Transcribe", {"fileUrl": MEDIA})
    yield equal("Transcribe", state, "JOB_STATE_SUCCEEDED")
    yield equal("Summarize", job("Summarize", {"transcriptionJobId": talk, "highlight_duration": 15})[1],
                "JOB_STATE_SUCCEEDED")
    yield equal("GetJob", call("GetJob", {"jobId": talk})[0]["job"]["jobId"], talk)
    yield equal("ListJobs", len(call("ListJobs", {})[0]["jobs"]), 4)
    # It does not end by itself.
    told = call("WatchJobs", {}, "-max-time", "5")
    whole = "listStarted" in told[0] and sum("job" in each for each in told) == 4 and "listCompleted" in told[5]
    yield true("WatchJobs", whole, "the list", f"the list of four, not {told}")
    both = call("BatchGetJobs", {"jobIds": [talk, render]})[0]["jobs"]
    yield equal("BatchGetJobs", [each["jobId"] for each in both], [talk, render])
    for method, request in (("GenerateImage", {"prompt": "A lake at sunset", "aspectRatio": "16:9"}),
                            ("GenerateVideo", {"prompt": "A drone flies over a forest", "duration": "8s"})):
        yield equal(method, job(method, request)[1], "JOB_STATE_SUCCEEDED")
    wait_until(lambda: all(each["state"] == "ARCHIVE_STATE_ARCHIVED" for each in
                           call("GetJob", {"jobId": render})[0]["job"]["archive"]["files"]), "the archived video")
    pieces = call("ReadArchivedFile", {"jobId": render})
    video = b"".join(base64.b64decode(piece["data"]) for piece in pieces if "data" in piece)
    yield equal("ReadArchivedFile", video[4:8], b"ftyp")
    info = call("GetServerInfo", {})[0]
    yield true("GetServerInfo", "version" in info, "its version", f"its version, not {info}")
    chunks = call("ReadJobResult", {"jobId": talk, "part": "RESULT_PART_SRT"})
    yield true("ReadJobResult", "data" in chunks[0], f"{len(chunks)} chunk", "the subtitles")
    usage = call("GetUsage", {})[0]
    yield true("GetUsage", usage.get("tenant") == "default", "the tenant", f"the tenant, not {usage}")
    told = call("ListNotifications", {})[0]
    yield true("ListNotifications", isinstance(told, dict), "OK", told)
    told = str(call("ReplayNotification", {"jobId": render})[0])
    yield true("ReplayNotification of what nobody is told", "FailedPrecondition" in told, "FAILED_PRECONDITION", told)
    upload = call("CreateUpload", {"fileName": "talk.mp4"})[0]
    yield true("CreateUpload", "signedUrl" in str(upload), "a URL", f"a URL, not {upload}")
    for method in ("ListProjects", "ListTemplates", "GetAccount"):
        told = call(method, {})[0]
        yield true(method, isinstance(told, dict), "OK", told)
    file = base64.b64encode(b'{"scenes":[{"text":"Hello there."}]}').decode()
    made = call("CreateTemplate", {"projectFile": file})[0]
    named = {"templateId": made["info"]["templateId"]}
    yield equal("CreatePreview from a template", job("CreatePreview", {"fromTemplate": named})[1], "JOB_STATE_SUCCEEDED")
    yield equal("GetTemplate", call("GetTemplate", named)[0]["info"]["templateId"], named["templateId"])
    for method, more in (("UpdateTemplate", {"scenesJson": '[{"text":"Hi."}]'}), ("DeleteTemplate", {})):
        told = call(method, named | more)[0]
        yield true(method, told == {}, "OK", told)
    gone = str(call("GetProject", {"projectId": "none"})[0])
    yield true("GetProject of nobody's", "NotFound" in gone, "NOT_FOUND", gone)
    resolved = str(call("ResolveJob", {"jobId": talk})[0])
    yield true("ResolveJob of a resolved job", "FailedPrecondition" in resolved, "FAILED_PRECONDITION", resolved)
    deleted = call("DeleteJob", {"jobId": talk})[0]
    yield true("DeleteJob", isinstance(deleted, dict), "OK", deleted)
    methods = {name.rpartition(".")[2] for name in ask(front.target, "list", SERVICE).stdout.split()}
    yield equal("RPCs that were not called", sorted(methods - called), [])
    listed = ask(front.target, "list").stdout.split()
    yield true("reflection", SERVICE in listed, f"{len(listed)} services", "the service in the list")
    health = ask("-d", "{}", front.target, "grpc.health.v1.Health/Check")
    yield equal("health", objects(health.stdout)[0]["status"], "SERVING")
