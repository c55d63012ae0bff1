// Command frontend is the shop's first Go service, behind nginx. For one
// checkout it asks the catalogue first, and then the recommender and the
// inventory at the same time, each on a goroutine of its own. For a product page
// it asks the inventory and then the ratings, for an order the orders.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
)

// shop holds the base URLs of the services that a checkout asks.
type shop struct {
	catalogue, recommender, inventory, ratings, orders string
}

func main() {
	addr := env("LISTEN", ":8080")
	s := shop{
		catalogue:   env("CATALOGUE", "http://catalogue:8080"),
		recommender: env("RECOMMENDER", "http://recommender:8080"),
		inventory:   env("INVENTORY", "http://inventory:8080"),
		ratings:     env("RATINGS", "http://ratings:8080"),
		orders:      env("ORDERS", "http://orders:8080"),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /checkout/{order}", s.checkout)
	mux.HandleFunc("POST /checkout/{order}", s.checkout)
	mux.HandleFunc("GET /pages/{order}", s.page)
	mux.HandleFunc("GET /orders/{order}", s.order)
	slog.Info("frontend listens", "address", addr)
	if err := http.ListenAndServe(addr, mux); err != nil {
		slog.Error("serving", "error", err)
		os.Exit(1)
	}
}

// checkout takes the order from the path and passes it on in the path of
// every request that it makes.
func (s shop) checkout(w http.ResponseWriter, r *http.Request) {
	order := r.PathValue("order")
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	products := ask(r, s.catalogue+"/products/"+order)
	if products.err != nil {
		http.Error(w, products.err.Error(), http.StatusBadGateway)
		return
	}

	alsoBought, stock := make(chan answer, 1), make(chan answer, 1)
	go func() { alsoBought <- ask(r, s.recommender+"/recommendations/"+order) }()
	go func() { stock <- ask(r, s.inventory+"/stock/"+order) }()
	recommended, inStock := <-alsoBought, <-stock
	reply(w, order, map[string]answer{"catalogue": products, "recommender": recommended, "inventory": inStock})
}

// page asks one service after the other.
func (s shop) page(w http.ResponseWriter, r *http.Request) {
	order := r.PathValue("order")
	reply(w, order, map[string]answer{
		"inventory": ask(r, s.inventory+"/stock/"+order),
		"ratings":   ask(r, s.ratings+"/ratings/"+order),
	})
}

// order asks for what is stored.
func (s shop) order(w http.ResponseWriter, r *http.Request) {
	order := r.PathValue("order")
	reply(w, order, map[string]answer{"orders": ask(r, s.orders+"/stored/"+order)})
}

// reply passes on what the services answered, by their names.
func reply(w http.ResponseWriter, order string, answers map[string]answer) {
	bodies := map[string]json.RawMessage{}
	for service, a := range answers {
		if a.err != nil {
			http.Error(w, a.err.Error(), http.StatusBadGateway)
			return
		}
		bodies[service] = a.body
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(bodies); err != nil {
		slog.Error("answering", "order", order, "error", err)
	}
}

type answer struct {
	body json.RawMessage
	err  error
}

func ask(r *http.Request, url string) answer {
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, url, nil)
	if err != nil {
		return answer{err: err}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer func() { _ = resp.Body.Close() }() // closing a read-only body loses nothing
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	return answer{body: body, err: err}
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}
