"""A gateway whose answers the ids say, job ids and request ids, for what a real one does not do. Prints its address, and
ends with its input. After `again-` an id says the same, and is counted by itself. tests/packages/run starts it, where
the stubs are."""

import collections
import concurrent.futures
import sys
import threading

import grpc

from pictory.jobs.v1 import job_pb2
from pictory.jobs.v1 import pictory_jobs_pb2 as api
from pictory.jobs.v1 import pictory_jobs_pb2_grpc as rpc

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
        name = request.job_id.removeprefix(AGAIN)
        if name == "never":
            until_gone(context)
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


def healthy(request, context):
    yield bytes([8, 1])  # status: SERVING
    until_gone(context)


def main():
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(64))
    health = {"Watch": grpc.unary_stream_rpc_method_handler(healthy)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("grpc.health.v1.Health", health)])
    rpc.add_PictoryJobsServicer_to_server(Fake(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"127.0.0.1:{port}", flush=True)
    sys.stdin.read()
    server.stop(None).wait()


main()
