"""What the package pictory_jobs makes of statuses that the gateway did not make: a scripted server in this process
gives them. Prints an object a case, which interop_test.py judges. Run in the example's environment."""

import concurrent.futures
import json
import pathlib
import tempfile

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

import pictory_jobs
from pictory.jobs.v1 import job_pb2
from pictory.jobs.v1 import pictory_jobs_pb2 as api
from pictory.jobs.v1 import pictory_jobs_pb2_grpc as rpc

PATIENCE_SECONDS = 1.5
WHOLE = b"0123456789"


class Server(rpc.PictoryJobsServicer):
    def begin(self, code, domain=None, times=10**9):
        """From now on calls break so often, watches and reads after their first message."""
        self.code, self.domain, self.left = getattr(grpc.StatusCode, code), domain, times
        self.calls, self.ids, self.asked, self.silent = 0, set(), [], False

    def answer(self, context):
        self.calls += 1
        if self.left:
            self.left -= 1
            self.fail(context)

    def fail(self, context):
        if self.domain:
            detail = any_pb2.Any()
            detail.Pack(error_details_pb2.ErrorInfo(reason="TEST", domain=self.domain))
            status = status_pb2.Status(code=self.code.value[0], message="broken", details=[detail])
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(self.code, "broken")

    def Render(self, request, context):
        self.ids.add(request.request_id)
        self.answer(context)
        return api.RenderResponse(job=job_pb2.Job(job_id="j"))

    def WatchJob(self, request, context):
        self.asked.append(request.after_revision)
        self.calls += 1
        if self.silent or self.calls % 2 == 0:
            self.fail(context)
        revision = request.after_revision + 1
        final = revision == 3
        yield api.WatchJobResponse(job=job_pb2.Job(
            job_id="j", revision=revision,
            state=job_pb2.JOB_STATE_SUCCEEDED if final else job_pb2.JOB_STATE_RUNNING))
        if not final:
            self.fail(context)

    def GetJob(self, request, context):
        self.answer(context)
        return api.GetJobResponse(job=job_pb2.Job(job_id="j"))

    def ReadJobResult(self, request, context):
        self.asked.append(request.offset)
        self.calls += 1
        for at in range(request.offset, len(WHOLE), 4):
            if at > request.offset and self.left:
                self.left -= 1
                self.fail(context)
            yield api.ReadJobResultResponse(
                data=WHOLE[at:at + 4], offset=at, total_bytes=len(WHOLE))


def outcome(act):
    try:
        return act()
    except grpc.RpcError as error:
        return error.code().name


def main():
    pictory_jobs.errors.FIRST_DELAY_SECONDS = 0.01
    pictory_jobs.errors.MAX_DELAY_SECONDS = 0.05
    fake = Server()
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    rpc.add_PictoryJobsServicer_to_server(fake, server)
    channel, stub = pictory_jobs.connect(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
    server.start()
    cases = [(code, None) for code in ("UNAVAILABLE", "INTERNAL", "UNKNOWN", "CANCELLED", "DEADLINE_EXCEEDED",
                                       "RESOURCE_EXHAUSTED", "UNAUTHENTICATED", "UNIMPLEMENTED")]
    cases += [("INTERNAL", "mesh.example.com"), ("INTERNAL", "pictory-gateway"), ("UNKNOWN", "pictory-gateway")]
    for code, domain in cases:
        fake.begin(code, domain)
        seen = {"watch": outcome(lambda: [job.revision for job in pictory_jobs.watch(stub, "j")])}
        fake.begin(code, domain, times=2)
        submit = api.RenderRequest(request_id="r")
        seen["submit"] = outcome(lambda: pictory_jobs.call(stub.Render, submit).job.job_id)
        seen["submits"], seen["ids"] = fake.calls, sorted(fake.ids)
        fake.begin(code, domain, times=2)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "part"
            seen["part"] = outcome(
                lambda: pictory_jobs.read_part(stub, "j", job_pb2.RESULT_PART_TXT, path) or path.read_text())
        seen["offsets"] = fake.asked
        fake.begin(code, domain)
        seen["get"] = outcome(lambda: pictory_jobs.call(stub.GetJob, api.GetJobRequest(job_id="j")))
        seen["gets"] = fake.calls
        print(json.dumps({"code": code, "domain": domain, **seen}), flush=True)

    fake.begin("INTERNAL")
    try:
        pictory_jobs.call(stub.Render, api.RenderRequest())
    except ValueError as error:
        print(json.dumps({"refused": str(error), "submits": fake.calls}))
    fake.begin("INTERNAL")
    fake.silent = True
    end = outcome(lambda: list(pictory_jobs.watch(stub, "j", patience=PATIENCE_SECONDS)))
    print(json.dumps({"end": end, "again": fake.calls > 1}))
    channel.close()
    server.stop(None)


main()
