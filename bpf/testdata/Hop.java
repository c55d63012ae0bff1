import com.sun.net.httpserver.HttpServer;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.concurrent.Executors;

/** Serves HTTP with a fixed pool of threads and asks the next hop for the same path. */
public class Hop {
    public static void main(String[] args) throws Exception {
        String[] addr = args[0].split(":");
        HttpServer server = HttpServer.create(new InetSocketAddress(addr[0], Integer.parseInt(addr[1])), 128);
        server.setExecutor(Executors.newFixedThreadPool(32));
        server.createContext("/", exchange -> {
            byte[] out = ("java " + exchange.getRequestURI() + "\n").getBytes();
            if (!args[1].equals("-")) {
                HttpURLConnection c = (HttpURLConnection) URI.create(args[1] + exchange.getRequestURI()).toURL().openConnection();
                try (InputStream in = c.getInputStream()) {
                    out = in.readAllBytes();
                }
            }
            exchange.sendResponseHeaders(200, out.length);
            exchange.getResponseBody().write(out);
            exchange.close();
        });
        server.start();
    }
}
