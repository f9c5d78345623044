"""What a row needs: sandbox and gateways (live/rig.py), Envoys in front of them, and calls."""

import contextlib
import json
import pathlib
import tempfile
import threading
import time

import grpc
from envoy import Envoy
from live.process import DEADLINE_SECONDS, wait_until
from live.rig import UNLIMITED, Rig
from pictory.jobs.v1 import job_pb2
from pictory.jobs.v1 import pictory_jobs_pb2 as api
from pictory.jobs.v1 import pictory_jobs_pb2_grpc as rpc

PICTORY_MS = 1500  # what a submit takes if it is to be caught under way
# Trailing metadata: whose answer it is, if not its own, and by which rule.
ANSWER_OF, ANSWER_RULE = "pictory-answer-of", "pictory-answer-rule"

# What gRPC libraries do by themselves if they are told to.
LIBRARY_RETRIES = json.dumps({"methodConfig": [{"name": [{}], "retryPolicy": {
    "maxAttempts": 5, "initialBackoff": "0.5s", "maxBackoff": "2s", "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"]}}]})


class Bench(Rig):
    def __init__(self, folder, quick):
        super().__init__(folder)
        self.quick = quick

    def envoy(self, config):
        made = Envoy(pathlib.Path(tempfile.mkdtemp(prefix="envoy-", dir=self.folder)) / "run", config)
        self.exits.callback(made.kill)
        return made

    def chain(self, hops, target):
        """Envoys one before the other; the first in the result is nearest to the gateway."""
        made = []
        for each in hops:
            made.append(self.envoy(each(made[-1].target if made else target)))
        return made

    def side(self, *flags, sandbox=("--speed", "0.01"), **kwargs):
        """A sandbox and a gateway that keeps its port when it is started again."""
        sandbox = self.sandbox(*sandbox)
        gateway = self.gateway(sandbox.url, *UNLIMITED, *flags, **kwargs)
        gateway.listen = gateway.grpc
        return sandbox, gateway


@contextlib.contextmanager
def stub(target, library_retries=False):
    """On a connection of its own."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", int(library_retries)),
               ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500)]
    if library_retries:
        options.append(("grpc.service_config", LIBRARY_RETRIES))
    with grpc.insecure_channel(target, options=options) as channel:
        yield rpc.PictoryJobsStub(channel)


def preview(name, request_id=""):
    body = json.dumps({"videoName": name, "scenes": [{"story": "One line."}]})
    return api.CreatePreviewRequest(request_id=request_id, storyboard_json=body)


class Told:
    """What one submit was told."""

    def __init__(self, call):
        try:
            job, call = call()
            self.job_id, self.pictory = job.job_id, job.pictory_job_id
            self.state = job_pb2.JobState.Name(job.state).removeprefix("JOB_STATE_")
            trailers = dict(call.trailing_metadata())
            self.text = f"OK {self.state}" + (f" ({trailers[ANSWER_RULE]})" if ANSWER_OF in trailers else "")
        except (grpc.RpcError, grpc.FutureCancelledError) as error:
            self.job_id = self.pictory = self.state = ""
            self.text = error.code().name if isinstance(error, grpc.RpcError) else "gave up"

    @property
    def ok(self):
        return bool(self.job_id)


def submit(target, name, request_id="", library_retries=False, metadata=(), patience=DEADLINE_SECONDS):
    """One call on a connection of its own, which is cancelled when the caller's patience is at its end."""
    with stub(target, library_retries) as jobs:
        def call():
            made = jobs.CreatePreview.future(preview(name, request_id), timeout=DEADLINE_SECONDS, metadata=metadata)
            try:
                return made.result(patience).job, made
            except grpc.FutureTimeoutError:
                made.cancel()
                return made.result().job, made
        return Told(call)


def outcome(call):
    """OK, or what the call fails with."""
    try:
        call()
        return "OK"
    except grpc.RpcError as error:
        return f"{error.code().name} {error.details()}"


def in_flight(sandbox, name, call, *args, **kwargs):
    """A submit that waits for Pictory, which has got it."""
    sandbox.fault("delay", times=1, ms=PICTORY_MS)
    made = Background(call, *args, **kwargs)
    wait_until(lambda: name in sandbox.journal(), f"the POST of {name}")
    return made


class Background:
    """A function that runs meanwhile; its result is waited for."""

    def __init__(self, function, *args, **kwargs):
        self.result = None
        self.thread = threading.Thread(target=self.run, args=(function, args, kwargs), daemon=True)
        self.thread.start()

    def run(self, function, args, kwargs):
        self.result = function(*args, **kwargs)
        self.ended = time.monotonic()

    def wait(self):
        self.thread.join(2 * DEADLINE_SECONDS)
        if self.result is None:
            raise AssertionError("a call has no answer")
        return self.result
