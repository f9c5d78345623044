package com.example;

import ai.pictory.jobs.v1.AiVoice;
import ai.pictory.jobs.v1.CreatePreviewRequest;
import ai.pictory.jobs.v1.GenerateImageRequest;
import ai.pictory.jobs.v1.GenerateVideoRequest;
import ai.pictory.jobs.v1.GetJobRequest;
import ai.pictory.jobs.v1.Job;
import ai.pictory.jobs.v1.PictoryJobsGrpc;
import ai.pictory.jobs.v1.Scene;
import ai.pictory.jobs.v1.Storyboard;
import ai.pictory.jobs.v1.VoiceOver;
import ai.pictory.jobs.v1.WatchJobRequest;
import ai.pictory.jobs.v1.WatchJobResponse;
import com.google.protobuf.Any;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.rpc.ErrorInfo;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.Iterator;

/**
 * A caller with code generated from protos/. Prints the last states of a preview, of a picture and of a clip that begins
 * with it, and why a call failed.
 */
public final class Main {
  public static void main(String[] args) throws Exception {
    ManagedChannel channel =
        Grpc.newChannelBuilder(args[0], InsecureChannelCredentials.create()).build();
    PictoryJobsGrpc.PictoryJobsBlockingStub jobs = PictoryJobsGrpc.newBlockingStub(channel);
    Storyboard story =
        Storyboard.newBuilder()
            .setVideoName("demo")
            .addScenes(Scene.newBuilder().setStory("Hello there."))
            .setVoiceOver(
                VoiceOver.newBuilder()
                    .setEnabled(true)
                    .addAiVoices(
                        AiVoice.newBuilder().setSpeaker(Value.newBuilder().setStringValue("Brian"))))
            .setWebhookInput(
                Struct.newBuilder()
                    .putFields("order", Value.newBuilder().setNumberValue(7).build()))
            .build();
    Job preview =
        jobs.createPreview(
                CreatePreviewRequest.newBuilder()
                    .setRequestId("java-" + args[1])
                    .setStoryboard(story)
                    .build())
            .getJob();
    follow(jobs, preview);
    Job picture =
        jobs.generateImage(
                GenerateImageRequest.newBuilder()
                    .setRequestId("java-" + args[1] + "-image")
                    .setPrompt("A calm sea")
                    .setModel("flux-schnell")
                    .setAspectRatio("1:1")
                    .build())
            .getJob();
    picture = follow(jobs, picture);
    Job clip =
        jobs.generateVideo(
                GenerateVideoRequest.newBuilder()
                    .setRequestId("java-" + args[1] + "-video")
                    .setPrompt("Its waves roll in")
                    .setDuration("5s")
                    .setFirstFrameImageUrl(picture.getImage().getUrl())
                    .build())
            .getJob();
    follow(jobs, clip);
    try {
      jobs.getJob(GetJobRequest.newBuilder().setJobId("nobody").build());
    } catch (StatusRuntimeException error) {
      for (Any detail : StatusProto.fromThrowable(error).getDetailsList()) {
        if (detail.is(ErrorInfo.class)) {
          System.out.println(detail.unpack(ErrorInfo.class).getReason());
        }
      }
    }
    channel.shutdownNow();
  }

  private static Job follow(PictoryJobsGrpc.PictoryJobsBlockingStub jobs, Job job) {
    Iterator<WatchJobResponse> events =
        jobs.watchJob(WatchJobRequest.newBuilder().setJobId(job.getJobId()).build());
    while (events.hasNext()) {
      WatchJobResponse event = events.next();
      if (event.hasJob()) {
        job = event.getJob();
      }
    }
    System.out.println(job.getState());
    return job;
  }

  private Main() {}
}
