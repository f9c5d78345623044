package ai.pictory.jobs;

import ai.pictory.jobs.v1.Job;
import ai.pictory.jobs.v1.JobState;
import ai.pictory.jobs.v1.PictoryJobsGrpc.PictoryJobsBlockingStub;
import ai.pictory.jobs.v1.ReadJobResultRequest;
import ai.pictory.jobs.v1.ReadJobResultResponse;
import ai.pictory.jobs.v1.ResultPart;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Iterator;

/** What a finished job has left, into files that are there once they are complete. */
public final class Results {
  /** The job, which has its result; throws JobFailed if it has none. */
  public static Job mustSucceed(Job job) {
    if (job.getState() != JobState.JOB_STATE_SUCCEEDED) throw new JobFailed(job);
    return job;
  }

  /**
   * Brings a video, which is plain HTTP, into a file. It comes in one answer or not at all: the rest of a second one
   * could be another video's. An interrupt does not end it, silence does.
   */
  public static void download(String url, Path path) throws IOException {
    URLConnection answer = URI.create(url).toURL().openConnection();
    answer.setConnectTimeout((int) Limits.silence.toMillis());
    answer.setReadTimeout((int) Limits.silence.toMillis()); // of each read
    try (InputStream video = answer.getInputStream()) {
      long came = Files.copy(video, partial(path), StandardCopyOption.REPLACE_EXISTING);
      long length = answer.getContentLengthLong();
      if (length >= 0 && came != length) { // a connection that breaks off is no error there
        throw new IOException(url + ": " + came + " of " + length + " bytes came");
      }
    }
    Files.move(partial(path), path, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Streams one part of a finished job's result into a file, and goes on where a connection broke. */
  public static void readPart(PictoryJobsBlockingStub jobs, String jobId, ResultPart part, Path path)
      throws IOException, InterruptedException {
    ReadJobResultRequest.Builder request = ReadJobResultRequest.newBuilder().setJobId(jobId).setPart(part);
    Patience patience = new Patience(Limits.ATTEMPTS);
    try (OutputStream file = Files.newOutputStream(partial(path))) {
      while (!readTo(file, jobs, request, patience)) {}
    }
    Files.move(partial(path), path, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Reads from the request's offset on, and moves it; whether that was all. */
  private static boolean readTo(OutputStream file, PictoryJobsBlockingStub jobs, ReadJobResultRequest.Builder request,
      Patience patience) throws IOException, InterruptedException {
    try (Attempt attempt = new Attempt()) {
      Iterator<ReadJobResultResponse> chunks = jobs.readJobResult(request.build());
      while (attempt.hasNext(chunks)) {
        ReadJobResultResponse chunk = chunks.next();
        chunk.getData().writeTo(file);
        request.setOffset(request.getOffset() + chunk.getData().size());
        patience.heard();
      }
      return true;
    } catch (StatusRuntimeException error) {
      patience.pauseAfter(error, again -> {});
      return false;
    }
  }

  private static Path partial(Path path) {
    return path.resolveSibling(path.getFileName() + ".part");
  }

  private Results() {}
}
