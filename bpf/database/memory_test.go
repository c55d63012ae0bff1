package database

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNumbersMakeNoDifference: what is said of a statement is what would be without a memory, whatever
// numbers stand where.
func TestNumbersMakeNoDifference(t *testing.T) {
	words := []string{
		"SELECT", "a", "FROM", "orders2", "t_1", "WHERE", "id", "=", "IN", "(", ")", ",", "AND", "LIMIT", "OFFSET", "VALUES", "$1", ":1", "?", "@v1", "#7", "1e5", "0x1F", "1_000",
		"db.1t", "BETWEEN", "-", "+", "*", "/", "<", ">", "::int4", "varchar", "UPDATE", "SET", "DELETE", "INSERT", "INTO", "\"a 7\"", "`b 8`", ";", "COPY", "AS", "x7", "7x", "1.", ".5", "E", "INTERVAL", "AT", "null", "true",
		"JOIN", "ON", "CASE", "WHEN", "THEN", "END", "%", "||", "[", "]", "{", "}", "TABLE", "CREATE", "DROP", "EXEC", "CALL", "TOP", "FETCH", "ROWS", "[1]",
	}
	random := rand.New(rand.NewPCG(5, 6))
	for range 60_000 {
		var b strings.Builder
		for range 1 + random.IntN(12) {
			if random.IntN(2) == 0 {
				b.WriteString([]string{" ", "", "\n", "\t", "(", ","}[random.IntN(6)])
			}
			switch random.IntN(3) {
			case 0:
				fmt.Fprintf(&b, []string{"%d", "%d.25", "-%d", "00%d", "%d "}[random.IntN(5)], random.IntN(1200))
			default:
				b.WriteString(words[random.IntN(len(words))] + " ")
			}
		}
		sameWithMemory(t, b.String(), random.IntN(2) == 0, []Dialect{Postgres, MySQL}[random.IntN(2)])
	}
}

func sameWithMemory(t *testing.T, text string, cut bool, in Dialect) {
	t.Helper()
	m := newMemory(memoryBytes)
	want := read(text, cut, in)
	for range 2 {
		if got := m.of(text, cut, in, read); got != want {
			t.Fatalf("%q is said to be\n%+v, is\n%+v", text, got, want)
		}
	}
}

func FuzzMemory(f *testing.F) {
	f.Add("SELECT a FROM t WHERE b = 7 AND c IN (1, 2.5)", false, false)
	f.Add("INSERT INTO t VALUES(-1,007)", true, true)
	f.Fuzz(func(t *testing.T, text string, cut, maria bool) {
		in := Postgres
		if maria {
			in = MySQL
		}
		if plain, ok := masked(strings.ToValidUTF8(text, "?"), in); ok {
			sameWithMemory(t, plain, cut, in)
		}
	})
}

func TestAStatementIsReadOnce(t *testing.T) {
	m, times := newMemory(memoryBytes), map[string]int{}
	count := func(text string, cut bool, in Dialect) Statement {
		times[fmt.Sprint(text, cut, in)]++
		return read(text, cut, in)
	}
	for n := range 10 {
		m.of(fmt.Sprintf("SELECT a FROM t WHERE b = %d LIMIT %d", n, 1+n), false, Postgres, count)
		m.of("SELECT a FROM t WHERE", false, Postgres, count)
		m.of("SELECT a FROM t WHERE", true, Postgres, count)
		m.of("SELECT a FROM t WHERE", false, MySQL, count)
	}
	want := map[string]int{
		fmt.Sprint("SELECT a FROM t WHERE b = 0 LIMIT 0", false, Postgres): 1, fmt.Sprint("SELECT a FROM t WHERE", false, Postgres): 1,
		fmt.Sprint("SELECT a FROM t WHERE", true, Postgres): 1, fmt.Sprint("SELECT a FROM t WHERE", false, MySQL): 1,
	}
	if diff := cmp.Diff(want, times); diff != "" {
		t.Errorf("statements were read so often (-want +got):\n%s", diff)
	}
}

func TestTheMemoryIsBounded(t *testing.T) {
	const limit = 10_000
	m, reads := newMemory(limit), 0
	count := func(text string, cut bool, in Dialect) Statement { reads++; return read(text, cut, in) }
	for n := range 5_000 {
		m.of(fmt.Sprintf("SELECT a%d FROM t", n), false, Postgres, count)
		m.of("SELECT b FROM t", false, Postgres, count) // Always in use, so never forgotten.
	}
	if reads != 5_001 {
		t.Errorf("%d statements were read, want 5,001", reads)
	}
	kept := 0
	for _, of := range []map[string]Statement{m.young, m.aged} {
		for key, s := range of {
			kept += len(key) + len(s.Operation) + len(s.Table) + len(s.Text)
		}
	}
	if kept > 2*limit || len(m.aged) == 0 {
		t.Errorf("%d bytes are kept, the bound is %d; %d statements are aged", kept, 2*limit, len(m.aged))
	}
}

func TestWhatIsRememberedCostsNoMemory(t *testing.T) {
	text := []byte("SELECT a, b FROM orders WHERE id = 17 AND kind = $1")
	if n := testing.AllocsPerRun(100, func() { Read(text, false, Postgres) }); n > 0 {
		t.Errorf("a statement that is known costs %v allocations", n)
	}
}

func BenchmarkRead(b *testing.B) {
	for name, text := range map[string]string{"parameter": "SELECT id FROM orders WHERE id = $1", "number": "SELECT id FROM orders WHERE id = 7", "text": "SELECT id FROM orders WHERE id = 'x'"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Read([]byte(text), false, Postgres)
			}
		})
		b.Run(name+"-unknown", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				read(text, false, Postgres)
			}
		})
	}
}
