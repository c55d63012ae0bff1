package routes

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// TestOracle sends random requests of services whose routes are known, in the
// shapes of well-known APIs and frameworks (testdata/tables.txt), and compares
// the names with the truth.
func TestOracle(t *testing.T) {
	t.Logf("%-14s %7s %7s %7s %9s %9s %9s %7s", "service", "routes", "names", "in all", "wrong", "exact", "exact at", "other")
	t.Logf("%-14s %7s %7s %7s %9s %9s %9s %7s", "", "", "at end", "", "merges", "first 500", "the end", "")
	for _, table := range readTables(t) {
		for seed := range uint64(4) {
			r := play(table, seed, 20_000)
			if r.wrong > 0 {
				t.Errorf("%s, seed %d: %d pairs of routes were merged wrongly, such as %s", table.name, seed, r.wrong, r.example)
			}
			if r.live > MaxRoutes+1 || r.names > maxGiven {
				t.Errorf("%s, seed %d: %d routes, %d names", table.name, seed, r.live, r.names)
			}
			if min := table.least; r.exact < min {
				t.Errorf("%s, seed %d: %.3f of the names are exact at the end, want %.2f", table.name, seed, r.exact, min)
			}
			if seed == 0 {
				t.Logf("%-14s %7d %7d %7d %9d %9.3f %9.3f %7.3f", table.name, len(table.routes), r.live, r.names, r.wrong, r.early, r.exact, r.other)
			}
		}
	}
}

// serviceTable is a service with its routes.
type serviceTable struct {
	name   string
	least  float64 // share of exact names at the end
	skewed bool
	routes []string
}

// readTables reads lines such as "# github 0.99 skewed" and "/users/{name}".
func readTables(t *testing.T) (all []serviceTable) {
	t.Helper()
	file, err := os.Open("testdata/tables.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		switch {
		case strings.HasPrefix(line, "# "):
			var s serviceTable
			if _, err := fmt.Sscanf(line, "# %s %f %t", &s.name, &s.least, &s.skewed); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			all = append(all, s)
		case line != "":
			last := &all[len(all)-1]
			last.routes = append(last.routes, strings.Fields(line)...)
		}
	}
	return all
}

// result is how well a service was named.
type result struct {
	names, live         int
	wrong               int
	example             string
	early, exact, other float64
}

func play(s serviceTable, seed uint64, requests int) (r result) {
	b, random := NewBook(), rand.New(rand.NewPCG(seed, 8))
	next := picker(s, random, seed)
	taken := map[string]map[string]bool{} // true routes by name
	var early, late, exactLate, exactEarly, other int
	for i := range requests {
		truth := next()
		name := server(b, fill(truth, random))
		if taken[name] == nil {
			taken[name] = map[string]bool{}
		}
		taken[name][truth] = true
		exact := sameShape(truth, name)
		if i < 500 {
			early++
			exactEarly += count(exact)
		}
		if i >= requests/2 {
			late++
			exactLate += count(exact)
			other += count(name == Other)
		}
	}
	r.names, r.live = len(taken), len(b.List(Service{}))
	r.early, r.exact, r.other = share(exactEarly, early), share(exactLate, late), share(other, late)
	for name, truths := range taken {
		if name == Other {
			continue
		}
		for a := range truths {
			for c := range truths {
				if a < c && apart(a, c) {
					r.wrong++
					r.example = fmt.Sprintf("%s and %s as %s", a, c, name)
				}
			}
		}
	}
	return r
}

