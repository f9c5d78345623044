"""See run."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "support" / "python"))
os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")

from live.gateway import gateway  # noqa: E402
from openapi_spec_validator import validate  # noqa: E402

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
QUICK_SECONDS, LONG_SECONDS = 30, 600


def without_streams(document):
    """Streams of events last as long as their jobs."""
    for places in document["paths"].values():
        for operation in list(places):
            if "text/event-stream" in json.dumps(places[operation].get("responses", {})):
                del places[operation]
    document["paths"] = {path: places for path, places in document["paths"].items() if places}
    return document


def main():
    quick = "--quick" in sys.argv
    # A budget that nothing waits for, and a limit on what a made-up body can start.
    with gateway("--http-listen", "127.0.0.1:0") as g, tempfile.TemporaryDirectory() as folder:
        with urllib.request.urlopen(f"{g.http}/openapi.json", timeout=10) as answer:
            document = json.load(answer)
        validate(document)
        if document["openapi"] != "3.1.0":
            sys.exit("openapi: the document is not of version 3.1.0")
        rpcs = {name for name in (ROOT / "protos/pictory/jobs/v1/pictory_jobs.proto").read_text().split("  rpc ")[1:]
                for name in [name.split("(")[0]]}
        shown = {o["operationId"].rstrip("23") for places in document["paths"].values() for o in places.values()}
        if rpcs != shown:
            sys.exit(f"openapi: {rpcs ^ shown} is not in both")
        print(f"openapi: valid, {len(document['paths'])} paths", flush=True)
        file = pathlib.Path(folder, "openapi.json")
        file.write_text(json.dumps(without_streams(document)))
        seconds = QUICK_SECONDS if quick else LONG_SECONDS
        done = subprocess.run(
            [pathlib.Path(sys.executable).parent / "schemathesis", "run", file, "--url", g.http, "--checks", CHECKS,
             "--phases", "examples,coverage,fuzzing", "--max-time", str(seconds), "--seed", "1",
             "--request-timeout", "30", "--no-color", "--header", "Request-Timeout: 20",
             "--max-examples", "20" if quick else "1000"], cwd=folder)
        log = g.log.read_text()
        if '"reason":"INTERNAL"' in log:
            sys.exit("openapi: the gateway failed inside:\n" + log)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
