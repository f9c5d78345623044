package com.example;

import ai.pictory.jobs.Connection;
import ai.pictory.jobs.JobFailed;
import ai.pictory.jobs.Limits;
import ai.pictory.jobs.Results;
import ai.pictory.jobs.Watch;
import ai.pictory.jobs.WatchJobs;
import ai.pictory.jobs.v1.GetJobRequest;
import ai.pictory.jobs.v1.Job;
import ai.pictory.jobs.v1.PictoryJobsGrpc;
import ai.pictory.jobs.v1.PictoryJobsGrpc.PictoryJobsBlockingStub;
import ai.pictory.jobs.v1.RenderRequest;
import ai.pictory.jobs.v1.RenderResponse;
import ai.pictory.jobs.v1.ResultPart;
import ai.pictory.jobs.v1.WatchJobRequest;
import ai.pictory.jobs.v1.WatchJobsRequest;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;

/**
 * Prints what becomes of jobs that failed, and of servers that say nothing.
 *
 * <p>Bounds GATEWAY HOLE URL STUCK FAILED FAKE SECURE AUTHORITY (tests/packages/run says what they are)
 */
public final class Bounds {
  private static final int ATTEMPTS = 4;
  private static int lost;

  private static String file(String url) throws IOException {
    Path path = Path.of("got");
    Files.deleteIfExists(path);
    try {
      Results.download(url, path);
    } catch (IOException error) {
      return Files.exists(path) ? "a piece" : "ended";
    }
    return Files.readString(path);
  }

  public static void main(String[] args) throws Exception {
    Limits.silence = Duration.ofMillis(500);
    Limits.patience = Duration.ofMillis(1500);
    PictoryJobsBlockingStub jobs = PictoryJobsGrpc.newBlockingStub(Connection.to(args[0]));
    PictoryJobsBlockingStub nobody = PictoryJobsGrpc.newBlockingStub(Connection.to(args[1]));
    try {
      Results.mustSucceed(jobs.getJob(GetJobRequest.newBuilder().setJobId(args[4]).build()).getJob());
    } catch (JobFailed failed) {
      System.out.println(failed.getMessage());
    }
    try {
      Watch.watch(nobody, WatchJobRequest.newBuilder().setJobId("j").build(), job -> {}, error -> {});
    } catch (StatusRuntimeException error) {
      System.out.println("hole ended");
    }
    Limits.patience = Duration.ofMinutes(1);
    Context.CancellableContext caller = Context.current().withCancellation();
    Context before = caller.attach();
    try {
      WatchJobRequest stuck = WatchJobRequest.newBuilder().setJobId(args[3]).build();
      Watch.watch(jobs, stuck, job -> {}, error -> { if (++lost == 2) caller.cancel(null); }); // in the pause
    } catch (StatusRuntimeException error) {
      System.out.println("silent lost " + lost);
    } finally {
      caller.detachAndCancel(before, null);
    }
    System.out.println("download " + file(args[2] + "/silent"));
    System.out.println("halves " + file(args[2] + "/halves") + " " + file(args[2] + "/halves"));
    told(args[5]);
    downloads(args[2]);
    ManagedChannel plain = Connection.to(args[5]);
    callAll(PictoryJobsGrpc.newBlockingStub(plain));
    plain.shutdownNow();
    ManagedChannel safe =
        Connection.to(args[6], TlsChannelCredentials.newBuilder().trustManager(new File(args[7])).build());
    System.out.println("secure " + get(PictoryJobsGrpc.newBlockingStub(safe), "").getJobId());
    safe.shutdownNow();
    again(args[1]);
    System.exit(0);
  }

  /** Each method of the stub. */
  private static void callAll(PictoryJobsBlockingStub jobs) throws Exception {
    for (Method method : PictoryJobsBlockingStub.class.getDeclaredMethods()) {
      if (method.getParameterCount() != 1 || !method.getParameterTypes()[0].getName().endsWith("Request")) continue;
      Object request = method.getParameterTypes()[0].getMethod("getDefaultInstance").invoke(null);
      if (method.invoke(jobs, request) instanceof Iterator<?> messages) messages.hasNext(); // or it is not begun
    }
  }

  /** A channel that counts how often its pause is cut short. */
  private static final class Counting extends ManagedChannel {
    private final ManagedChannel under;
    private int resets;

    Counting(ManagedChannel under) {
      this.under = under;
    }

    @Override
    public void resetConnectBackoff() {
      resets++;
      under.resetConnectBackoff();
    }

    @Override
    public <Q, A> ClientCall<Q, A> newCall(MethodDescriptor<Q, A> method, CallOptions options) {
      return under.newCall(method, options);
    }

    @Override
    public String authority() {
      return under.authority();
    }

    @Override
    public ManagedChannel shutdown() {
      return under.shutdown();
    }

    @Override
    public ManagedChannel shutdownNow() {
      return under.shutdownNow();
    }

    @Override
    public boolean isShutdown() {
      return under.isShutdown();
    }

    @Override
    public boolean isTerminated() {
      return under.isTerminated();
    }

    @Override
    public boolean awaitTermination(long time, TimeUnit unit) throws InterruptedException {
      return under.awaitTermination(time, unit);
    }
  }

