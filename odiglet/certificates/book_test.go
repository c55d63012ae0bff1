package certificates

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/handshake"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/odiglet/identity"
	"github.com/odi-dev/odi/odiglet/spans"
)

// world is an engine and who its processes are.
type world struct {
	all     []handshake.Certificate
	origins map[uint32]*spans.Origin
	dead    map[int]bool
	forgot  []handshake.CertificateKey
}

func (w *world) Certificates() []handshake.Certificate { return w.all }

func (w *world) ForgetCertificate(k handshake.CertificateKey) { w.forgot = append(w.forgot, k) }

func (w *world) Origin(pid uint32) (*spans.Origin, bool) { o, ok := w.origins[pid]; return o, ok }

// points are what a collection says: by service and labels.
func (w *world) points(now time.Time) map[string]int64 {
	book := New(Options{Source: w, Origins: w, Lives: func(pid int) bool { return !w.dead[pid] }})
	all := make(map[string]int64)
	for _, rm := range book.Collect(now).ResourceMetrics().All() {
		name, _ := rm.Resource().Attributes().Get("service.name")
		m := rm.ScopeMetrics().At(0).Metrics().At(0)
		for _, p := range m.Gauge().DataPoints().All() {
			text := name.Str() + " " + m.Name()
			for _, key := range []string{"odi.tls.role", "server.address", "server.port"} {
				if v, ok := p.Attributes().Get(key); ok {
					text += " " + v.AsString()
				}
			}
			all[text] = p.IntValue()
		}
	}
	return all
}

func service(name string) *spans.Origin {
	return &spans.Origin{Service: identity.Service{Name: name, InstanceID: name + "-1"}, Metrics: true}
}

func TestCollect(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	seen := func(pid uint32, kind probe.Kind, name string, ago time.Duration, expires int64) handshake.Certificate {
		key := handshake.CertificateKey{Name: name, PID: pid, Port: 443, Kind: kind}
		return handshake.Certificate{CertificateKey: key, Expires: time.Unix(expires, 0), Seen: now.Add(-ago)}
	}
	quiet := service("quiet")
	quiet.Metrics = false
	w := &world{
		origins: map[uint32]*spans.Origin{1: service("shop"), 2: service("shop"), 3: quiet, 4: service("gone")},
		dead:    map[int]bool{4: true},
		all: []handshake.Certificate{
			seen(1, probe.Client, "bank.test", time.Hour, 111), // renewed since
			seen(2, probe.Client, "bank.test", time.Minute, 222),
			seen(1, probe.Server, "", time.Hour, 333),
			seen(1, probe.Client, "old.test", 25*time.Hour, 444),
			seen(3, probe.Client, "bank.test", 0, 555),
			seen(4, probe.Client, "bank.test", 0, 666),
			seen(5, probe.Client, "bank.test", 0, 777), // nobody knows it yet
		},
	}
	want := map[string]int64{
		"shop odi.tls.certificate.expiry client bank.test 443": 222,
		"shop odi.tls.certificate.expiry server 443":           333,
	}
	if diff := cmp.Diff(want, w.points(now)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wantForgot := []handshake.CertificateKey{w.all[3].CertificateKey, w.all[5].CertificateKey}
	if diff := cmp.Diff(wantForgot, w.forgot); diff != "" {
		t.Errorf("forgotten (-want +got):\n%s", diff)
	}
}

// TestManyServers are more than are told of: those that were seen last are.
func TestManyServers(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	w := &world{origins: map[uint32]*spans.Origin{1: service("crawler")}}
	for i := range 3 * MaxSeries {
		key := handshake.CertificateKey{Name: fmt.Sprintf("n%d.test", i), PID: 1, Kind: probe.Client}
		w.all = append(w.all, handshake.Certificate{CertificateKey: key, Seen: now.Add(-time.Duration(i) * time.Second), Expires: now})
	}
	got := w.points(now)
	if _, newest := got["crawler odi.tls.certificate.expiry client n0.test"]; len(got) != MaxSeries || !newest {
		t.Errorf("%d series", len(got))
	}
}
