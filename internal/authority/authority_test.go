package authority

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"testing"
	"time"
)

var (
	start  = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	server = Holder{Component: "gateway", Server: true, Hosts: []string{"odi-gateway.odi-system"}}
	client = Holder{Component: "node-collector"}
)

func renewed(t *testing.T, a Authorities, now time.Time) Authorities {
	t.Helper()
	a, err := a.Renew(ToGateway, now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func pairOf(t *testing.T, p Pair, a Authorities, h Holder, now time.Time) Pair {
	t.Helper()
	p, err := p.Renew(a, h, now)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// shake is a handshake at a time; each end trusts what it is given.
func shake(t *testing.T, now time.Time, ends [2]end) error {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	served := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			defer conn.Close()
			err = tls.Server(conn, ends[0].config(now)).HandshakeContext(t.Context())
		}
		served <- err
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	asked := tls.Client(conn, ends[1].config(now)).HandshakeContext(t.Context())
	if asked != nil {
		_ = conn.Close() // So that the server ends too.
	}
	err = errors.Join(asked, <-served)
	_ = conn.Close() // Nothing more is sent.
	return err
}

// end of a hop: who it is and whom it trusts.
type end struct {
	pair  Pair
	trust []byte
}

func (e end) config(now time.Time) *tls.Config {
	pair, err := tls.X509KeyPair(e.pair.Cert, e.pair.Key)
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(e.trust) {
		return &tls.Config{} // It can do nothing.
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, RootCAs: pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
		ServerName: server.Hosts[0], Time: func() time.Time { return now }, MinVersion: tls.VersionTLS13,
	}
}

func TestOnlyTheRightEndOfTheRightHopIsTaken(t *testing.T) {
	ours, others := renewed(t, nil, start), renewed(t, nil, start)
	goodServer := pairOf(t, Pair{}, ours, server, start)
	tests := map[string]struct {
		server, client Pair
		now            time.Time
		wantRefusal    bool
	}{
		"client and server":               {server: goodServer, client: pairOf(t, Pair{}, ours, client, start), now: start},
		"a server may not send":           {server: goodServer, client: goodServer, now: start, wantRefusal: true},
		"a client of another hop":         {server: goodServer, client: pairOf(t, Pair{}, others, client, start), now: start, wantRefusal: true},
		"a client is no server":           {server: pairOf(t, Pair{}, ours, client, start), client: pairOf(t, Pair{}, ours, client, start), now: start, wantRefusal: true},
		"a server of another name":        {server: pairOf(t, Pair{}, ours, Holder{Component: "x", Server: true, Hosts: []string{"x"}}, start), client: pairOf(t, Pair{}, ours, client, start), now: start, wantRefusal: true},
		"a client that has run out":       {server: pairOf(t, Pair{}, ours, server, start.Add(pairLife)), client: pairOf(t, Pair{}, ours, client, start), now: start.Add(pairLife + time.Hour), wantRefusal: true},
		"a clock that is half an hour on": {server: goodServer, client: pairOf(t, Pair{}, ours, client, start), now: start.Add(-30 * time.Minute)},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			err := shake(t, tc.now, [2]end{{tc.server, ours.Bundle()}, {tc.client, ours.Bundle()}})
			if (err != nil) != tc.wantRefusal {
				t.Errorf("got %v, want a refusal: %v", err, tc.wantRefusal)
			}
		})
	}
}

// TestElevenYearsWithoutARefusal lives through every rotation of certificates and
// authorities, with ends that learn of each up to an hour late.
func TestElevenYearsWithoutARefusal(t *testing.T) {
	var a Authorities
	var serverNow, clientNow end
	changes, bundles := 0, 0
	const step = 48 * time.Hour
	for now := start; now.Before(start.Add(11 * 365 * 24 * time.Hour)); now = now.Add(step) {
		// The manager looks every half minute; three looks in a row are enough here.
		for _, at := range []time.Time{now, now.Add(settling / 2), now.Add(settling + time.Minute)} {
			oldServer, oldClient := serverNow, clientNow
			a = renewed(t, a, at)
			serverNow = end{pairOf(t, serverNow.pair, a, server, at), a.Bundle()}
			clientNow = end{pairOf(t, clientNow.pair, a, client, at), a.Bundle()}
			if bytes.Equal(serverNow.pair.Cert, oldServer.pair.Cert) && bytes.Equal(serverNow.trust, oldServer.trust) &&
				bytes.Equal(clientNow.pair.Cert, oldClient.pair.Cert) {
				continue
			}
			changes++
			if !bytes.Equal(serverNow.trust, oldServer.trust) {
				bundles++
			}
			if oldServer.trust == nil {
				continue // the first certificates come before the first handshake
			}
			for _, s := range []end{oldServer, serverNow} {
				for _, c := range []end{oldClient, clientNow} {
					if err := shake(t, at, [2]end{s, c}); err != nil {
						t.Fatalf("%s: %v", at, err)
					}
				}
			}
		}
	}
	if changes < 50 || bundles != 3 {
		t.Errorf("%d rotations, %d of authorities: want one pair each 60 days, and the authorities at the start, when one comes and when one goes", changes, bundles)
	}
}

func TestAuthoritiesComeBackAsTheyWere(t *testing.T) {
	a := renewed(t, nil, start)
	a = renewed(t, a, start.Add(authorityLife-24*time.Hour))
	if len(a) != 2 {
		t.Fatalf("%d authorities, want the old and the new", len(a))
	}
	certs, keys, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode(certs, keys)
	if err != nil {
		t.Fatal(err)
	}
	p := pairOf(t, Pair{}, a, client, start)
	if kept := pairOf(t, p, back, client, start); !bytes.Equal(kept.Cert, p.Cert) {
		t.Error("they do not know what they signed")
	}
	for name, damaged := range map[string][2][]byte{
		"a key is missing":     {certs, nil},
		"keys change places":   {certs, append(bytes.Clone(keys[len(keys)/2:]), keys[:len(keys)/2]...)},
		"no certificate":       {[]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), keys},
		"a key that is no key": {certs, certs},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Decode(damaged[0], damaged[1]); err == nil {
				t.Error("it was taken")
			}
		})
	}
}
