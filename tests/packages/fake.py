"""A gateway whose answers the ids say, job ids and request ids, for what a real one does not do. Prints its addresses,
without and with TLS, and ends with its input; then it prints the methods that nobody has called. After `again-`, once or
more, an id says the same, and is counted by itself. tests/packages/run starts it, where the stubs are.

    fake.py CERTIFICATE KEY
"""

import collections
import concurrent.futures
import pathlib
import sys
import threading

import grpc
from google.protobuf import message_factory

from pictory.jobs.v1 import job_pb2
from pictory.jobs.v1 import pictory_jobs_pb2 as api
from pictory.jobs.v1 import pictory_jobs_pb2_grpc as rpc

SERVICE = api.DESCRIPTOR.services_by_name["PictoryJobs"]
WHOLE, PIECE = b"0123456789", 4
AGAIN = "again-"


def until_gone(context):
    """Says nothing until the client gives the stream up."""
    gone = threading.Event()
    if context.add_callback(gone.set):
        gone.wait()


def state(revision, state=job_pb2.JOB_STATE_RUNNING):
    return api.WatchJobResponse(job=job_pb2.Job(job_id="j", revision=revision, state=state))


class Fake(rpc.PictoryJobsServicer):
    def __init__(self):
        self.calls = collections.Counter()  # by id
        self.begun = collections.defaultdict(threading.Event)
        self.ended = collections.defaultdict(threading.Event)  # watches

    def count(self, name):
        """What the id says, and how often it was asked for."""
        self.calls[name] += 1
        self.begun[name].set()
        return name.removeprefix(AGAIN), self.calls[name]

    def GetJob(self, request, context):
        """How often the job was watched or read stands in the revision."""
        name = request.job_id.replace(AGAIN, "")
        if name == "never":
            self.begun[request.job_id].set()
            until_gone(context)
        elif name == "begun":  # answers once `never` was asked for
            self.begun[request.job_id.replace(name, "never")].wait()
        elif name == "hang":  # answers once it is read
            self.begun[request.job_id].wait()
        elif name == "seen":
            return api.GetJobResponse(job=state(7, job_pb2.JOB_STATE_SUCCEEDED).job)
        elif name == "signed":
            metadata = dict(context.invocation_metadata())
            return api.GetJobResponse(job=job_pb2.Job(job_id=metadata.get("authorization", "nobody")))
        elif name in ("UNCONFIRMED", "CANCELLED"):
            return api.GetJobResponse(job=state(1, job_pb2.JobState.Value(f"JOB_STATE_{name}")).job)
        return api.GetJobResponse(job=job_pb2.Job(job_id="j", revision=self.calls[request.job_id]))

    def WatchJob(self, request, context):
        name, number = self.count(request.job_id)
        if name == "kept":  # its trailers never come
            context.add_callback(self.ended[request.job_id].set)
            yield state(1)
            yield state(2, job_pb2.JOB_STATE_SUCCEEDED)
            until_gone(context)
        elif name == "short":  # ends well before the job does
            yield state(number, job_pb2.JOB_STATE_RUNNING if number < 3 else job_pb2.JOB_STATE_FAILED)
        elif name == "mute":
            yield state(1)
            until_gone(context)
        # What `seen` was asked to go on from is the final state already.

    def WatchJobs(self, request, context):
        """Breaks off, then ends well, and is gone on with where it was each time."""
        name, number = self.count(request.labels["case"])
        if name != "many":
            return
        if request.resume_token != ["", "t3", "t4"][number - 1]:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"call {number} with the token {request.resume_token!r}")
        if number == 1:
            yield api.WatchJobsResponse(list_started={}, resume_token="t1")
            yield api.WatchJobsResponse(job=state(1).job, resume_token="t2")
            yield api.WatchJobsResponse(heartbeat={}, resume_token="t3")
            context.abort(grpc.StatusCode.UNAVAILABLE, "broken")
        elif number == 2:
            yield api.WatchJobsResponse(job=state(2).job, resume_token="t4")
        else:
            yield api.WatchJobsResponse(gone_job_id="j", resume_token="t5")
            until_gone(context)

    def Render(self, request, context):
        name, number = self.count(request.request_id)
        if name == "next":  # submitted while a watch ends
            self.ended[request.request_id.replace(name, "kept")].wait()
        elif name == "open" and number == 1:
            context.abort(grpc.StatusCode.INTERNAL, "the connection broke")
        elif name in ("open", "refused"):
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "refused")
        return api.RenderResponse(job=job_pb2.Job(job_id="j"))

    def ReadJobResult(self, request, context):
        name, number = self.count(request.job_id)
        offset = request.offset
        if name == "dead":
            context.abort(grpc.StatusCode.UNAVAILABLE, "dead")

        def piece(at, total=len(WHOLE)):
            return api.ReadJobResultResponse(data=WHOLE[at:at + PIECE], offset=at, total_bytes=total)

        yield piece(offset)
        if offset + PIECE >= len(WHOLE):
            return
        if name == "broken":
            context.abort(grpc.StatusCode.UNAVAILABLE, "broken")
        elif name == "cut":
            return
        elif name in ("silent", "hang"):
            until_gone(context)
        elif name == "shifted":
            yield piece(offset + PIECE - 1)
        elif name == "changed":
            yield piece(offset + PIECE, total=len(WHOLE) + number)


def plain(method):
    """Says nothing, and well."""
    answer = message_factory.GetMessageClass(method.output_type)
    return lambda self, request, context: iter(()) if method.server_streaming else answer()


for each in SERVICE.methods:
    if each.name not in vars(Fake):
        setattr(Fake, each.name, plain(each))


class Called(grpc.ServerInterceptor):
    """Notes the methods that were called."""

    def __init__(self):
        self.names = set()

    def intercept_service(self, continuation, details):
        self.names.add(details.method.rpartition("/")[2])
        return continuation(details)


def healthy(request, context):
    yield bytes([8, 1])  # status: SERVING
    until_gone(context)


def main():
    cert, key = (pathlib.Path(name).read_bytes() for name in sys.argv[1:])
    called = Called()
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(64), interceptors=[called])
    health = {"Watch": grpc.unary_stream_rpc_method_handler(healthy)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("grpc.health.v1.Health", health)])
    rpc.add_PictoryJobsServicer_to_server(Fake(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    secure_port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, cert)]))
    server.start()
    print(f"127.0.0.1:{port}", f"localhost:{secure_port}", flush=True)
    sys.stdin.read()
    server.stop(None).wait()
    print(*sorted({method.name for method in SERVICE.methods} - called.names))


main()