// picker chooses routes one after the other, as tests and crawlers do, evenly, or
// as real traffic does: few have most of it.
func picker(s serviceTable, random *rand.Rand, seed uint64) func() string {
	order, i := random.Perm(len(s.routes)), -1
	switch {
	case seed%4 == 1:
		return func() string { i++; return s.routes[i%len(order)] }
	case seed%4 == 2:
		return func() string { i++; return s.routes[order[i%len(order)]] }
	case !s.skewed:
		return func() string { return s.routes[random.IntN(len(order))] }
	}
	zipf := rand.NewZipf(random, 1.1, 3, uint64(len(order)-1))
	return func() string { return s.routes[order[zipf.Uint64()]] }
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func share(n, of int) float64 { return float64(n) / float64(max(1, of)) }

// fill puts values in for the parameters of a route.
func fill(route string, random *rand.Rand) string {
	segments := strings.Split(route, "/")
	for i, s := range segments {
		before, rest, ok := strings.Cut(s, "{")
		if !ok {
			continue
		}
		param, after, _ := strings.Cut(rest, "}")
		segments[i] = before + value(param, random) + after
	}
	return strings.Join(segments, "/")
}

func value(param string, random *rand.Rand) string {
	bytes := make([]byte, 15)
	for i := range bytes {
		bytes[i] = byte(random.Uint32())
	}
	switch param {
	case "int":
		return fmt.Sprint(random.IntN(1_000_000))
	case "small":
		return fmt.Sprint(random.IntN(30))
	case "uuid":
		return fmt.Sprintf("%x-%x-%x-%x-%x%x", bytes[:4], bytes[4:6], bytes[6:8], bytes[8:10], bytes[10:15], bytes[:1])
	case "hex":
		return fmt.Sprintf("%x", bytes[:4+4*random.IntN(2)])
	case "token":
		return base64.RawURLEncoding.EncodeToString(bytes)
	case "prefixed":
		return "obj_" + strings.NewReplacer("-", "a", "_", "b").Replace(base64.RawURLEncoding.EncodeToString(bytes))
	case "date":
		return fmt.Sprintf("20%02d-%02d-%02d", random.IntN(30), 1+random.IntN(12), 1+random.IntN(28))
	case "email":
		return nickname(random.IntN(5000)) + "@example.com"
	case "locale":
		return []string{"en-US", "de-DE", "pt-BR", "zh-Hans", "fr-fr"}[random.IntN(5)]
	case "pod":
		return fmt.Sprintf("%s-%x-%s", nickname(random.IntN(50)), bytes[:4], "x7k2q")
	case "file":
		return nickname(random.IntN(500)) + []string{".js", ".css", ".png", ".3f9a.js"}[random.IntN(4)]
	case "slug":
		return nickname(random.IntN(3000)) + "-" + nickname(random.IntN(3000))
	case "few":
		return nickname(70_000 + random.IntN(3))
	default: // a name
		return nickname(random.IntN(20_000))
	}
}

// sameShape says whether a name has its parameters where the route has them.
func sameShape(route, name string) bool {
	a, b := strings.Split(strings.TrimSuffix(route, "/"), "/"), strings.Split(name, "/")
	if route == "/" {
		return name == "/"
	}
	if tree, ok := strings.CutSuffix(name, "/*"); ok && strings.HasSuffix(route, "/{file}") {
		return strings.HasPrefix(route, tree+"/") // static files below two folders
	}
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		before, rest, isParam := strings.Cut(a[i], "{")
		param, after, _ := strings.Cut(rest, "}")
		if param == "few" {
			continue // Values that are few are words, and may stay so.
		}
		if !isParam && a[i] != b[i] {
			return false
		}
		whole := strings.HasPrefix(b[i], "{") && strings.HasSuffix(b[i], "}")
		if isParam && !whole && (!strings.HasPrefix(b[i], before+"{") || !strings.HasSuffix(b[i], "}"+after)) {
			return false
		}
	}
	return true
}

// apart says whether two routes have different words at one place.
func apart(a, b string) bool {
	x, y := strings.Split(strings.TrimSuffix(a, "/"), "/"), strings.Split(strings.TrimSuffix(b, "/"), "/")
	if len(x) != len(y) {
		return true
	}
	for i := range x {
		if x[i] != y[i] && !strings.Contains(x[i], "{") && !strings.Contains(y[i], "{") {
			return true
		}
	}
	return false
}
