package bpf_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/loopback"
)

// apacheConf answers every path with one file, from threads of two processes, which are never more.
const apacheConf = `
ServerRoot %[1]s
PidFile %[1]s/pid
ErrorLog %[1]s/error.log
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so
LoadModule socache_shmcb_module /usr/lib/apache2/modules/mod_socache_shmcb.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
User www-data
Group www-data
StartServers 2
ThreadsPerChild 64
MaxRequestWorkers 128
MaxKeepAliveRequests 0
ServerName localhost
Listen %[2]s
SSLEngine on
SSLCertificateFile %[3]s
SSLCertificateKeyFile %[4]s
AliasMatch ^/.* %[1]s/page
<Directory />
  Require all granted
</Directory>
`

// startApache starts httpd with TLS; watched are the processes that answer.
func startApache(t *testing.T, addr, cert, key string) []uint32 {
	t.Helper()
	dir := t.TempDir()
	conf := filepath.Join(dir, "httpd.conf")
	for name, text := range map[string]string{conf: fmt.Sprintf(apacheConf, dir, addr, cert, key), filepath.Join(dir, "page"): "a page\n"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for at := dir; at != "/tmp" && at != "/"; at = filepath.Dir(at) { // its processes are another user's
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return grown(t, start(t, addr, "apache2", "-f", conf, "-DFOREGROUND"))
}

// grown returns the two children of a server, once it has them.
func grown(t *testing.T, pid uint32) (all []uint32) {
	t.Helper()
	testkit.Eventually(t, 10*time.Second, "a server has two children", func() bool {
		all = children(t, pid)
		return len(all) == 2
	})
	return all
}

// gunicorn starts two processes that answer.
func gunicorn(t *testing.T, addr, cert, key string, more ...string) []uint32 {
	t.Helper()
	args := []string{"-m", "gunicorn", "--chdir", "testdata", "-b", addr, "-w", "2", "--certfile", cert, "--keyfile", key, "--log-level", "error"}
	return grown(t, start(t, addr, "python3", append(append(args, more...), "tlsapp:wsgi")...))
}

// TestServersOverTLS: what servers that others wrote answer over TLS is seen, each request once.
func TestServersOverTLS(t *testing.T) {
	needRoot(t)
	cert, key := roomtest.Certificate(t)
	tests := map[string]struct {
		start func(t *testing.T, addr string) []uint32
		ends  bool // those of the connection are known
	}{
		"gunicorn, sync": {ends: true, start: func(t *testing.T, addr string) []uint32 { return gunicorn(t, addr, cert, key) }},
		// It keeps no connection: with kept ones over TLS it leaves clients without an answer, watched or not.
		"gunicorn, gthread": {ends: true, start: func(t *testing.T, addr string) []uint32 {
			return gunicorn(t, addr, cert, key, "-k", "gthread", "--threads", "8", "--keep-alive", "0")
		}},
		"uvicorn": {start: func(t *testing.T, addr string) []uint32 {
			host, port, _ := net.SplitHostPort(addr)
			return []uint32{start(t, addr, "python3", "-m", "uvicorn", "--app-dir", "testdata", "--host", host, "--port", port,
				"--ssl-certfile", cert, "--ssl-keyfile", key, "--log-level", "error", "tlsapp:asgi")}
		}},
		"Apache httpd": {ends: true, start: func(t *testing.T, addr string) []uint32 { return startApache(t, addr, cert, key) }},
		"openssl s_server": {ends: true, start: func(t *testing.T, addr string) []uint32 {
			return []uint32{start(t, addr, "openssl", "s_server", "-accept", addr, "-cert", cert, "-key", key, "-www", "-quiet")}
		}},
	}
	addrs, all := map[string]string{}, []uint32{}
	for name, tc := range tests {
		addrs[name] = loopback.Address(t)
		all = append(all, tc.start(t, addrs[name])...)
	}
	r := record(t, all...)
	roomtest.AwaitTLS(t, r.engine, all...)
	for name, tc := range tests {
		for _, width := range []int{1, 10, 100} {
			t.Run(fmt.Sprint(name, " ", width), func(t *testing.T) {
				r.reset()
				const n = 500
				stormWith(t, tlsClient(t, cert, width), "https://"+addrs[name]+"/served", n, width)
				wantOnce(t, r, n, tc.ends)
			})
		}
	}
}

// wantOnce wants one span of each of n requests, at a server. ends: with both ends of its connection; otherwise
// with none.
func wantOnce(t *testing.T, r *recorder, n int, ends bool) {
	t.Helper()
	seen := map[string]int{}
	for _, s := range r.waitFor(n) {
		seen[s.path]++
		if !s.TLS || s.Kind != probe.Server || s.StatusCode != http.StatusOK || s.Error != probe.ErrorNone || s.Peer.IsValid() != ends || s.Local.IsValid() != ends {
			t.Fatalf("%+v", s)
		}
	}
	missed, twice := n-len(seen), 0
	for _, times := range seen {
		if times > 1 {
			twice++
		}
	}
	if missed > 0 || twice > 0 || len(seen) > n {
		t.Errorf("of %d requests %d are not seen, %d twice (lost: %v)", n, missed, twice, r.engine.Drops())
	}
}
