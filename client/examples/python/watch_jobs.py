"""Keeps a picture of all jobs with a label, over breaks of the connection and restarts of either side.

    .venv/bin/python watch_jobs.py batch=monday [TOKEN_FILE]     # the token file lets another run go on
"""

import pathlib
import sys

import pictory_jobs
from pictory.jobs.v1 import job_pb2
from pictory.jobs.v1 import pictory_jobs_pb2 as api


def main(label, token_file=None):
    channel, jobs = pictory_jobs.connect()
    kept = pathlib.Path(token_file) if token_file else None
    token = kept.read_text() if kept and kept.exists() else ""
    key, value = label.split("=", 1)
    listed = None  # the ids of the list that is being told
    known = {}
    for event in pictory_jobs.watch_jobs(jobs, api.WatchJobsRequest(labels={key: value}, resume_token=token)):
        if event.HasField("list_started"):
            listed = set()
        elif event.HasField("list_completed") and listed is not None:
            known = {job_id: job for job_id, job in known.items() if job_id in listed}
            listed = None
        elif event.HasField("gone_job_id"):
            known.pop(event.gone_job_id, None)
        elif event.HasField("job"):
            job = event.job
            if listed is not None:
                listed.add(job.job_id)
            if job.job_id not in known or known[job.job_id].revision < job.revision:
                known[job.job_id] = job
                print(job.job_id, job.revision, job_pb2.JobState.Name(job.state).removeprefix("JOB_STATE_"), flush=True)
        if kept:  # what came before it is dealt with
            kept.write_text(event.resume_token)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        pass
