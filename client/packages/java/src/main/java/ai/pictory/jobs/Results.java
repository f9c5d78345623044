package ai.pictory.jobs;

import ai.pictory.jobs.v1.Job;
import ai.pictory.jobs.v1.JobState;
import ai.pictory.jobs.v1.PictoryJobsGrpc.PictoryJobsBlockingStub;
import ai.pictory.jobs.v1.ReadJobResultRequest;
import ai.pictory.jobs.v1.ReadJobResultResponse;
import ai.pictory.jobs.v1.ResultPart;
import io.grpc.Status;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/** What a finished job has left, into files that are there once they are complete. */
public final class Results {
  /** The job, which has its result; throws JobFailed if it has none. */
  public static Job mustSucceed(Job job) {
    if (job.getState() != JobState.JOB_STATE_SUCCEEDED) throw new JobFailed(job);
    return job;
  }

  /** Whether a job stays in this state. One that a newer gateway has, and this package does not know, is not final. */
  public static boolean isFinal(JobState state) {
    return switch (state) {
      case JOB_STATE_SUCCEEDED, JOB_STATE_FAILED, JOB_STATE_EXPIRED, JOB_STATE_CLEANED, JOB_STATE_OUTCOME_UNKNOWN,
          JOB_STATE_CANCELLED -> true;
      default -> false;
    };
  }

  /**
   * Brings a video, which is plain HTTP, into a file. It comes in one answer or not at all: the rest of a second one
   * could be another video's. An interrupt ends it with the next bytes, or silence does.
   */
  public static void download(String url, Path path) throws IOException {
    URLConnection answer = URI.create(url).toURL().openConnection();
    answer.setConnectTimeout((int) Limits.silence.toMillis());
    answer.setReadTimeout((int) Limits.silence.toMillis()); // of each read
    try (InputStream video = answer.getInputStream()) {
      into(path, file -> {
        long came = copy(video, file);
        long length = answer.getContentLengthLong();
        if (length >= 0 && came != length) { // a connection that breaks off is no error there
          throw new IOException(url + ": " + came + " of " + length + " bytes came");
        }
      });
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException(url);
    }
  }

  private static long copy(InputStream from, OutputStream to) throws IOException, InterruptedException {
    byte[] bytes = new byte[1 << 16];
    long came = 0;
    for (int more; (more = from.read(bytes)) >= 0; came += more) {
      if (Thread.interrupted()) throw new InterruptedException();
      to.write(bytes, 0, more);
    }
    return came;
  }

  /** Streams one part of a finished job's result into a file, and goes on where a connection broke. */
  public static void readPart(PictoryJobsBlockingStub jobs, String jobId, ResultPart part, Path path)
      throws IOException, InterruptedException {
    into(path, file -> {
      ReadJobResultRequest.Builder request = ReadJobResultRequest.newBuilder().setJobId(jobId).setPart(part);
      Patience patience = new Patience(jobs, Limits.ATTEMPTS);
      for (int total = -1; request.getOffset() != total; ) {
        try (Attempt<ReadJobResultResponse> chunks = new Attempt<>(() -> jobs.readJobResult(request.build()))) {
          while (request.getOffset() != total && chunks.hasNext()) {
            ReadJobResultResponse chunk = chunks.next();
            total = check(chunk, request.getOffset(), total);
            chunk.getData().writeTo(file);
            request.setOffset(request.getOffset() + chunk.getData().size());
            if (!chunk.getData().isEmpty()) patience.heard();
          }
          if (total < 0) return; // the part is empty
          if (request.getOffset() < total) {
            throw new Attempt.Lost("the result ended after " + request.getOffset() + " of " + total + " bytes");
          }
        } catch (Attempt.Lost lost) {
          patience.pauseAfter(lost.error, again -> {});
        }
      }
    });
  }

  /** The length of the whole, if the piece belongs there. */
  private static int check(ReadJobResultResponse chunk, int offset, int total) {
    boolean fits = chunk.getOffset() == offset && chunk.getData().size() <= chunk.getTotalBytes() - offset;
    if (!fits || (total >= 0 && chunk.getTotalBytes() != total)) {
      throw Status.DATA_LOSS.withDescription("the pieces of the result do not fit together").asRuntimeException();
    }
    return chunk.getTotalBytes();
  }

  private interface Write {
    void to(OutputStream file) throws IOException, InterruptedException;
  }

  /** A file that is there once it is complete. Until then it has a name that nobody else writes to. */
  private static void into(Path path, Write write) throws IOException, InterruptedException {
    Path partial = path.resolveSibling(path.getFileName() + "." + UUID.randomUUID() + ".part");
    try {
      try (OutputStream file = Files.newOutputStream(partial, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        write.to(file);
      }
      Files.move(partial, path, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(partial);
    }
  }

  private Results() {}
}
