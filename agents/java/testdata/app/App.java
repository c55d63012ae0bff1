import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Scanner;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.logging.Level;
import java.util.logging.Logger;

/** A service that asks another one: /ask?PORT from a pool and asynchronously, /leaf at once; /log logs, /gc collects garbage. */
public class App {
  public static void main(String[] args) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    ExecutorService pool = Executors.newFixedThreadPool(4);
    Function<URI, CompletableFuture<String>> client = client(pool);
    server.createContext("/ask", exchange -> pool.submit(() -> {
      URI leaf = URI.create("http://127.0.0.1:" + exchange.getRequestURI().getQuery() + "/leaf");
      client.apply(leaf).thenAcceptAsync(answer -> reply(exchange, answer), pool);
    }));
    server.createContext("/leaf", exchange -> reply(exchange, "leaf"));
    Logger logger = Logger.getLogger("shop");
    server.createContext("/log", exchange -> {
      logger.log(Level.WARNING, "out of {0}", "tea");
      reply(exchange, "logged");
    });
    server.createContext("/gc", exchange -> {
      System.gc();
      reply(exchange, "collected");
    });
    server.start();
    System.out.println("listening " + server.getAddress().getPort());
    if (args.length > 1 && args[1].startsWith("drain=")) {
      long millis = Long.parseLong(args[1].substring("drain=".length()));
      Runtime.getRuntime().addShutdownHook(new Thread(() -> drain(server, millis)));
    }
    if (args.length > 1 && args[1].equals("exit")) {
      TimeUnit.MILLISECONDS.sleep(5000);
      System.exit(3);
    }
  }

  /** drain serves on for a while, and then waits for what it has begun to serve. */
  static void drain(HttpServer server, long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    server.stop(1);
  }

  /** client is the asynchronous one of Java 11 and later, else the old one in a pool. */
  @SuppressWarnings("unchecked")
  static Function<URI, CompletableFuture<String>> client(ExecutorService pool) throws ReflectiveOperationException {
    if (System.getProperty("java.version").startsWith("1.")) {
      return uri -> CompletableFuture.supplyAsync(() -> get(uri), pool);
    }
    return (Function<URI, CompletableFuture<String>>) Class.forName("Async").getConstructor(ExecutorService.class).newInstance(pool);
  }

  static String get(URI uri) {
    try {
      HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
      try (InputStream in = connection.getInputStream(); Scanner text = new Scanner(in)) {
        return connection.getResponseCode() + " " + text.next();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void reply(HttpExchange exchange, String text) {
    try (OutputStream out = exchange.getResponseBody()) {
      exchange.sendResponseHeaders(200, text.length());
      out.write(text.getBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
