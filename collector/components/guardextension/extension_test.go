package guardextension

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

func guardOf(t *testing.T, variables map[string]string) *guard {
	t.Helper()
	r, err := rulesOf(func(name string) string { return variables[name] })
	if err != nil {
		t.Fatal(err)
	}
	return &guard{cutter: newCutter(), rules: r}
}

func TestRules(t *testing.T) {
	r := guardOf(t, map[string]string{
		allowVariable: "169.254.7.0/24, ::1/128", nodeVariable: "10.0.0.5", apiServerVariable: "10.96.0.1",
	}).rules
	r.own = func() ([]net.Addr, error) {
		return []net.Addr{&net.IPNet{IP: net.ParseIP("10.244.0.9"), Mask: net.CIDRMask(24, 32)}}, nil
	}
	for address, want := range map[string]bool{
		"10.0.0.6": true, "192.168.0.1": true, "172.16.0.1": true, "fd12::1": true, "8.8.8.8": true, "10.244.0.10": true,
		"169.254.7.7": true, "::1": true,
		"10.0.0.5": false, "10.96.0.1": false, "10.244.0.9": false, "::ffff:10.0.0.5": false, "127.0.0.1": false, "127.9.9.9": false,
		"::ffff:127.0.0.1": false, "::": false, "0.0.0.0": false, "169.254.169.254": false, "fe80::1": false, "fe80::1%lo": false,
		"224.0.0.1": false, "255.255.255.255": false, "ff02::1": false, "168.63.129.16": false, "64:ff9b::a9fe:a9fe": false, "2002:7f00:1::": false,
	} {
		if got := r.allow(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
	r.own = func() ([]net.Addr, error) { return nil, errors.New("no") }
	if r.allow(netip.MustParseAddr("8.8.8.8")) {
		t.Error("it allows what it cannot judge")
	}
}

// TestConnectionsAreJudgedAfterTheNameIsResolved dials a name that is loopback's.
func TestConnectionsAreJudgedAfterTheNameIsResolved(t *testing.T) {
	var redirect bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if redirect {
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusTemporaryRedirect)
		}
	}))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	url := "http://localhost:" + port
	t.Setenv("HTTP_PROXY", server.URL)
	get := func(g *guard) error {
		wrap, err := g.GetHTTPRoundTripper(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		transport, err := wrap(t.Context(), http.DefaultTransport)
		if err != nil {
			t.Fatal(err)
		}
		response, err := (&http.Client{Transport: transport}).Get(url)
		if err == nil {
			err = response.Body.Close()
		}
		return err
	}
	if err := get(guardOf(t, nil)); !errors.Is(err, ErrAddress) {
		t.Errorf("HTTP: got %v, want a refusal", err)
	}
	allowing := guardOf(t, map[string]string{allowVariable: "127.0.0.0/8,::1/128"})
	if err := get(allowing); err != nil {
		t.Errorf("HTTP, allowed: %v", err)
	}
	redirect = true
	if err := get(allowing); !errors.Is(err, ErrRedirect) {
		t.Errorf("HTTP, redirected: got %v, want a refusal", err)
	}
	options, err := guardOf(t, nil).GetGRPCClientOptions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	connection, err := grpc.NewClient("dns:///localhost:"+port, append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	_, err = healthpb.NewHealthClient(connection).Check(context.Background(), &healthpb.HealthCheckRequest{})
	if err == nil || !regexp.MustCompile(ErrAddress.Error()).MatchString(err.Error()) {
		t.Errorf("gRPC: got %v, want a refusal", err)
	}
}

// TestTheManagerHasTheSameRanges compares the two lists, which are in modules that do not see each other.
func TestTheManagerHasTheSameRanges(t *testing.T) {
	prefixes := func(file string) []string {
		t.Helper()
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, match := range regexp.MustCompile(`MustParsePrefix\("([^"]+)"\)`).FindAllStringSubmatch(string(content), -1) {
			found = append(found, match[1])
		}
		return found
	}
	here, there := prefixes("rules.go"), prefixes("../../../internal/outbound/policy.go")
	if len(here) == 0 || !slices.Equal(here, there) {
		t.Errorf("here %v, there %v", here, there)
	}
}

// TestAReloadCutsWhatTakesLong and the end of the process does not.
func TestAReloadCutsWhatTakesLong(t *testing.T) {
	for name, tc := range map[string]struct {
		signalled, want bool
	}{"a reload": {false, true}, "the end": {true, false}} {
		t.Run(name, func(t *testing.T) {
			c := newCutter()
			c.grace = time.Millisecond
			if tc.signalled {
				c.signals <- os.Interrupt
			}
			ctx, end := c.bound(t.Context())
			defer end()
			if err := c.NotReady(); err != nil {
				t.Fatal(err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Millisecond):
			}
			if got := ctx.Err() != nil; got != tc.want {
				t.Errorf("cut is %v, want %v", got, tc.want)
			}
			if err := c.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Second):
				t.Error("something goes on after all")
			}
		})
	}
}
