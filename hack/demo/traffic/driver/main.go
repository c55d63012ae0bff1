// Command driver sends traffic from inside the cluster: POST /run takes a
// traffic.Load and answers with its results when all requests have ended; POST
// /forge takes a stranger.Claim and answers with who fell for it.
package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/odi-dev/odi/hack/demo/traffic"
	"github.com/odi-dev/odi/hack/demo/traffic/stranger"
)

func main() {
	addr := os.Getenv("LISTEN")
	if addr == "" {
		addr = ":8080"
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("POST /run", run)
	mux.HandleFunc("POST /forge", forge)
	server := &http.Server{Addr: addr, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	slog.Info("driver listens", "address", addr)
	if err := server.ListenAndServe(); err != nil {
		slog.Error("serving", "error", err)
		os.Exit(1)
	}
}

func run(w http.ResponseWriter, r *http.Request) {
	var load traffic.Load
	if err := json.NewDecoder(r.Body).Decode(&load); err != nil {
		http.Error(w, fmt.Sprintf("reading the load: %v", err), http.StatusBadRequest)
		return
	}
	results, err := traffic.Run(r.Context(), load)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(results); err != nil {
		slog.Error("answering with results", "load", load.Name, "error", err)
	}
}

func forge(w http.ResponseWriter, r *http.Request) {
	var claim stranger.Claim
	if err := json.NewDecoder(r.Body).Decode(&claim); err != nil {
		http.Error(w, fmt.Sprintf("reading the claim: %v", err), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(stranger.Try(r.Context(), claim)); err != nil {
		slog.Error("answering with what was taken", "error", err)
	}
}
