package certificates

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/odi-dev/odi/bpf/handshake"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/odiglet/identity"
	"github.com/odi-dev/odi/odiglet/signal"
	"github.com/odi-dev/odi/odiglet/spans"
)

const (
	// MaxSeries bounds the servers of one service instance; those that were seen least recently
	// are left out.
	MaxSeries = 200
	// unseen is for how long nobody may have shown a certificate that is still told of: sessions are
	// resumed without it, for a day at most where nobody has set more.
	unseen = 24 * time.Hour
)

// Source is where certificates come from: the engine.
type Source interface {
	// Certificates returns all of them, until they are forgotten.
	Certificates() []handshake.Certificate
	ForgetCertificate(handshake.CertificateKey)
}

// Options are what a book needs.
type Options struct {
	Source  Source
	Origins spans.Origins
	// Lives says whether a process is still a target.
	Lives func(pid int) bool
}

// Book makes the metric. It keeps nothing.
type Book struct {
	Options
}

// New returns a book.
func New(o Options) *Book { return &Book{o} }

// label tells the series of a service instance apart.
type label struct {
	kind probe.Kind
	name string
	port uint16
}

func (l label) compare(o label) int {
	return cmp.Or(cmp.Compare(l.kind, o.kind), cmp.Compare(l.name, o.name), cmp.Compare(l.port, o.port))
}

// stream is what a service instance knows under one resource.
type stream struct {
	resource pcommon.Resource
	series   map[label]handshake.Certificate
}

// Collect returns when each certificate expires, as it was seen last.
func (b *Book) Collect(now time.Time) pmetric.Metrics {
	streams := make(map[identity.Key]*stream)
	for _, c := range b.Source.Certificates() {
		if !b.Lives(int(c.PID)) || now.Sub(c.Seen) > unseen {
			b.Source.ForgetCertificate(c.CertificateKey)
			continue
		}
		origin, ok := b.Origins.Origin(c.PID)
		if !ok || !origin.Metrics {
			continue
		}
		of := origin.Service.Key()
		s := streams[of]
		if s == nil {
			s = &stream{origin.Service.Resource(), make(map[label]handshake.Certificate)}
			streams[of] = s
		}
		s.put(c)
	}
	md := pmetric.NewMetrics()
	for _, of := range slices.SortedFunc(maps.Keys(streams), identity.Key.Compare) {
		streams[of].write(md, now)
	}
	return md
}

// put keeps what was seen last of a server, by any process of the instance.
func (s *stream) put(c handshake.Certificate) {
	l := label{c.Kind, c.Name, c.Port}
	if known, ok := s.series[l]; !ok || known.Seen.Before(c.Seen) {
		s.series[l] = c
	}
}

// latest are the labels of what is told of.
func (s *stream) latest() []label {
	all := slices.SortedFunc(maps.Keys(s.series), func(a, b label) int {
		return cmp.Or(s.series[b].Seen.Compare(s.series[a].Seen), a.compare(b))
	})
	all = all[:min(len(all), MaxSeries)]
	slices.SortFunc(all, label.compare)
	return all
}

func (s *stream) write(to pmetric.Metrics, now time.Time) {
	metrics := signal.AppendScope(to, s.resource, telemetry.ScopeCertificates)
	m := signal.AppendMetric(metrics, "odi.tls.certificate.expiry", "s",
		"When the certificate expires that a server has shown in the clear (TLS 1.2 and before), in seconds since 1970.")
	points := m.SetEmptyGauge().DataPoints()
	for _, l := range s.latest() {
		p := points.AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(now))
		p.SetIntValue(s.series[l].Expires.Unix())
		l.putAttributes(p.Attributes())
	}
}

func (l label) putAttributes(to pcommon.Map) {
	role := "server"
	if l.kind == probe.Client {
		role = "client"
	}
	to.PutStr(telemetry.TLSRole, role)
	if l.name != "" {
		to.PutStr(telemetry.ServerAddress, l.name)
	}
	if l.port != 0 {
		to.PutInt(telemetry.ServerPort, int64(l.port))
	}
}
