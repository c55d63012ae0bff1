import com.sun.net.httpserver.HttpServer;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** A service that asks another one: /ask?PORT from a pool and asynchronously, /leaf at once. */
public class App {
  public static void main(String[] args) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    ExecutorService pool = Executors.newFixedThreadPool(4);
    HttpClient client = HttpClient.newBuilder().executor(pool).build();
    server.createContext("/ask", exchange -> pool.submit(() -> {
      URI leaf = URI.create("http://127.0.0.1:" + exchange.getRequestURI().getQuery() + "/leaf");
      client.sendAsync(HttpRequest.newBuilder(leaf).build(), HttpResponse.BodyHandlers.ofString())
          .thenAcceptAsync(answer -> reply(exchange, answer.statusCode() + " " + answer.body()), pool);
    }));
    server.createContext("/leaf", exchange -> reply(exchange, "leaf"));
    server.createContext("/marker", exchange -> reply(exchange, marker()));
    server.start();
    System.out.println("listening " + server.getAddress().getPort());
    if (args.length > 1 && args[1].equals("exit")) {
      TimeUnit.MILLISECONDS.sleep(5000);
      System.exit(3);
    }
  }

  static void reply(com.sun.net.httpserver.HttpExchange exchange, String text) {
    try (OutputStream out = exchange.getResponseBody()) {
      exchange.sendResponseHeaders(200, text.length());
      out.write(text.getBytes());
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  static String marker() {
    try {
      return Files.readAllLines(Paths.get("/proc/self/maps")).stream()
          .filter(line -> line.contains("/state/")).map(line -> line.replaceAll(".*/", "")).findFirst().orElse("none");
    } catch (java.io.IOException e) {
      return e.toString();
    }
  }
}
