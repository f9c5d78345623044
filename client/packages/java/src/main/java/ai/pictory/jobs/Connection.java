package ai.pictory.jobs;

import com.google.gson.Gson;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Connections with the service config. */
public final class Connection {
  private static final int MAX_ANSWER_BYTES = 64 << 20;

  /** A channel without TLS to host:port, for the generated stubs. Shut it down in the end. */
  public static ManagedChannel to(String target) {
    return to(target, InsecureChannelCredentials.create());
  }

  /** One with credentials, such as those of TlsChannelCredentials. */
  public static ManagedChannel to(String target, ChannelCredentials credentials) {
    return Grpc.newChannelBuilder(target, credentials)
        .defaultServiceConfig(serviceConfig())
        .maxInboundMessageSize(MAX_ANSWER_BYTES)
        // Pings show whether a connection is still there.
        .keepAliveTime(Limits.KEEPALIVE.toSeconds(), TimeUnit.SECONDS)
        .keepAliveTimeout(Limits.KEEPALIVE_ANSWER.toSeconds(), TimeUnit.SECONDS)
        .build();
  }

  /** For a channel builder of your own. */
  @SuppressWarnings("unchecked")
  public static Map<String, ?> serviceConfig() {
    try (Reader file =
        new InputStreamReader(
            Connection.class.getResourceAsStream("service_config.json"), StandardCharsets.UTF_8)) {
      return new Gson().fromJson(file, Map.class);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private Connection() {}
}
