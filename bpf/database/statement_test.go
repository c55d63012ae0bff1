package database

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestNoLiteralLeaves: a value that a statement has is in nothing that is said of it,
// wherever the statement was cut.
func TestNoLiteralLeaves(t *testing.T) {
	for _, in := range []struct {
		dialect    Dialect
		literals   []string // the forms in which a value stands in a statement
		statements []string
	}{
		{Postgres, []string{
			"'%s'", "E'%s\\'x'", "e'\\n%s'", "$$%s$$", "$tag$%s$tag$", "U&'%s'", "B'%s'", "X'%s'", "N'%s'", "'it''s %s'", "'a\n%s'", "/* %s */ 1", "-- %s\n1",
			"'{\"k\": \"%s\"}'::jsonb", "ARRAY['%s', 'b']", "'%s'::text", "INTERVAL '%s'", "($$a$$ || '%s')",
		}, []string{
			"SELECT * FROM orders WHERE a = %s AND b IN (%s)", "INSERT INTO orders (a, b) VALUES (%s, %s)", "UPDATE orders SET a = %s WHERE b = %s",
			"CALL f(%s, %s)", "COPY orders FROM %s WITH (x %s)", "ALTER ROLE alice PASSWORD %s VALID UNTIL %s", "SELECT %s; SELECT %s",
		}},
		{MySQL, []string{
			"'%s'", `"%s"`, `'a\'%s'`, `"a""%s"`, "N'%s'", "_utf8mb4'%s'", "x'%s'", "/* %s */ 1", "-- %s\n1", "# %s\n1", "/*! %s */ 1", "'a\n%s'", `'{"k": "%s"}'`, "DATE '%s'",
		}, []string{
			"SELECT * FROM orders WHERE a = %s AND b IN (%s)", "INSERT INTO orders (a, b) VALUES (%s, %s)", "UPDATE orders SET a = %s WHERE b = %s",
			"CALL f(%s, %s)", "SET PASSWORD = PASSWORD(%s), @x = %s", "SELECT %s; SELECT %s", "CREATE USER a IDENTIFIED BY %s COMMENT %s",
		}},
	} {
		random := rand.New(rand.NewPCG(3, 4))
		for range 20_000 {
			secret := fmt.Sprintf("s3cret%08x", random.Uint32())
			values := make([]any, 0, 2)
			for range 2 {
				values = append(values, fmt.Sprintf(in.literals[random.IntN(len(in.literals))], secret))
			}
			text := fmt.Sprintf(in.statements[random.IntN(len(in.statements))], values...)
			cut := random.IntN(2) == 0
			if cut {
				text = text[:random.IntN(len(text)+1)]
			}
			s := Read(text, cut, in.dialect)
			for _, said := range []string{s.Operation, s.Table, s.Text} {
				if strings.Contains(said, "s3cret") || strings.Contains(said, secret[6:]) {
					t.Fatalf("%q is said of %q", said, text)
				}
			}
		}
	}
}
