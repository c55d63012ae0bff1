package collectorconfig

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/testkit"
)

// TestTheGenericTypesSendAsTheyAreTold tries each way to compress and to encode.
func TestTheGenericTypesSendAsTheyAreTold(t *testing.T) {
	r := newRecorder(t)
	want := map[string]string{}
	var lanes []Lane
	add := func(name, kind string, config map[string]string, sent string) {
		config["endpoint"] = "https://host:1"
		d := destination("odi-system", name, kind, config)
		d.Spec.Signals = []odiv1.Signal{odiv1.SignalTraces}
		lane := laneOf(t, d)
		r.redirect(lane.Exporters[0].Config, name)
		lanes = append(lanes, lane)
		want[name] = sent
	}
	for _, compression := range []string{"gzip", "zstd", "snappy", "none"} {
		used := strings.TrimPrefix(compression, "none")
		add("grpc-"+compression, "otlp", map[string]string{"compression": compression}, used)
		for encoding, kind := range map[string]string{"proto": "application/x-protobuf", "json": "application/json"} {
			add(encoding+"-"+compression, "otlphttp", map[string]string{"compression": compression, "encoding": encoding}, kind+", "+used)
		}
	}
	g := startGateway(t, nil, lanes...)
	g.send(t, "shop", 1)
	for name, sent := range want {
		testkit.Eventually(t, 20*time.Second, name+" comes as "+sent, func() bool { return r.cameAs(name, sent) })
	}
}

// TestSecretsArriveByteForByte in headers, in basic authentication, and in a path.
func TestSecretsArriveByteForByte(t *testing.T) {
	odd := `$${env:HOME} $5 {{x}} "'` + "`" + `#:,\ ` + strings.Repeat("0123456789", 400)
	r := newRecorder(t)
	keys := map[string]string{}
	var lanes []Lane
	add := func(name, kind string, config, secrets map[string]string) {
		d := destination("odi-system", name, kind, config)
		d.Spec.Signals = []odiv1.Signal{odiv1.SignalTraces}
		lane, err := LaneOf(d, "odi-system", secrets)
		if err != nil {
			t.Fatal(err)
		}
		for field, value := range secrets {
			keys[CredentialKey(d, field)] = value
		}
		r.redirect(lane.Exporters[0].Config, name)
		lanes = append(lanes, lane)
	}
	for _, kind := range []string{"otlp", "otlphttp"} {
		config := map[string]string{"endpoint": "https://host:1", "header_name": "x-key", "username": `m"$e`}
		add(kind, kind, config, map[string]string{"header_value": odd, "password": odd})
	}
	add("path", "sumologic", map[string]string{"endpoint": "https://host"}, map[string]string{"token": "aZ09_-.~=="})
	g := startGateway(t, keys, lanes...)
	g.send(t, "shop", 1)
	basic := "authorization=Basic " + base64.StdEncoding.EncodeToString([]byte(`m"$e:`+odd))
	for name, wants := range map[string][]string{
		"otlp": {"x-key=" + odd, basic}, "otlphttp": {"x-key=" + odd, basic}, "path": {"/receiver/v1/otlp/aZ09_-.~==/v1/traces"},
	} {
		testkit.Eventually(t, 20*time.Second, "data comes to "+name, func() bool { return r.lineOf(name) != "" })
		for _, want := range wants {
			if got := r.lineOf(name); !strings.Contains(got, want) {
				t.Errorf("%s: got %s\nwant %s", name, got, want)
			}
		}
	}
	if said := g.said(); strings.Contains(said, "aZ09_-") || strings.Contains(said, "0123456789012") {
		t.Error("the gateway's log has a secret")
	}
}

// TestNothingIsSentToAServerThatIsNotTrusted: an authority is named, or the certificate is a public one's.
func TestNothingIsSentToAServerThatIsNotTrusted(t *testing.T) {
	r := newRecorder(t)
	var lanes []Lane
	for _, kind := range []string{"otlp", "otlphttp"} {
		lane := laneOf(t, destination("odi-system", kind, kind, map[string]string{"endpoint": "https://host:1"}))
		r.redirect(lane.Exporters[0].Config, kind)
		delete(lane.Exporters[0].Config["tls"].(map[string]any), "ca_pem")
		lanes = append(lanes, lane)
	}
	g := startGateway(t, nil, lanes...)
	for _, kind := range []string{"otlp", "otlphttp"} {
		testkit.Eventually(t, 20*time.Second, "the heartbeat of "+kind+" says why", func() bool {
			return strings.Contains(g.metric(`odi_destination_up\{destination="odi-system/`+kind+`"`), "certificate signed by unknown authority")
		})
	}
	if r.count() > 0 || len(r.used) > 0 {
		t.Errorf("it got %s", r.text())
	}
}
