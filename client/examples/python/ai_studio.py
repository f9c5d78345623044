"""A picture of a prompt, and a clip that begins with it, by Pictory's AI studio.

    .venv/bin/python ai_studio.py ORDER OUT PROMPT     # the same order again pays for nothing twice
"""

import sys

import grpc

import pictory_jobs
from pictory.jobs.v1 import pictory_jobs_pb2 as api
from pictory_jobs import call, must_succeed


def finish(jobs, submitted):
    """The job, once it has its result."""
    for job in pictory_jobs.watch(jobs, submitted.job.job_id):
        pass  # each of its states
    return must_succeed(job)


def make(jobs, order, out, prompt):
    image = api.GenerateImageRequest(request_id=f"{order}-image", prompt=prompt, aspect_ratio="16:9")
    picture = finish(jobs, call(jobs.GenerateImage, image))
    print("picture:", picture.job_id)
    pictory_jobs.download(picture.image.url, f"{out}/picture.jpg")

    video = api.GenerateVideoRequest(request_id=f"{order}-video", prompt=prompt, aspect_ratio="16:9", duration="8s",
                                     first_frame_image_url=picture.image.url)
    clip = finish(jobs, call(jobs.GenerateVideo, video))
    print("clip:", clip.job_id)
    pictory_jobs.download(clip.video.url, f"{out}/clip.mp4")
    print("AI credits:", picture.credits_used + clip.credits_used)


if __name__ == "__main__":
    channel, stub = pictory_jobs.connect()
    with channel:
        try:
            make(stub, *sys.argv[1:])
        except grpc.RpcError as error:
            sys.exit(pictory_jobs.explain(error))
        except pictory_jobs.JobFailed as error:
            sys.exit(f"job {error}")
