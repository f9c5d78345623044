package ai.pictory.jobs;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/** What an error of a call says beyond its code. */
public final class Errors {
  private static final String DOMAIN = "pictory-gateway"; // of all that the gateway itself says
  private static final long FIRST_DELAY_MS = 200;
  private static final long MAX_DELAY_MS = 5_000;

  /** The gateway's word for what went wrong, such as JOB_NOT_FOUND; empty if the gateway did not say it. */
  public static String reason(StatusRuntimeException error) {
    return detail(error, ErrorInfo.class)
        .filter(info -> info.getDomain().equals(DOMAIN))
        .map(ErrorInfo::getReason)
        .orElse("");
  }

  /** The fields of the request that are wrong, by their paths in the proto, and what to do. */
  public static List<BadRequest.FieldViolation> fieldViolations(StatusRuntimeException error) {
    return detail(error, BadRequest.class).map(BadRequest::getFieldViolationsList).orElse(List.of());
  }

  /**
   * When an equal call may succeed, after so many failures in a row; empty if it never does. A submit that is repeated
   * must have a request_id. Where the way to the gateway broke, gRPC's library or a proxy says so, by any of five
   * codes.
   */
  public static Optional<Duration> retryAfter(StatusRuntimeException error, int failures) {
    Optional<RetryInfo> retry = detail(error, RetryInfo.class);
    if (retry.isPresent()) {
      long told = retry.get().getRetryDelay().getSeconds() * 1000 + retry.get().getRetryDelay().getNanos() / 1_000_000;
      return Optional.of(Duration.ofMillis(told + random(Math.min(1000, told / 5))));
    }
    switch (error.getStatus().getCode()) {
      case UNAVAILABLE:
        break;
      case INTERNAL:
      case UNKNOWN:
      case CANCELLED:
      case DEADLINE_EXCEEDED:
        if (reason(error).isEmpty()) break;
        return Optional.empty();
      default:
        return Optional.empty();
    }
    long ceiling = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS << Math.min(failures + 1, 10));
    return Optional.of(Duration.ofMillis(FIRST_DELAY_MS + random(ceiling - FIRST_DELAY_MS)));
  }

  private static long random(long most) {
    return ThreadLocalRandom.current().nextLong(most + 1);
  }

  private static <T extends Message> Optional<T> detail(StatusRuntimeException error, Class<T> kind) {
    for (Any packed : StatusProto.fromThrowable(error).getDetailsList()) {
      if (packed.is(kind)) {
        try {
          return Optional.of(packed.unpack(kind));
        } catch (InvalidProtocolBufferException broken) {
          return Optional.empty();
        }
      }
    }
    return Optional.empty();
  }

  private Errors() {}
}
