//! hyper on Tokio: tasks move between threads. Environment: PORT, BACKEND.
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn, Request, Response};
use hyper_util::client::legacy::{connect::HttpConnector, Client};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{convert::Infallible, env, sync::Arc, time::Duration};
use tokio::{net::TcpListener, time::sleep};

struct App {
    backend: String,
    client: Client<HttpConnector, Empty<Bytes>>,
    turns: AtomicUsize,
}

impl App {
    async fn ask(&self, path: String) {
        let uri = format!("{}{}", self.backend, path).parse().expect("a path of ours");
        if let Ok(answer) = self.client.get(uri).await {
            let _ = answer.into_body().collect().await;
        }
    }
}

fn every(app: &Arc<App>, path: String, millis: u64) {
    let app = app.clone();
    tokio::spawn(async move {
        loop {
            sleep(Duration::from_millis(millis)).await;
            app.ask(path.clone()).await;
        }
    });
}

async fn handle(app: Arc<App>, req: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = req.uri().path().to_string();
    let number = path.rsplit('/').next().unwrap_or_default().to_string();
    if path.starts_with("/poll") {
        sleep(Duration::from_millis(300)).await;
    }
    if path.starts_with("/stream") {
        sleep(Duration::from_secs(30)).await; // open all the time
    }
    if path.starts_with("/work") {
        let turn = app.turns.fetch_add(1, Ordering::Relaxed);
        if turn == 0 {
            every(&app, format!("/bg/flush/{number}"), 4);
        }
        if turn % 25 == 0 {
            let (app, path) = (app.clone(), format!("/bg/refresh/{number}"));
            tokio::spawn(async move { app.ask(path).await });
        }
        app.ask(format!("/dep/{number}")).await;
    }
    Ok(Response::new(Full::new(Bytes::from("ok"))))
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let app = Arc::new(App {
        backend: env::var("BACKEND").expect("BACKEND"),
        client: Client::builder(TokioExecutor::new()).build_http(),
        turns: AtomicUsize::new(0),
    });
    every(&app, "/bg/timer/own".into(), 5);
    every(&app, "/bg/health/own".into(), 20);
    let address = format!("127.0.0.1:{}", env::var("PORT").expect("PORT"));
    let listener = TcpListener::bind(address).await.expect("a free port");
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(_) => continue,
        };
        let app = app.clone();
        tokio::spawn(async move {
            let service = service_fn(move |req| handle(app.clone(), req));
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
