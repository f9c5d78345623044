package com.example;

import ai.pictory.jobs.Connection;
import ai.pictory.jobs.Errors;
import ai.pictory.jobs.Watch;
import ai.pictory.jobs.v1.PictoryJobsGrpc;
import ai.pictory.jobs.v1.WatchJobRequest;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;

/** Prints the version of the package, which is in its file's name, and why a call failed. */
public final class Check {
  public static void main(String[] args) throws Exception {
    Path jar = Path.of(Watch.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    String version = jar.getFileName().toString().replaceAll("pictory-jobs-(.*)\\.jar", "$1");
    ManagedChannel channel = Connection.to(args[0]);
    try {
      WatchJobRequest request = WatchJobRequest.newBuilder().setJobId("no-such-job").build();
      Watch.watch(PictoryJobsGrpc.newBlockingStub(channel), request, job -> {}, error -> {});
    } catch (StatusRuntimeException error) {
      System.out.println(version + " " + Errors.reason(error));
    } finally {
      channel.shutdownNow();
    }
  }

  private Check() {}
}
