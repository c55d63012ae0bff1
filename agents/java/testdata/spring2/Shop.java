package shop;

import java.util.concurrent.CompletableFuture;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.core.env.Environment;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestTemplate;
import org.springframework.web.reactive.function.client.WebClient;

/** A service of Spring MVC 5 that asks itself twice per order: at once, and asynchronously. */
@SpringBootApplication
@RestController
public class Shop {
  private final Environment environment;
  private final RestTemplate atOnce = new RestTemplate();
  private final WebClient later;

  public Shop(Environment environment, WebClient.Builder later) {
    this.environment = environment;
    this.later = later.build();
  }

  @GetMapping("/orders/{id}")
  public CompletableFuture<String> order(@PathVariable("id") String id) {
    String stock = "http://127.0.0.1:" + environment.getProperty("local.server.port") + "/stock/" + id;
    String first = atOnce.getForObject(stock, String.class);
    return later.get().uri(stock).retrieve().bodyToMono(String.class).map(second -> first + " " + second).toFuture();
  }

  @GetMapping("/stock/{item}")
  public String stock(@PathVariable("item") String item) {
    return "leaf";
  }

  @GetMapping("/gc")
  public String collect() {
    System.gc();
    return "collected";
  }

  public static void main(String[] args) {
    Environment environment = SpringApplication.run(Shop.class, args).getEnvironment();
    System.out.println("listening " + environment.getProperty("local.server.port"));
  }
}
