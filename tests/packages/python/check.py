"""Prints the version of the package, and why a call failed. mypy reads it strictly."""

import importlib.metadata
import sys

import grpc

import pictory_jobs
from pictory.jobs.v1 import job_pb2
from pictory.jobs.v1 import pictory_jobs_pb2 as api
from pictory.jobs.v1 import pictory_jobs_pb2_grpc as rpc


def state(stub: rpc.PictoryJobsStub, job_id: str) -> str:
    job: job_pb2.Job = stub.GetJob(api.GetJobRequest(job_id=job_id)).job
    return job_pb2.JobState.Name(job.state)


def main() -> None:
    channel, stub = pictory_jobs.connect(sys.argv[1])
    with channel:
        try:
            for job in pictory_jobs.watch(stub, "no-such-job"):
                print(job.job_id)
            print(state(stub, "no-such-job"))
        except grpc.RpcError as error:
            print(importlib.metadata.version("pictory-jobs"), pictory_jobs.reason(error))


main()
