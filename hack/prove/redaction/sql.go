package main

import (
	databasesql "database/sql"
	"errors"
	"io"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
)

// sqlPlace is a statement with the secret for every %s. Statements that fail hold secrets, too: what the
// server says of them has them in it.
func sqlPlace(of, name, statement string, run func(w *world, statement string, args ...any) error) place {
	return place{name: of + ": " + name, put: func(w *world, secret string) error {
		return run(w, strings.ReplaceAll(statement, "%s", secret))
	}}
}

// simple has PostgreSQL execute a statement as it is.
func simple(w *world, statement string, args ...any) error {
	_, err := w.postgres.Exec(w.ctx(), statement, append([]any{pgx.QueryExecModeSimpleProtocol}, args...)...)
	return errorOfNet(err)
}

// errorOfNet leaves out what the server answers.
func errorOfNet(err error) error {
	if err == nil || strings.Contains(err.Error(), "SQLSTATE") {
		return nil
	}
	var refused *mysql.MySQLError
	if errors.As(err, &refused) {
		return nil
	}
	return err
}

// prepared has it parse a statement first.
func prepared(w *world, statement string, args ...any) error {
	_, err := w.postgres.Exec(w.ctx(), statement, append([]any{pgx.QueryExecModeDescribeExec}, args...)...)
	return errorOfNet(err)
}

func copied(w *world, secret string) error {
	rows := [][]any{{secret, 1}, {"b" + secret, 2}}
	_, err := w.postgres.CopyFrom(w.ctx(), pgx.Identifier{"orders"}, []string{"name", "id"}, pgx.CopyFromRows(rows))
	return errorOfNet(err)
}

// copiedAsText sends rows that look like queries.
func copiedAsText(w *world, secret string) error {
	_, err := w.postgres.PgConn().CopyFrom(w.ctx(), strings.NewReader("SELECT "+secret+" FROM t\t7\n"), "COPY orders (name, id) FROM STDIN")
	return errorOfNet(err)
}

// postgresStatements are those with a secret for every %s.
var postgresStatements = map[string]string{
	"literal":                      "SELECT id FROM orders WHERE name = '%s' AND id IN (1, 2)",
	"literal with quotes":          "SELECT id FROM orders WHERE name = 'it''s %s'",
	"literal behind a backslash":   `SELECT id FROM orders WHERE name = 'C:\' AND name = '%s'`,
	"literals behind backslashes":  `SELECT id FROM orders WHERE name = 'C:\' AND name = '%s' AND name = 'D:\' AND name = '%s'`,
	"escaped literal":              `SELECT E'it\'s %s', E'\\', '%s'`,
	"escapes as they were":         `SET standard_conforming_strings = off; SELECT 'it\'s %s', '%s'; SET standard_conforming_strings = on`,
	"dollar-quoted":                "SELECT $$it's %s$$, $tag$it's %s$tag$",
	"dollar-quoted with any tag":   "SELECT $\u00e4$it's %s$\u00e4$",
	"code":                         "DO $do$ BEGIN PERFORM '%s'; END $do$",
	"unicode":                      "SELECT U&'%s'",
	"bits":                         "SELECT X'ff', B'01', N'%s'",
	"literals one after the other": "SELECT 'a'\n'%s'",
	"comment":                      "SELECT 1 /* it's %s */",
	"comment in a comment":         "SELECT /* a /* b */ it's %s */ 1",
	"comment to the end of a line": "SELECT 1 -- it's %s\n, 2",
	"password":                     "CREATE USER %s_u PASSWORD '%s'",
	"setting":                      "SET app.token = '%s'",
	"setting without quotes":       "SET app.token = %s; SELECT 1",
	"setting with TO":              "SELECT 1; SET LOCAL app.token TO %s",
	"long literal":                 "SELECT '" + strings.Repeat("p", 470) + "%s', '%s'",
	"long comment":                 "SELECT 1 /* " + strings.Repeat("p", 480) + " %s */, '%s'",
	"broken":                       "SELECT 'it's %s' FROM orders",
	"words of an error":            "SELECT '%s'::int",
	"statement prepared by hand":   "PREPARE p%s AS SELECT '%s'",
	"executed by hand":             "EXECUTE p('%s')",
	"function":                     "SELECT set_config('app.token', '%s', false)",
	"notification":                 "NOTIFY orders, '%s'",
	"program":                      "COPY orders FROM PROGRAM 'true %s'",
}

