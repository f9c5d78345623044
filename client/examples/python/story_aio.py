"""The story of story.py for asyncio: the video and the summary are made at the same time."""

import asyncio
import sys

import grpc

from pictory.jobs.v1 import job_pb2, storyboard_pb2
from pictory.jobs.v1 import pictory_jobs_pb2 as api
from pictory_jobs import JobFailed, aio, explain, field_violations, must_succeed, reason


async def follow(jobs, job_id):
    """The job in its final state. A failed job is data: it says why."""
    def lost(error):
        print(f"{job_id} connection lost ({error.details()}); trying again", flush=True)

    async for job in aio.watch(jobs, job_id, on_reconnect=lost):
        print(f"{job_id} {job.revision} {job_pb2.JobState.Name(job.state).removeprefix('JOB_STATE_')}", flush=True)
    return job


async def submit(jobs, method, request):
    return await follow(jobs, (await aio.call(method, request)).job.job_id)


def preview(request_id, name):
    scene = storyboard_pb2.Scene(story="A gateway takes a story. It hands it to Pictory once.",
                                 create_scene_on_end_of_sentence=True)
    return api.CreatePreviewRequest(
        request_id=request_id, storyboard=storyboard_pb2.Storyboard(video_name=name, scenes=[scene]))


async def make_video(jobs, order, out):
    made = must_succeed(await submit(jobs, jobs.CreatePreview, preview(f"{order}-preview", order)))
    render = api.RenderRequest(request_id=f"{order}-render", preview_job_id=made.job_id)
    video = must_succeed(await submit(jobs, jobs.Render, render))
    await aio.download(video.render.video_url, f"{out}/video.mp4")
    again = (await aio.call(jobs.Render, render)).job  # the same request_id: the same job, paid once
    print("the same render:", str(again.job_id == video.job_id).lower())


async def make_summary(jobs, order, out, media):
    transcribe = api.TranscribeRequest(request_id=f"{order}-transcribe", file_url=media)
    speech = must_succeed(await submit(jobs, jobs.Transcribe, transcribe))
    await aio.read_part(jobs, speech.job_id, job_pb2.RESULT_PART_TRANSCRIPT_JSON, f"{out}/talk.json")
    made = await submit(jobs, jobs.Summarize, api.SummarizeRequest(
        request_id=f"{order}-summarize", transcription_job_id=speech.job_id, highlight_duration_seconds=20))
    print("summary:", must_succeed(made).summary.summary_text)


async def story(jobs, order, out, media):
    await asyncio.gather(make_video(jobs, order, out), make_summary(jobs, order, out, media))
    failed = await submit(jobs, jobs.CreatePreview, preview(f"{order}-fail", "sandbox-fail"))
    print("failed:", failed.error.code, failed.error.message)
    for request in (preview(f"{order}-render", "other"), preview(f"{order}-wrong", "a/b")):
        try:
            await aio.call(jobs.CreatePreview, request)
        except grpc.RpcError as error:
            print("refused:", reason(error))
            for wrong in field_violations(error):
                print("wrong:", wrong.field, wrong.description)


async def main():
    channel, jobs = aio.connect()
    async with channel:
        await (follow(jobs, sys.argv[2]) if sys.argv[1] == "--watch" else story(jobs, *sys.argv[1:]))


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except grpc.RpcError as error:
        sys.exit(explain(error))
    except JobFailed as error:
        sys.exit(f"job {error}")
