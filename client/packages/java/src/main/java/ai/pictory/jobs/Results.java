package ai.pictory.jobs;

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
import java.time.Duration;
import java.util.Iterator;

/** What a finished job has left, into files that are there once they are complete. */
public final class Results {
  private static final int ATTEMPTS = 5;

  /** Brings a video, which is plain HTTP, into a file. */
  public static void download(String url, Path path) throws IOException {
    URLConnection answer = URI.create(url).toURL().openConnection();
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
    try (OutputStream file = Files.newOutputStream(partial(path))) {
      for (int failures = 0; ; ) {
        try {
          Iterator<ReadJobResultResponse> chunks = jobs.readJobResult(request.build());
          while (chunks.hasNext()) {
            ReadJobResultResponse chunk = chunks.next();
            chunk.getData().writeTo(file);
            request.setOffset(request.getOffset() + chunk.getData().size());
            failures = 0;
          }
          break;
        } catch (StatusRuntimeException error) {
          Duration pause = Errors.retryAfter(error, failures).orElseThrow(() -> error);
          if (++failures == ATTEMPTS) throw error;
          Thread.sleep(pause.toMillis());
        }
      }
    }
    Files.move(partial(path), path, StandardCopyOption.REPLACE_EXISTING);
  }

  private static Path partial(Path path) {
    return path.resolveSibling(path.getFileName() + ".part");
  }

  private Results() {}
}
