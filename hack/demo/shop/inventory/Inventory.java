import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;

/** inventory says what is in stock: a fixed pool of threads, each request handled by one of them. */
public final class Inventory {
    private static final int THREADS = 16;
    private static final String PRICING = env("PRICING", "http://pricing:8080");

    public static void main(String[] args) throws IOException {
        String listen = env("LISTEN", ":8080");
        int colon = listen.lastIndexOf(':');
        String host = listen.substring(0, colon);
        int port = Integer.parseInt(listen.substring(colon + 1));
        InetSocketAddress address =
                host.isEmpty() ? new InetSocketAddress(port) : new InetSocketAddress(host, port);

        HttpServer server = HttpServer.create(address, 128);
        server.setExecutor(Executors.newFixedThreadPool(THREADS));
        server.createContext("/healthz", exchange -> answer(exchange, 200, "{\"ok\":true}"));
        server.createContext("/stock/", Inventory::stock);
        server.start();
        System.err.println("inventory listens on " + listen);
    }

    private static void stock(HttpExchange exchange) throws IOException {
        String order = exchange.getRequestURI().getPath().substring("/stock/".length());
        try {
            String price = ask(PRICING + "/price/inventory/" + order);
            answer(exchange, 200, "{\"order\":\"" + order + "\",\"inStock\":7,\"price\":" + price + "}");
        } catch (IOException e) {
            answer(exchange, 502, "{\"error\":\"pricing did not answer\"}");
        }
    }

    private static String ask(String url) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) new URL(url).openConnection();
        connection.setConnectTimeout(10_000);
        connection.setReadTimeout(10_000);
        // Read to the end and close: that returns the connection to the JDK's keep-alive cache.
        try (InputStream body = connection.getInputStream()) {
            return new String(body.readAllBytes(), StandardCharsets.UTF_8).trim();
        }
    }

    private static void answer(HttpExchange exchange, int status, String json) throws IOException {
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, body.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body);
        }
    }

    private static String env(String name, String otherwise) {
        String value = System.getenv(name);
        return value == null || value.isEmpty() ? otherwise : value;
    }
}
