"""From text to a playable video, from speech to its summary, and from a prompt to a picture that moves.

    PYTHONPATH=build .venv/bin/python story.py
    PYTHONPATH=build .venv/bin/python story.py --watch JOB     # go on where another run stopped

Exit status: 0 succeeded, 1 a job failed, 2 usage or a file, 3 no such job, 5 gateway unreachable or
call refused, 6 outcome unknown (do not resubmit), 130 interrupted (the jobs go on).
"""

import argparse
import pathlib
import sys
import uuid

import grpc

import pictory_jobs
from pictory.jobs.v1 import job_pb2, storyboard_pb2
from pictory.jobs.v1 import pictory_jobs_pb2 as api

STORY = ("A gateway takes a story. It hands the story to Pictory once, and only once. "
         "It watches the job while the video is made. Then it tells everybody who waits.")


class Ended(Exception):
    """A job that did not succeed. That is no error of the call: the job says why."""

    def __init__(self, job, code, text):
        super().__init__(text)
        self.job, self.code = job, code


def say(text):
    print(text, flush=True)


def state(job):
    return job_pb2.JobState.Name(job.state).removeprefix("JOB_STATE_")


def follow(stub, job_id):
    """The job, once it has SUCCEEDED."""
    def lost(error):
        say(f"{job_id}  connection lost ({error.details()}); trying again")

    for job in pictory_jobs.watch(stub, job_id, on_reconnect=lost):
        percent = f" {job.progress_percent:.0f} %" if job.HasField("progress_percent") else ""
        say(f"{job_id}  {state(job)}{percent}")
        if job.state == job_pb2.JOB_STATE_UNCONFIRMED:
            # Submitting it again might pay for it twice. It can be watched on: the watch tells once
            # the job is found at Pictory, or a person has resolved it.
            raise Ended(job, 6, "Pictory did not say whether it took this job; it may be working on it, and "
                        f"bill it. Do not submit it again; resolve it with: pictory resolve {job_id}")
    if job.state == job_pb2.JOB_STATE_SUCCEEDED:
        return job
    if job.state == job_pb2.JOB_STATE_OUTCOME_UNKNOWN:
        raise Ended(job, 6, "what became of this job will never be known; it may have been billed")
    raise Ended(job, 1, f"{job.error.code}: {job.error.message}")


def submit(stub, method, request):
    """Submits and follows. The request_id makes the submit safe to repeat, by us or by a later run."""
    job = pictory_jobs.call(method, request).job
    say(f"{job.job_id}  {job_pb2.JobKind.Name(job.kind).removeprefix('JOB_KIND_').lower()} submitted")
    return follow(stub, job.job_id)


def make_video(stub, options):
    request = api.CreatePreviewRequest(
        request_id=f"{options.order}-preview", labels={"order": options.order})
    if options.storyboard:  # Pictory's own JSON, sent as it is; the gateway refuses misspelt keys
        request.storyboard_json = options.storyboard.read_text()
    else:
        request.storyboard.CopyFrom(storyboard_pb2.Storyboard(
            video_name=options.name,
            aspect_ratio="16:9",
            scenes=[storyboard_pb2.Scene(story=options.text, create_scene_on_end_of_sentence=True)]))
    preview = submit(stub, stub.CreatePreview, request)
    say(f"preview: {preview.preview.preview_url}")

    render = submit(stub, stub.Render, api.RenderRequest(
        request_id=f"{options.order}-render", labels={"order": options.order},
        preview_job_id=preview.job_id))
    file = options.out / "video.mp4"
    pictory_jobs.download(render.render.video_url, file)
    say(f"video: {file} ({file.stat().st_size} bytes)")


def make_summary(stub, options):
    transcription = submit(stub, stub.Transcribe, api.TranscribeRequest(
        request_id=f"{options.order}-transcribe", file_url=options.media))
    file = options.out / "talk.srt"
    pictory_jobs.read_part(stub, transcription.job_id, job_pb2.RESULT_PART_SRT, file)
    say(f"subtitles: {file} ({file.stat().st_size} bytes)")

    summary = submit(stub, stub.Summarize, api.SummarizeRequest(
        request_id=f"{options.order}-summarize", transcription_job_id=transcription.job_id,
        highlight_duration_seconds=20)).summary
    say(f"summary of {summary.summary_duration_seconds:.0f} s: {summary.summary_text}")


def make_visuals(stub, options):
    picture = submit(stub, stub.GenerateImage, api.GenerateImageRequest(
        request_id=f"{options.order}-image", prompt=options.prompt, aspect_ratio="16:9")).image
    file = options.out / "picture.jpg"
    pictory_jobs.download(picture.url, file)
    say(f"picture: {file} ({picture.width} x {picture.height})")

    # The clip begins with the picture.
    clip = submit(stub, stub.GenerateVideo, api.GenerateVideoRequest(
        request_id=f"{options.order}-clip", prompt=options.prompt, aspect_ratio="16:9", duration="5s",
        first_frame_image_url=picture.url)).video
    file = options.out / "clip.mp4"
    pictory_jobs.download(clip.url, file)
    say(f"clip: {file} ({file.stat().st_size} bytes)")


def arguments():
    parser = argparse.ArgumentParser(
        description="From text to a video and from speech to a summary. PICTORY_GATEWAY names the server.")
    parser.add_argument("--watch", metavar="JOB", help="only watch this job to its end")
    parser.add_argument("--order", default=str(uuid.uuid4()),
                        help="your own id of this work: run again with the same one, nothing is paid twice")
    parser.add_argument("--name", default="demo", help="name of the video")
    parser.add_argument("--text", default=STORY, help="the story")
    parser.add_argument("--storyboard", metavar="FILE", type=pathlib.Path,
                        help="JSON as Pictory documents it, instead of --name and --text")
    parser.add_argument("--media", default="https://media.example.com/talk.mp4", help="what to transcribe")
    parser.add_argument("--prompt", help="make a picture of this too, and a clip that begins with it")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("out"), help="folder for the files")
    return parser.parse_args()


def main():
    options = arguments()
    channel, stub = pictory_jobs.connect()
    with channel:
        try:
            if options.watch:
                follow(stub, options.watch)
                return 0
            options.out.mkdir(parents=True, exist_ok=True)
            say(f"order {options.order}")
            make_video(stub, options)
            make_summary(stub, options)
            if options.prompt:
                make_visuals(stub, options)
            return 0
        except Ended as ended:
            print(f"job {ended.job.job_id} {state(ended.job)}: {ended}", file=sys.stderr)
            return ended.code
        except grpc.RpcError as error:
            print(pictory_jobs.explain(error), file=sys.stderr)
            return 3 if error.code() == grpc.StatusCode.NOT_FOUND else 5
        except OSError as error:
            print(error, file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print("interrupted; the jobs go on, and --watch JOB follows one", file=sys.stderr)
            return 130


if __name__ == "__main__":
    sys.exit(main())
