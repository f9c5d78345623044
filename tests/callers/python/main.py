"""A caller with code generated from protos/. Prints the last states of a preview, of a picture and of a clip that begins
with it, and why a call failed."""

import sys

import grpc
from google.protobuf import struct_pb2
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2  # noqa: F401: registered once only
from grpc_reflection.v1alpha import reflection_pb2  # noqa: F401
from grpc_status import rpc_status
from pictory.jobs.v1 import job_pb2, pictory_jobs_pb2_grpc, storyboard_pb2
from pictory.jobs.v1 import pictory_jobs_pb2 as api



def follow(job):
    for event in jobs.WatchJob(api.WatchJobRequest(job_id=job.job_id)):
        if event.HasField("job"):
            job = event.job
    print(job_pb2.JobState.Name(job.state))
    return job


address, run = sys.argv[1:]
jobs = pictory_jobs_pb2_grpc.PictoryJobsStub(grpc.insecure_channel(address))
story = storyboard_pb2.Storyboard(video_name="demo", scenes=[storyboard_pb2.Scene(story="Hello there.")])
voice = storyboard_pb2.AiVoice(speaker=struct_pb2.Value(string_value="Brian"))
story.voice_over.CopyFrom(storyboard_pb2.VoiceOver(enabled=True, ai_voices=[voice]))
story.webhook_input.update({"order": 7, "tags": ["new"]})
job = jobs.CreatePreview(api.CreatePreviewRequest(request_id=f"python-{run}", storyboard=story)).job
follow(job)
picture = jobs.GenerateImage(api.GenerateImageRequest(
    request_id=f"python-{run}-image", prompt="A calm sea", model="flux-schnell", aspect_ratio="1:1")).job
picture = follow(picture)
clip = jobs.GenerateVideo(api.GenerateVideoRequest(
    request_id=f"python-{run}-video", prompt="Its waves roll in", duration="5s",
    first_frame_image_url=picture.image.url)).job
follow(clip)
try:
    jobs.GetJob(api.GetJobRequest(job_id="nobody"))
except grpc.RpcError as error:
    for detail in rpc_status.from_call(error).details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            print(info.reason)
