// Command pricing answers what a product costs. It is built stripped
// (-trimpath -ldflags "-s -w"), as many release binaries are.
package main

import (
	"fmt"
	"hash/fnv"
	"log/slog"
	"net/http"
	"os"
)

func main() {
	addr := os.Getenv("LISTEN")
	if addr == "" {
		addr = ":8080"
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /price/{asker}/{order}", price)
	slog.Info("pricing listens", "address", addr)
	if err := http.ListenAndServe(addr, mux); err != nil {
		slog.Error("serving", "error", err)
		os.Exit(1)
	}
}

// price is the same for the same order, whoever asks.
func price(w http.ResponseWriter, r *http.Request) {
	sum := fnv.New32a()
	sum.Write([]byte(r.PathValue("order")))
	w.Header().Set("Content-Type", "application/json")
	_, err := fmt.Fprintf(w, `{"order":%q,"asker":%q,"cents":%d}`+"\n",
		r.PathValue("order"), r.PathValue("asker"), 100+sum.Sum32()%9900)
	if err != nil {
		slog.Error("answering", "order", r.PathValue("order"), "error", err)
	}
}
