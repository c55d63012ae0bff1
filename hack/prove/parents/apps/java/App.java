import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Java's own server, in one of the ways that programs use it:
 * pool: a thread per request. future: another pool asks, and answers.
 * stealing: everything on one pool whose threads do other work while theirs waits. client: java.net.http asks.
 * virtual: a virtual thread per request (Java 21).
 * Environment: PORT, BACKEND, MODE.
 */
public class App {
  static final String BACKEND = System.getenv("BACKEND"), MODE = System.getenv("MODE");
  static final AtomicInteger turns = new AtomicInteger();
  static final ScheduledExecutorService own = Executors.newScheduledThreadPool(4);
  static final ExecutorService stealing = MODE.equals("stealing") ? new ForkJoinPool(64) : null;
  static final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  static byte[] ask(String path) {
    try {
      if (MODE.equals("client")) {
        return client.send(HttpRequest.newBuilder(URI.create(BACKEND + path)).build(), HttpResponse.BodyHandlers.ofByteArray()).body();
      }
      HttpURLConnection c = (HttpURLConnection) URI.create(BACKEND + path).toURL().openConnection();
      return c.getInputStream().readAllBytes();
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  static void every(String path, int millis) {
    own.scheduleWithFixedDelay(() -> ask(path), millis, millis, TimeUnit.MILLISECONDS);
  }

  static void aside(String number) {
    int turn = turns.getAndIncrement();
    if (turn == 0) every("/bg/flush/" + number, 4);
    if (turn % 10 == 0) own.schedule(() -> ask("/bg/retry/" + number), 3, TimeUnit.MILLISECONDS);
    if (turn % 25 == 0) CompletableFuture.runAsync(() -> ask("/bg/refresh/" + number));
  }

  static void answer(HttpExchange x, byte[] out) {
    try (x) {
      x.sendResponseHeaders(200, out.length);
      x.getResponseBody().write(out);
    } catch (IOException e) {
      x.close(); // the client has left
    }
  }

  static void stream(HttpExchange x) throws Exception {
    x.sendResponseHeaders(200, 0);
    for (;;) {
      Thread.sleep(50);
      x.getResponseBody().write("data: tick\n\n".getBytes());
      x.getResponseBody().flush();
    }
  }

  static void handle(HttpExchange x) throws IOException {
    String[] path = x.getRequestURI().getPath().split("/");
    try {
      if (path[1].equals("stream")) stream(x);
      if (path[1].equals("poll")) Thread.sleep(300);
    } catch (Exception e) {
      x.close();
      return;
    }
    if (!path[1].equals("work")) {
      answer(x, "ok".getBytes());
      return;
    }
    aside(path[2]);
    if (MODE.equals("future")) {
      CompletableFuture.supplyAsync(() -> ask("/dep/" + path[2])).thenAccept(out -> answer(x, out));
    } else if (MODE.equals("stealing")) {
      answer(x, CompletableFuture.supplyAsync(() -> ask("/dep/" + path[2]), stealing).join());
    } else {
      answer(x, ask("/dep/" + path[2]));
    }
  }

  static ExecutorService executor() throws Exception {
    if (MODE.equals("stealing")) return stealing;
    if (MODE.equals("virtual")) return (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
    return Executors.newFixedThreadPool(128);
  }

  public static void main(String[] args) throws Exception {
    HttpServer s = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(System.getenv("PORT"))), 256);
    s.createContext("/", App::handle);
    s.setExecutor(executor());
    every("/bg/timer/own", 5);
    every("/bg/health/own", 20);
    s.start();
  }
}
