package servers

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"

	"github.com/odi-dev/odi/internal/testkit/loopback"
)

// Postgres starts PostgreSQL below a new folder in dir. Its superuser is postgres, who needs no
// password.
func Postgres(dir string) (*Server, error) {
	dir, err := folderOf("postgres", dir)
	if err != nil {
		return nil, err
	}
	addr, port, err := free()
	if err != nil {
		return nil, err
	}
	as := func(name string, args ...string) (*exec.Cmd, error) {
		found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
		if err != nil || len(found) == 0 {
			return nil, errors.Join(err, fmt.Errorf("PostgreSQL has no %s here", name))
		}
		whole := []string{"--reuid", "postgres", "--clear-groups", "--regid", "postgres", "--", found[len(found)-1]}
		return exec.Command("setpriv", append(whole, args...)...), nil
	}
	initdb, err := as("initdb", "-D", dir+"/data", "-A", "trust", "--no-sync")
	if err != nil {
		return nil, err
	}
	if err := run(initdb); err != nil {
		return nil, err
	}
	serve, err := as("postgres", "-D", dir+"/data", "-p", port, "-k", dir, "-c", "fsync=off", "-c", "max_connections=120")
	if err != nil {
		return nil, err
	}
	s, err := start(addr, serve, os.Interrupt) // its children end, too
	if err != nil {
		return nil, err
	}
	ready, err := as("pg_isready", "-q", "-h", "127.0.0.1", "-p", port)
	if err == nil {
		err = await(func() error { again := *ready; return again.Run() })
	}
	if err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// MariaDB starts MariaDB below a new folder in dir, with the database test. Its superuser is
// root, who needs no password.
func MariaDB(dir string) (*Server, error) {
	dir, err := folderOf("mysql", dir)
	if err != nil {
		return nil, err
	}
	addr, port, err := free()
	if err != nil {
		return nil, err
	}
	if err := run(exec.Command("mariadb-install-db", "--no-defaults", "--user=mysql", "--datadir="+dir+"/data", "--auth-root-authentication-method=normal", "--skip-test-db")); err != nil {
		return nil, err
	}
	s, err := Start(addr, exec.Command("mariadbd", "--no-defaults", "--user=mysql", "--datadir="+dir+"/data", "--port="+port, "--bind-address=127.0.0.1",
		"--socket="+dir+"/socket", "--max-connections=150", "--innodb-flush-log-at-trx-commit=0"))
	if err != nil {
		return nil, err
	}
	if err := run(exec.Command("mariadb", "--no-defaults", "-h", "127.0.0.1", "-P", port, "-u", "root", "--skip-ssl", "-e", "CREATE DATABASE test")); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// Redis starts Redis, which keeps nothing.
func Redis(dir string) (*Server, error) {
	addr, port, err := free()
	if err != nil {
		return nil, err
	}
	return Start(addr, exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", dir))
}

// folderOf makes a folder of an account's own.
func folderOf(account, dir string) (string, error) {
	owner, err := user.Lookup(account)
	if err != nil {
		return "", err
	}
	uid, err := strconv.Atoi(owner.Uid)
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, account)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	return dir, os.Chown(dir, uid, -1)
}

func free() (addr, port string, err error) {
	if addr, err = loopback.Free(); err != nil {
		return "", "", err
	}
	_, port, err = net.SplitHostPort(addr)
	return addr, port, err
}
