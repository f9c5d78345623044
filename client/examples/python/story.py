"""From text to a video, from speech to its summary, and what goes wrong on the way.

    .venv/bin/python story.py ORDER OUT MEDIA     # the same order again pays for nothing twice
    .venv/bin/python story.py --watch JOB         # go on where another run stopped
"""

import sys

import grpc

import pictory_jobs
from pictory.jobs.v1 import job_pb2, storyboard_pb2
from pictory.jobs.v1 import pictory_jobs_pb2 as api
from pictory_jobs import call, must_succeed


def follow(jobs, job_id):
    """The job in its final state. A failed job is data: it says why."""
    def lost(error):
        print(f"{job_id} connection lost ({error.details()}); trying again", flush=True)

    for job in pictory_jobs.watch(jobs, job_id, on_reconnect=lost):
        print(f"{job_id} {job.revision} {job_pb2.JobState.Name(job.state).removeprefix('JOB_STATE_')}", flush=True)
    return job


def preview(request_id, name):
    scene = storyboard_pb2.Scene(story="A gateway takes a story. It hands it to Pictory once.",
                                 create_scene_on_end_of_sentence=True)
    return api.CreatePreviewRequest(
        request_id=request_id, storyboard=storyboard_pb2.Storyboard(video_name=name, scenes=[scene]))


def story(jobs, order, out, media):
    made = must_succeed(follow(jobs, call(jobs.CreatePreview, preview(f"{order}-preview", order)).job.job_id))
    render = api.RenderRequest(request_id=f"{order}-render", preview_job_id=made.job_id)
    video = must_succeed(follow(jobs, call(jobs.Render, render).job.job_id))
    pictory_jobs.download(video.render.video_url, f"{out}/video.mp4")

    transcribe = api.TranscribeRequest(request_id=f"{order}-transcribe", file_url=media)
    speech = must_succeed(follow(jobs, call(jobs.Transcribe, transcribe).job.job_id))
    pictory_jobs.read_part(jobs, speech.job_id, job_pb2.RESULT_PART_TRANSCRIPT_JSON, f"{out}/talk.json")
    summarize = api.SummarizeRequest(
        request_id=f"{order}-summarize", transcription_job_id=speech.job_id, highlight_duration_seconds=20)
    summary = must_succeed(follow(jobs, call(jobs.Summarize, summarize).job.job_id))
    print("summary:", summary.summary.summary_text)

    again = call(jobs.Render, render).job  # the same request_id: the same job, paid once
    print("the same render:", str(again.job_id == video.job_id).lower())
    failed = follow(jobs, call(jobs.CreatePreview, preview(f"{order}-fail", "sandbox-fail")).job.job_id)
    print("failed:", failed.error.code, failed.error.message)
    for request in preview(f"{order}-render", "other"), preview(f"{order}-wrong", "a/b"):
        try:
            call(jobs.CreatePreview, request)
        except grpc.RpcError as error:
            print("refused:", pictory_jobs.reason(error))
            for wrong in pictory_jobs.field_violations(error):
                print("wrong:", wrong.field, wrong.description)


if __name__ == "__main__":
    channel, stub = pictory_jobs.connect()
    with channel:
        try:
            follow(stub, sys.argv[2]) if sys.argv[1] == "--watch" else story(stub, *sys.argv[1:])
        except grpc.RpcError as error:
            sys.exit(pictory_jobs.explain(error))
        except pictory_jobs.JobFailed as error:
            sys.exit(f"job {error}")
