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
			s := Read([]byte(text), cut, in.dialect)
			for _, said := range []string{s.Operation, s.Table, s.Text} {
				if strings.Contains(said, "s3cret") || strings.Contains(said, secret[6:]) {
					t.Fatalf("%q is said of %q", said, text)
				}
			}
		}
	}
}

// TestNoLiteralLeavesOfOddStatements: statements that are read otherwise than most.
func TestNoLiteralLeavesOfOddStatements(t *testing.T) {
	for _, tc := range []struct {
		in         Dialect
		text, want string
	}{
		{Postgres, `SELECT a FROM t WHERE p = 'C:\' AND k = 'S3CRET'`, "SELECT a FROM t WHERE p = ? AND k = ?"},
		{MySQL, `SELECT a FROM t WHERE p = 'C:\' AND k = 'S3CRET'`, "SELECT a FROM t WHERE p = ? AND k = ?"},
		{MySQL, `SELECT a FROM t WHERE p = 'it\'s' AND k = "that\"s S3CRET"`, "SELECT a FROM t WHERE p = ? AND k = ?"},
		{MySQL, `SELECT a FROM t WHERE p = 'C:\' AND k = 'S3CRET' AND q = 'D:\' AND l = 'S3CRET'`, "SELECT a FROM t WHERE p = ? AND k = ? AND q = ? AND l = ?"},
		{Postgres, `SELECT a FROM t WHERE p = 'it\'s' AND k = 'S3CRET'`, "SELECT a FROM t WHERE p = ? AND k = ?"},
		{Postgres, `SELECT a FROM t WHERE p = E'it\'s' AND k = E'\\' AND l = 'S3CRET'`, "SELECT a FROM t WHERE p = E ? AND k = E ? AND l = ?"},
		{Postgres, `SELECT /* a /* b */ S3CRET */ 1`, "SELECT ?"},
		{MySQL, `SELECT /* a /* b */ 1 /* S3CRET */`, "SELECT ?"},
		{Postgres, "SELECT $\u00e4$it's S3CRET$\u00e4$, a$b$c FROM t", "SELECT ?, a$b$c FROM t"},
		{Postgres, "SELECT $1, $2 FROM t WHERE a = $$it's S3CRET$$", "SELECT $1, $2 FROM t WHERE a = ?"},
		{Postgres, `SELECT "it's" FROM t WHERE a = 'S3CRET'`, "SELECT it_s FROM t WHERE a = ?"},
		{MySQL, "SELECT `it's` FROM t WHERE a = 'S3CRET'", "SELECT it_s FROM t WHERE a = ?"},
		{MySQL, "SELECT 1 # it's\n, 'S3CRET'", "SELECT ?, ?"},
		{MySQL, "SELECT 5--'S3CRET'", "SELECT ? - - ?"},
		{Postgres, "SELECT 'it's S3CRET' FROM orders", "SELECT ..."},
		{Postgres, "SELECT 1 FROM t WHERE a = 'S3CRET", "SELECT ? FROM t WHERE a = ..."},
		{Postgres, "SET app.token = S3CRET", "SET app.token = ?"},
		{Postgres, "SELECT 1; SET LOCAL app.token TO S3CRET; SELECT 2", "SELECT ?; SET LOCAL app.token TO ?; SELECT ?"},
		{MySQL, "SET GLOBAL init_connect = S3CRET, @x = S3CRET", "SET GLOBAL init_connect = ?"},
		{MySQL, "UPDATE t SET a = b WHERE c = 'S3CRET'", "UPDATE t SET a = b WHERE c = ?"},
	} {
		if got := Read([]byte(tc.text), false, tc.in).Text; got != tc.want {
			t.Errorf("%s\n is said as %q, want %q", tc.text, got, tc.want)
		}
		for end := range tc.text {
			if got := Read([]byte(tc.text[:end]), true, tc.in); strings.Contains(fmt.Sprint(got), "S3") {
				t.Errorf("%s\n is said as %q", tc.text[:end], got)
			}
		}
	}
}

// FuzzMasked: what stands in quotes has left, whatever is around it.
func FuzzMasked(f *testing.F) {
	f.Add(`a = '`, `' AND b = "`, true)
	f.Add(`E'\'`, `$$x/*`, false)
	f.Fuzz(func(t *testing.T, before, after string, maria bool) {
		in := Postgres
		if maria {
			in = MySQL
		}
		plain, ok := masked(before+"'s3cret'"+after, in)
		if whole, sound := masked(before, in); sound && ok && !strings.ContainsAny(before+after, `\`+"\"`$/-#'") && strings.Contains(plain, "s3cret") {
			t.Errorf("%q of %q, behind %q", plain, before+after, whole)
		}
	})
}
