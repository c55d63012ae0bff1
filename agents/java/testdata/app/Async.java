import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.function.Function;

/** The client of Java 11 and later. */
public class Async implements Function<URI, CompletableFuture<String>> {
  private final HttpClient client;

  public Async(ExecutorService pool) {
    client = HttpClient.newBuilder().executor(pool).build();
  }

  @Override
  public CompletableFuture<String> apply(URI uri) {
    return client.sendAsync(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
        .thenApply(answer -> answer.statusCode() + " " + answer.body());
  }
}