func postgresPlaces() []place {
	all := []place{
		{name: "postgres: parameter", put: func(w *world, secret string) error {
			_, err := w.postgres.Exec(w.ctx(), "SELECT id FROM orders WHERE name = $1", secret)
			return err
		}},
		{name: "postgres: parameter in text", put: func(w *world, secret string) error {
			return simple(w, "SELECT id FROM orders WHERE name = $1", secret)
		}},
		{name: "postgres: many parameters", put: func(w *world, secret string) error {
			return prepared(w, "INSERT INTO orders (name, id) VALUES ($1, $2), ($3, $4)", secret, 1, strings.Repeat(secret, 100), 2)
		}},
		{name: "postgres: copied rows", put: copied},
		{name: "postgres: copied rows like queries", put: copiedAsText},
		{name: "postgres: number", number: true, put: func(w *world, secret string) error {
			return simple(w, "SELECT id FROM orders WHERE card = "+secret+" OR card IN (-"+secret+", 1, "+secret+".0)")
		}},
		{name: "postgres: rows", put: func(w *world, secret string) error {
			return simple(w, "SELECT repeat($1, 3)", secret)
		}},
	}
	for name, statement := range postgresStatements {
		if name == "password" { // a name is none
			statement = strings.ReplaceAll(statement, "%s_u", "alice")
		}
		if name == "statement prepared by hand" {
			statement = strings.ReplaceAll(statement, "p%s", "p")
		}
		all = append(all, sqlPlace("postgres", name, statement, simple))
		if !strings.Contains(statement, ";") {
			all = append(all, sqlPlace("postgres", name+", parsed", statement, prepared))
		}
	}
	return sorted(all)
}

// ofMySQL has MariaDB execute a statement; with arguments it is prepared first.
func ofMySQL(w *world, statement string, args ...any) error {
	_, err := w.mysql.ExecContext(w.ctx(), statement, args...)
	return errorOfNet(err)
}

func loaded(w *world, secret string) error {
	mysql.RegisterReaderHandler("rows", func() io.Reader { return strings.NewReader("1\t" + secret + "\n") })
	return ofMySQL(w, "LOAD DATA LOCAL INFILE 'Reader::rows' INTO TABLE orders (id, name)")
}

func mysqlPlaces() []place {
	all := []place{
		{name: "mysql: parameter", put: func(w *world, secret string) error {
			var id int
			err := w.mysql.QueryRowContext(w.ctx(), "SELECT id FROM orders WHERE name = ? AND id > ?", secret, 3).Scan(&id)
			if errors.Is(err, databasesql.ErrNoRows) {
				return nil
			}
			return err
		}},
		{name: "mysql: long parameter", put: func(w *world, secret string) error {
			return ofMySQL(w, "UPDATE orders SET name = ? WHERE id = 1", strings.Repeat("SELECT "+secret, 300))
		}},
		{name: "mysql: parameter in the text", put: func(w *world, secret string) error {
			db, err := databasesql.Open("mysql", w.mysqlDSN+"&interpolateParams=true")
			if err != nil {
				return err
			}
			defer func() { _ = db.Close() }() // nothing is left to say
			_, err = db.ExecContext(w.ctx(), "SELECT id FROM orders WHERE name = ? OR name = ?", `it's \'`+secret, secret)
			return errorOfNet(err)
		}},
		{name: "mysql: number", number: true, put: func(w *world, secret string) error {
			return ofMySQL(w, "SELECT id FROM orders WHERE id = "+secret+" OR id IN (-"+secret+", 0x"+secret+", "+secret+".5e1)")
		}},
		{name: "mysql: loaded rows", put: loaded},
	}
	for name, statement := range map[string]string{
		"literal":                     "SELECT id FROM orders WHERE name = '%s' AND id IN (1, 2)",
		"literal in double quotes":    `SELECT id FROM orders WHERE name = "it's %s"`,
		"escaped literal":             `SELECT 'it\'s %s', "a\"%s", '\\', '%s'`,
		"no escapes":                  `SET sql_mode = 'NO_BACKSLASH_ESCAPES'; SELECT 'C:\', '%s', 'D:\', '%s'; SET sql_mode = ''`,
		"no escapes, once":            `SELECT 'C:\', '%s'`,
		"quoted name":                 "SELECT 1 AS `it's`, '%s' AS `that's`",
		"character set":               "SELECT _utf8mb4'%s', N'%s', x'53', DATE '%s'",
		"comment":                     "SELECT 1 /* it's %s */",
		"comment that is code":        "SELECT 1 /*!50000 , '%s' */",
		"comment that ends early":     "SELECT /* a /* b */ '%s' /* %s */",
		"comment to the end of line":  "SELECT 1 # it's %s\n, 2 -- it's %s\n",
		"no comment":                  "SELECT 1--'%s'",
		"password":                    "CREATE USER alice IDENTIFIED BY '%s'",
		"password of its own":         "SET PASSWORD FOR alice = PASSWORD('%s')",
		"variable":                    "SET @token = '%s', @x = \"%s\"",
		"variable without quotes":     "SET GLOBAL init_connect = %s",
		"long literal":                "SELECT '" + strings.Repeat("p", 470) + "%s', '%s'",
		"broken":                      "SELECT 'it's %s' FROM orders",
		"words of an error":           "SELECT * FROM orders WHERE id = EXTRACTVALUE('x', '//%s//')",
		"literals one beside another": "SELECT 'a' '%s' \"%s\"",
		"statement in a literal":      "PREPARE p FROM 'SELECT ''%s'''",
	} {
		all = append(all, sqlPlace("mysql", name, statement, ofMySQL))
	}
	return sorted(all)
}