  /** Each attempt but the first connects anew, whether or not gRPC's pauses, which grow, are over. */
  private static void again(String hole) throws Exception {
    Limits.silence = Duration.ofMillis(200);
    Counting channel = new Counting(Connection.to(hole));
    int[] attempts = {0};
    try {
      Watch.watch(PictoryJobsGrpc.newBlockingStub(channel), watched("j").build(), job -> {}, error -> {
        if (++attempts[0] == ATTEMPTS) throw new IllegalStateException();
      });
    } catch (IllegalStateException enough) {
      System.out.println("again " + channel.resets);
    }
    channel.shutdownNow();
  }

  private static WatchJobRequest.Builder watched(String id) {
    return WatchJobRequest.newBuilder().setJobId(id);
  }

  private static String code(Callable<?> act) throws Exception {
    try {
      return "" + act.call();
    } catch (StatusRuntimeException error) {
      return "" + error.getStatus().getCode();
    }
  }

  private static Job get(PictoryJobsBlockingStub jobs, String id) {
    return jobs.getJob(GetJobRequest.newBuilder().setJobId(id).build()).getJob();
  }

  private static long left() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("."))) {
      return files.filter(file -> file.getFileName().toString().startsWith("got")).count();
    }
  }

  /** What becomes of the answers of tests/packages/fake.py. */
  private static void told(String address) throws Exception {
    Files.deleteIfExists(Path.of("got"));
    Limits.silence = Duration.ofSeconds(3);
    Limits.patience = Duration.ofMinutes(10);
    ManagedChannel channel = Connection.to(address);
    PictoryJobsBlockingStub jobs = PictoryJobsGrpc.newBlockingStub(channel);
    StringBuilder seen = new StringBuilder();
    AtomicReference<Future<RenderResponse>> next = new AtomicReference<>();
    Watch.watch(jobs, watched("kept").build(), job -> {
      seen.append(" ").append(job.getRevision());
      RenderRequest render = RenderRequest.newBuilder().setRequestId("next").build();
      if (Results.isFinal(job.getState())) next.set(PictoryJobsGrpc.newFutureStub(channel).render(render));
    }, error -> seen.append(" lost"));
    System.out.println("kept" + seen);
    System.out.println("next " + next.get().get().getJob().getJobId());
    seen.setLength(0);
    Watch.watch(jobs, watched("short").build(), job -> seen.append(" ").append(job.getRevision()), error -> {});
    System.out.println("short" + seen);
    Job final_ = Watch.watch(jobs, watched("seen").setAfterRevision(7).build(), job -> {}, error -> {});
    System.out.println("seen " + final_.getRevision());
    try {
      Watch.watch(jobs, watched("mute").build(), job -> {}, error -> {
        String why = error.getStatus().getDescription();
        System.out.println("mute " + error.getStatus().getCode() + (why.contains("said nothing for 3.0 s") ? " said" : why));
        throw new IllegalStateException();
      });
    } catch (IllegalStateException enough) {
      System.out.println("mute ended");
    }
    for (String part : List.of("broken", "cut", "silent", "shifted", "changed", "dead")) {
      Path got = Path.of("got");
      System.out.println(part + " " + code(() -> {
        Results.readPart(jobs, part, ResultPart.RESULT_PART_TXT, got);
        return Files.readString(got);
      }));
      Files.deleteIfExists(got);
    }
    System.out.println("dead " + get(jobs, "dead").getRevision());
    for (String state : List.of("UNCONFIRMED", "CANCELLED")) {
      try {
        Results.mustSucceed(get(jobs, state));
      } catch (JobFailed failed) {
        System.out.println(failed.getMessage());
      }
    }
    Limits.silence = Duration.ofMinutes(1);
    FutureTask<?> read = new FutureTask<>(() -> {
      Results.readPart(jobs, "hang", ResultPart.RESULT_PART_TXT, Path.of("got"));
      return null;
    });
    Thread reader = new Thread(read);
    reader.start();
    get(jobs, "hang");
    reader.interrupt();
    try {
      read.get();
    } catch (ExecutionException error) {
      if (error.getCause() instanceof InterruptedException) System.out.println("hang cancelled, left " + left());
    }
    seen.setLength(0);
    WatchJobsRequest many = WatchJobsRequest.newBuilder().putLabels("case", "many").build();
    try {
      WatchJobs.watch(jobs, many, event -> {
        seen.append(event.hasJob() ? " " + event.getJob().getRevision() : event.hasGoneJobId() ? " gone" : " started");
        if (event.hasGoneJobId()) throw new IllegalStateException();
      }, error -> {});
    } catch (IllegalStateException enough) {
      System.out.println("many" + seen);
    }
    PictoryJobsBlockingStub hasty = jobs.withDeadlineAfter(300, TimeUnit.MILLISECONDS);
    System.out.println("deadline " + code(() -> Watch.watch(hasty, watched("mute").build(), job -> {}, error -> {})));
    code(() -> Watch.watch(jobs, watched("mute").build(), job -> channel.shutdownNow(), error -> {}));
    System.out.println("closing ended");
    code(() -> Watch.watch(jobs, watched("mute").build(), job -> {}, error -> {}));
    System.out.println("closed ended");
  }

  /** Two into one file, and one that is given up. */
  private static void downloads(String url) throws Exception {
    Path got = Path.of("got");
    FutureTask<?> first = new FutureTask<>(() -> {
      Results.download(url + "/first", got);
      return null;
    });
    new Thread(first).start();
    Results.download(url + "/second", got);
    Results.download(url + "/go", Path.of("went"));
    first.get();
    System.out.println("two " + Files.readString(got) + " left " + left());
  }

  private Bounds() {}
}
