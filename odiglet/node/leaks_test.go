package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/nodeapi"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/secrets"
)

// TestNoSecretIsReported hides secrets where an application and the odiglet have them, and looks for each in all that
// the odiglet tells beside spans: its NodeInstrumentation, metrics, query API and log. The receiver refuses all, and
// says back what it was sent, so that what it says is told, too.
func TestNoSecretIsReported(t *testing.T) {
	testkit.NeedRoot(t)
	const containerID = "6f0e1d2c3b4a59687766554433221100ffeeddccbbaa99887766554433221100"
	hidden := hide(t)
	config := testkit.APIServer(t)
	c := testkit.Client(t, config)
	app := startApp(t, containerID, func(cmd *exec.Cmd) {
		cmd.Args = append(cmd.Args, "--token="+hidden("option"), "--password", hidden("argument"))
		cmd.Env = append(cmd.Env, "DATABASE_URL=postgres://alice:"+hidden("variable")+"@db/shop",
			"OTEL_EXPORTER_OTLP_HEADERS=api-key="+hidden("header for telemetry"))
	})
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, "not %v at %s", r.Header, r.URL)
	}))
	t.Cleanup(refusing.Close)
	makePod(t, c, containerID)
	testkit.Create(t, c, &odiv1.InstrumentedWorkload{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "deployment-cart"},
		Spec: odiv1.InstrumentedWorkloadSpec{
			Workload: odiv1.WorkloadReference{Kind: odiv1.KindDeployment, Name: "cart"}, Config: "all",
			Containers: []odiv1.ContainerDecision{{Name: "app", Method: odiv1.MethodEBPF, Reason: odiv1.ReasonMethodEBPF}},
		},
	})
	listen, query := loopback.Address(t), loopback.Address(t)
	settings := map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": strings.Replace(refusing.URL, "://", "://alice:"+hidden("user info of the receiver")+"@", 1),
		"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_HEADERS": "api-key=" + hidden("header of the receiver"),
		"POD_NAMESPACE": "default",
	}
	log := &said{}
	stop := startNode(t, Options{
		Node: "n1", Listen: listen, Query: query, Config: config,
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Env: func(name string) (string, bool) { v, ok := settings[name]; return v, ok },
	})
	ni := &odiv1.NodeInstrumentation{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}
	wantFact(t, c, ni, "it is attached", func(f odiv1.ContainerFact) bool { return f.AttachedPods == 1 })

	const requests = 4
	for range requests {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+app+"/reset/"+hidden("path")+"?token="+hidden("query"),
			strings.NewReader("password="+hidden("body")))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+hidden("authorization"))
		req.Header.Set("Cookie", "session="+hidden("cookie"))
		req.Header.Set("Baggage", "user="+hidden("baggage"))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	var self nodeapi.Node
	testkit.Eventually(t, 20*time.Second, "the requests are seen, and refused", func() bool {
		ask(t, query, nodeapi.NodePath, &self)
		return self.Books.Seen >= requests && self.ExportError != ""
	})
	testkit.EventuallyObject(t, c, ni, "the node reports", func(ni *odiv1.NodeInstrumentation) bool { return ni.Status.Attached == 1 })
	report, err := json.Marshal(ni)
	if err != nil {
		t.Fatal(err)
	}
	const whose = "?namespace=shop&kind=Deployment&name=cart"
	ways := map[string][]byte{
		"the NodeInstrumentation": report,
		"metrics":                 []byte(read(t, "http://"+listen+"/metrics")),
		"the node":                []byte(read(t, "http://"+query+nodeapi.NodePath)),
		"processes":               []byte(read(t, "http://"+query+nodeapi.ProcessesPath+whose)),
		"routes":                  []byte(read(t, "http://"+query+nodeapi.RoutesPath+whose)),
	}
	_ = stop() // it says that nobody took what it had
	ways["the log"] = log.all()
	for way, mark := range map[string]string{
		"the NodeInstrumentation": `"cart"`, "metrics": "odi_targets 1", "the node": "401", "processes": `"cart-5d9-x"`,
		"routes": "/reset/", "the log": "requests gave no span",
	} {
		if !bytes.Contains(ways[way], []byte(mark)) {
			t.Errorf("%s have nothing of %s: %s", way, mark, ways[way])
		}
	}
	for way, told := range ways {
		text := secrets.In(told)
		for _, place := range places {
			if place == "path" && way == "routes" {
				continue // they are made of paths
			}
			if form := text.Find(hidden(place)); form != "" {
				t.Errorf("%s have the secret of the %s, %s:\n%s", way, place, form, told)
			}
		}
	}
}

// places are where secrets stand.
var places = []string{
	"option", "argument", "variable", "header for telemetry", "user info of the receiver", "header of the receiver",
	"path", "query", "body", "authorization", "cookie", "baggage",
}

// hide makes a secret for each place, and logs what they are made from.
func hide(t *testing.T) func(place string) string {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	random, made := rand.New(rand.NewPCG(seed, 1)), map[string]string{}
	for _, place := range places {
		made[place] = secrets.New(random)
	}
	return func(place string) string {
		if made[place] == "" {
			t.Fatalf("nobody looks for the secret of a place that is called %q", place)
		}
		return made[place]
	}
}

// said keeps what is written.
type said struct {
	mu  sync.Mutex
	log bytes.Buffer
}

func (s *said) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(line)
}

func (s *said) all() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.log.Bytes())
}
