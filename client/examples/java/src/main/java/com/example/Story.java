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
import java.util.List;

/**
 * From text to a video, from speech to its summary, and what goes wrong on the way.
 *
 * <p>java -jar target/story.jar ORDER OUT MEDIA (the same order again pays for nothing twice), or --watch JOB to go on
 * where another run stopped.
 */
public final class Story {
  private static PictoryJobsGrpc.PictoryJobsBlockingStub jobs;

  /** The job in its final state. A failed job is data: it says why. */
  private static Job follow(String id) throws InterruptedException {
    return Watch.watch(
        jobs,
        WatchJobRequest.newBuilder().setJobId(id).build(),
        job -> System.out.println(id + " " + job.getRevision() + " " + job.getState()),
        error -> System.out.println(id + " connection lost (" + error.getStatus() + "); trying again"));
  }

  /** Of a submit whose job must have its result. */
  private static Job finish(Job submitted) throws InterruptedException {
    return Results.mustSucceed(follow(submitted.getJobId()));
  }

  private static CreatePreviewRequest preview(String requestId, String name) {
    Scene.Builder scene = Scene.newBuilder().setCreateSceneOnEndOfSentence(true);
    scene.setStory("A gateway takes a story. It hands it to Pictory once.");
    Storyboard.Builder board = Storyboard.newBuilder().setVideoName(name).addScenes(scene);
    return CreatePreviewRequest.newBuilder().setRequestId(requestId).setStoryboard(board).build();
  }

  private static void story(String order, Path out, String media) throws Exception {
    Job made = finish(jobs.createPreview(preview(order + "-preview", order)).getJob());
    RenderRequest render =
        RenderRequest.newBuilder().setRequestId(order + "-render").setPreviewJobId(made.getJobId()).build();
    Job video = finish(jobs.render(render).getJob());
    Results.download(video.getRender().getVideoUrl(), out.resolve("video.mp4"));

    TranscribeRequest transcribe =
        TranscribeRequest.newBuilder().setRequestId(order + "-transcribe").setFileUrl(media).build();
    Job speech = finish(jobs.transcribe(transcribe).getJob());
    Results.readPart(
        jobs, speech.getJobId(), ResultPart.RESULT_PART_TRANSCRIPT_JSON, out.resolve("talk.json"));
    SummarizeRequest.Builder summarize = SummarizeRequest.newBuilder().setRequestId(order + "-summarize");
    summarize.setTranscriptionJobId(speech.getJobId()).setHighlightDurationSeconds(20);
    Job summary = finish(jobs.summarize(summarize.build()).getJob());
    System.out.println("summary: " + summary.getSummary().getSummaryText());

    Job again = jobs.render(render).getJob(); // the same request_id: the same job, paid once
    System.out.println("the same render: " + again.getJobId().equals(video.getJobId()));
    Job failed = follow(jobs.createPreview(preview(order + "-fail", "sandbox-fail")).getJob().getJobId());
    System.out.println("failed: " + failed.getError().getCode() + " " + failed.getError().getMessage());
    for (var request : List.of(preview(order + "-render", "other"), preview(order + "-wrong", "a/b"))) {
      try {
        jobs.createPreview(request);
      } catch (StatusRuntimeException error) {
        System.out.println("refused: " + Errors.reason(error));
        for (var wrong : Errors.fieldViolations(error)) {
          System.out.println("wrong: " + wrong.getField() + " " + wrong.getDescription());
        }
      }
    }
  }

  public static void main(String[] args) throws Exception {
    ManagedChannel channel = Connection.to(System.getenv("PICTORY_GATEWAY"));
    jobs = PictoryJobsGrpc.newBlockingStub(channel);
    try {
      if (args[0].equals("--watch")) follow(args[1]);
      else story(args[0], Path.of(args[1]), args[2]);
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
}
