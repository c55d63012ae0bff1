package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/odi-dev/odi/odiglet/attach"
	"github.com/odi-dev/odi/odiglet/export"
	"github.com/odi-dev/odi/odiglet/handover"
)

const (
	// witnessEvery is the pace at which the node collector is told who is who and asked
	// what agents reported: a new pod's agent is refused, and tries again, for as long.
	witnessEvery = 2 * time.Second
	// maxReport bounds what is read of an answer: a few bytes for each container.
	maxReport = 4 << 20
	// portPods is where the node collector listens for the table: collectorconfig.PortPods.
	portPods = 4319
)

// agentReport is what the node collector says; see the extension.
type agentReport struct {
	Epoch    string                       `json:"epoch"`
	Table    string                       `json:"table"`
	Reported map[string]map[string]uint64 `json:"reported"`
}

// witness tells the node collector which pod is which, and the agents' processes what
// the collector has got of them.
type witness struct {
	url       string
	client    *http.Client
	log       *slog.Logger
	cluster   *cluster
	instances func() []attach.Instance
	// addresses are those of the node itself.
	addresses func() []netip.Addr
	// judged is called after an agent was found to see nothing, or to see after all.
	judged func()

	epoch string
	// containers are those whose agents the collector takes data of, by pod and name.
	containers map[string]*witnessed
	failed     bool
}

// witnessed is since when the collector takes what a container sends.
type witnessed struct {
	since time.Time
	seen  bool // this time
}

// newWitness returns nil where the receiver is no collector of odi's own.
func newWitness(s export.Settings, c *cluster, log *slog.Logger) (*witness, error) {
	host, _, err := net.SplitHostPort(s.Endpoint)
	if err != nil || s.Plaintext || s.Protocol != export.GRPC || s.CertFile == "" {
		return nil, nil
	}
	config, err := s.TLS()
	if err != nil {
		return nil, err
	}
	address := net.JoinHostPort(host, strconv.Itoa(portPods))
	return &witness{
		url: "https://" + address + "/v1/pods", log: log, cluster: c, addresses: hostAddresses,
		client: &http.Client{
			Timeout: 10 * time.Second,
			// Idle for less than a turn: each asks with the certificate that is good then.
			Transport: &http.Transport{TLSClientConfig: config, IdleConnTimeout: time.Minute, MaxIdleConns: 1},
		},
		containers: make(map[string]*witnessed),
	}, nil
}

// run works until ctx ends. Where nobody has an agent, it asks less often.
func (w *witness) run(ctx context.Context) error {
	const idle, reconnect = 5, 150
	tick := time.NewTicker(witnessEvery)
	defer tick.Stop()
	for turn := 0; ; turn++ {
		if turn%reconnect == reconnect-1 {
			w.client.CloseIdleConnections() // certificates and authorities change
		}
		if turn%idle == 0 || w.cluster.wantsAgents() {
			w.say(ctx, w.once(ctx, time.Now()))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// say tells of trouble once: agents keep what they have, and try again.
func (w *witness) say(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil && !w.failed {
		w.log.Warn("the node collector does not learn which pod is which", "error", err)
	}
	w.failed = err != nil
}

// once brings the collector's table up to date, and judges by its answer.
func (w *witness) once(ctx context.Context, now time.Time) error {
	instances := w.instances()
	table := w.cluster.agentTable(instances)
	table.HostAddresses = w.addresses()
	body, err := json.Marshal(table)
	if err != nil {
		return fmt.Errorf("writing the table of pods: %w", err)
	}
	report, err := w.ask(ctx, http.MethodGet, nil)
	if sum := sha256.Sum256(body); err == nil && report.Table != hex.EncodeToString(sum[:]) {
		report, err = w.ask(ctx, http.MethodPut, body)
	}
	if err != nil {
		w.containers = make(map[string]*witnessed) // silence says nothing now
		return err
	}
	w.judge(report, table, instances, now)
	return nil
}

func (w *witness) ask(ctx context.Context, method string, body []byte) (agentReport, error) {
	r, err := http.NewRequestWithContext(ctx, method, w.url, bytes.NewReader(body))
	if err != nil {
		return agentReport{}, fmt.Errorf("asking the node collector: %w", err)
	}
	answer, err := w.client.Do(r)
	if err != nil {
		return agentReport{}, fmt.Errorf("asking the node collector: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxReport))
	if err != nil {
		return agentReport{}, fmt.Errorf("reading the node collector's answer: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return agentReport{}, fmt.Errorf("the node collector answers %s: %.200s", answer.Status, text)
	}
	var report agentReport
	if err := json.Unmarshal(text, &report); err != nil {
		return agentReport{}, fmt.Errorf("reading the node collector's answer: %w", err)
	}
	return report, nil
}

// judge brings the processes what the collector knows of their containers.
func (w *witness) judge(report agentReport, table agentTable, instances []attach.Instance, now time.Time) {
	if report.Epoch != w.epoch {
		w.epoch, w.containers = report.Epoch, make(map[string]*witnessed)
	}
	w.meet(table, now)
	changed := false
	for _, in := range instances {
		at, ok := w.cluster.find(in.Process.Container.ID)
		if !ok || in.Agent == nil {
			continue
		}
		met := w.containers[at.pod.uid+"/"+at.container.name]
		if met == nil {
			continue // nothing of it would be taken
		}
		if tell(in.Agent, report.Reported[at.pod.uid], at.container.name, met.since, now) {
			changed = true
		}
	}
	if changed {
		w.judged()
	}
}

func tell(p *handover.Process, reported map[string]uint64, container string, since, now time.Time) bool {
	if reported[container]+reported[""] > 0 {
		return p.Vouch()
	}
	return p.Doubt(since, now)
}

// meet notes since when the collector takes what each container sends.
func (w *witness) meet(table agentTable, now time.Time) {
	for _, p := range table.Pods {
		for name := range p.Containers {
			key := p.UID + "/" + name
			if w.containers[key] == nil {
				w.containers[key] = &witnessed{since: now}
			}
			w.containers[key].seen = true
		}
	}
	for key, c := range w.containers {
		if !c.seen {
			delete(w.containers, key)
			continue
		}
		c.seen = false
	}
}
