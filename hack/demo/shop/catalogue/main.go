// Command catalogue describes the products of an order. It asks pricing for
// their price, on the goroutine that serves the request.
package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
)

func main() {
	addr := env("LISTEN", ":8080")
	pricing := env("PRICING", "http://pricing:8080")

	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /products/{order}", func(w http.ResponseWriter, r *http.Request) {
		products(w, r, pricing)
	})
	slog.Info("catalogue listens", "address", addr)
	if err := http.ListenAndServe(addr, mux); err != nil {
		slog.Error("serving", "error", err)
		os.Exit(1)
	}
}

func products(w http.ResponseWriter, r *http.Request, pricing string) {
	order := r.PathValue("order")
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, pricing+"/price/catalogue/"+order, nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = resp.Body.Close() }() // closing a read-only body loses nothing
	var price struct {
		Cents int `json:"cents"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&price); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(map[string]any{
		"order":    order,
		"products": []string{"lamp", "chair", "rug"},
		"cents":    price.Cents,
	}); err != nil {
		slog.Error("answering", "order", order, "error", err)
	}
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}
