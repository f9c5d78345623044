package ai.pictory.jobs;

import java.time.Duration;

/** How long the package waits. Set them before the first call. */
public final class Limits {
  /** How long a stream or a download may bring nothing. The gateway sends a watch a heartbeat every 25 s. */
  public static volatile Duration silence = Duration.ofSeconds(75);

  /** How long a watch looks for a gateway that has gone. */
  public static volatile Duration patience = Duration.ofMinutes(10);

  static final Duration KEEPALIVE = Duration.ofSeconds(30);
  static final Duration KEEPALIVE_ANSWER = Duration.ofSeconds(10);
  static final int ATTEMPTS = 5; // of a read that gets no further

  private Limits() {}
}
