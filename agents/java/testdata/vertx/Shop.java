package shop;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.client.HttpResponse;
import io.vertx.ext.web.client.WebClient;

/** A service on event loops that asks itself twice per order, at the same time. */
public class Shop {
  public static void main(String[] args) throws Exception {
    Vertx vertx = Vertx.vertx();
    WebClient client = WebClient.create(vertx);
    Router router = Router.router(vertx);
    router.get("/orders/:id").handler(context -> {
      String stock = "/stock/" + context.pathParam("id");
      int port = context.request().localAddress().port();
      Future<HttpResponse<Buffer>> first = client.get(port, "127.0.0.1", stock).send();
      Future<HttpResponse<Buffer>> second = client.get(port, "127.0.0.1", stock).send();
      Future.all(first, second)
          .onSuccess(both -> context.end(first.result().bodyAsString() + " " + second.result().bodyAsString()))
          .onFailure(context::fail);
    });
    router.get("/stock/:item").handler(context -> context.end("leaf"));
    router.get("/gc").handler(context -> {
      System.gc();
      context.end("collected");
    });
    vertx.createHttpServer().requestHandler(router).listen(0, "127.0.0.1")
        .onSuccess(server -> System.out.println("listening " + server.actualPort()))
        .onFailure(Throwable::printStackTrace);
  }
}
