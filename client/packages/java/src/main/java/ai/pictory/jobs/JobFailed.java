package ai.pictory.jobs;

import ai.pictory.jobs.v1.Job;

/** A job that has ended, and not with SUCCEEDED. Pictory's reason is the message. */
public final class JobFailed extends RuntimeException {
  private final transient Job job;

  JobFailed(Job job) {
    super((job.getJobId() + " " + job.getState() + " " + job.getError().getCode() + " " + job.getError().getMessage())
        .replace("JOB_STATE_", "").strip());
    this.job = job;
  }

  public Job job() {
    return job;
  }
}
