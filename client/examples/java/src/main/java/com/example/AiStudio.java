package com.example;

import ai.pictory.jobs.Connection;
import ai.pictory.jobs.Errors;
import ai.pictory.jobs.JobFailed;
import ai.pictory.jobs.Results;
import ai.pictory.jobs.Watch;
import ai.pictory.jobs.v1.*;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;

/**
 * A picture of a prompt, and a clip that begins with it, by Pictory's AI studio.
 *
 * <pre>java -cp target/story.jar com.example.AiStudio ORDER OUT PROMPT</pre>
 *
 * <p>The same order again pays for nothing twice.
 */
public final class AiStudio {
  private static PictoryJobsGrpc.PictoryJobsBlockingStub jobs;

  /** The job, once it has its result. */
  private static Job finish(Job submitted) throws InterruptedException {
    WatchJobRequest request = WatchJobRequest.newBuilder().setJobId(submitted.getJobId()).build();
    return Results.mustSucceed(Watch.watch(jobs, request, job -> {}, lost -> {}));
  }

  private static void make(String order, Path out, String prompt) throws Exception {
    GenerateImageRequest.Builder image = GenerateImageRequest.newBuilder().setRequestId(order + "-image");
    Job picture = finish(jobs.generateImage(image.setPrompt(prompt).setAspectRatio("16:9").build()).getJob());
    System.out.println("picture: " + picture.getJobId());
    Results.download(picture.getImage().getUrl(), out.resolve("picture.jpg"));

    GenerateVideoRequest.Builder video = GenerateVideoRequest.newBuilder().setRequestId(order + "-video");
    video.setPrompt(prompt).setAspectRatio("16:9").setDuration("8s");
    video.setFirstFrameImageUrl(picture.getImage().getUrl());
    Job clip = finish(jobs.generateVideo(video.build()).getJob());
    System.out.println("clip: " + clip.getJobId());
    Results.download(clip.getVideo().getUrl(), out.resolve("clip.mp4"));
    System.out.println("AI credits: " + (picture.getCreditsUsed() + clip.getCreditsUsed()));
  }

  public static void main(String[] args) throws Exception {
    ManagedChannel channel = Connection.to(System.getenv("PICTORY_GATEWAY"));
    jobs = PictoryJobsGrpc.newBlockingStub(channel);
    try {
      make(args[0], Path.of(args[1]), args[2]);
    } catch (StatusRuntimeException error) {
      System.err.println(error.getStatus() + ": " + Errors.reason(error));
      System.exit(5);
    } catch (JobFailed failed) {
      System.err.println("job " + failed.getMessage());
      System.exit(1);
    } finally {
      channel.shutdownNow();
    }
  }

  private AiStudio() {}
}
