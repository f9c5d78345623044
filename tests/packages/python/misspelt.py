from pictory.jobs.v1 import pictory_jobs_pb2 as api

api.RenderRequest(preview_jobid="j")
