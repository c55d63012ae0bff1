package main

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/odi-dev/odi/internal/testkit/secrets"
)

// place is where a program has a secret.
type place struct {
	// name begins with the protocol.
	name string
	// number says that the secret is made of digits.
	number bool
	// put has a program do what holds the secret.
	put func(w *world, secret string) error
}

// shown ends the names of places that odi shows.
const shown = "(shown)"

// places lists them all.
func places() []place {
	var all []place
	for _, of := range [][]place{httpPlaces(), http2Places(), grpcPlaces(), postgresPlaces(), mysqlPlaces(), redisPlaces(), kafkaPlaces(), processPlaces()} {
		all = append(all, of...)
	}
	return all
}

// hidden is a secret and the place where it stands.
type hidden struct{ Place, Secret string }

// hide makes secrets: so many, and one of each place at least.
func hide(seed uint64, count int, only string) ([]hidden, error) {
	random := rand.New(rand.NewPCG(seed, 1))
	var chosen []place
	for _, p := range places() {
		if strings.Contains(p.name, only) || strings.HasSuffix(p.name, shown) {
			chosen = append(chosen, p)
		}
	}
	if len(chosen) < 3 {
		return nil, fmt.Errorf("no place is called %q", only)
	}
	var all []hidden
	for i := 0; i < max(count, len(chosen)); i++ {
		p := chosen[i%len(chosen)]
		secret := secrets.New(random)
		if p.number {
			secret = secrets.Number(random)
		}
		all = append(all, hidden{p.name, secret})
	}
	return all, nil
}
