import java.net.URI;
import java.net.http.*;
import java.util.concurrent.*;

/** A client with Java's java.net.http, which asks for HTTP/2 with its first request: Pages URL REQUESTS PARALLEL. It waits for a line. */
public class Pages {
    public static void main(String[] args) throws Exception {
        System.in.read();
        int requests = Integer.parseInt(args[1]);
        HttpClient client = HttpClient.newHttpClient();
        Semaphore room = new Semaphore(Integer.parseInt(args[2]));
        CompletableFuture<?>[] all = new CompletableFuture<?>[requests];
        for (int i = 0; i < requests; i++) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(args[0] + i)).build();
            room.acquire();
            CompletableFuture<?> one = client.sendAsync(request, HttpResponse.BodyHandlers.ofString()).thenAccept(answer -> {
                if (answer.statusCode() != 200 || answer.version() != HttpClient.Version.HTTP_2) {
                    throw new IllegalStateException(answer + " " + answer.version());
                }
            }).whenComplete((none, failed) -> room.release());
            all[i] = one;
            if (i == 0) {
                one.get(); // the others go over its connection
            }
        }
        CompletableFuture.allOf(all).get();
        System.exit(0);
    }
}
