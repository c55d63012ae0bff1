package export

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/odiglet/signal"
)

func lookup(env map[string]string) Lookup {
	return func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}
}

func TestFromEnv(t *testing.T) {
	type env = map[string]string
	for name, tc := range map[string]struct {
		env      env
		endpoint string
		signal   *signal.Signal
		want     Settings
	}{
		"nothing is set": {
			want: Settings{Protocol: GRPC, Endpoint: "localhost:4317", Plaintext: true},
		},
		"the port of OTLP over HTTP": {
			endpoint: "http://localhost:4318",
			want:     Settings{Protocol: HTTPProtobuf, Endpoint: "http://localhost:4318/v1/traces", Plaintext: true},
		},
		"metrics go to their own path": {
			endpoint: "http://localhost:4318/", signal: signal.Metrics,
			want: Settings{Protocol: HTTPProtobuf, Endpoint: "http://localhost:4318/v1/metrics", Plaintext: true},
		},
		"a host and port on the command line is plaintext": {
			endpoint: "collector:4317",
			want:     Settings{Protocol: GRPC, Endpoint: "collector:4317", Plaintext: true},
		},
		"a host and port in the environment is TLS, as the specification has it": {
			env:  env{"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317"},
			want: Settings{Protocol: GRPC, Endpoint: "collector:4317"},
		},
		"unless it says insecure": {
			env:  env{"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317", "OTEL_EXPORTER_OTLP_INSECURE": "true"},
			want: Settings{Protocol: GRPC, Endpoint: "collector:4317", Plaintext: true},
		},
		"the scheme wins over insecure": {
			env:  env{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector", "OTEL_EXPORTER_OTLP_INSECURE": "true"},
			want: Settings{Protocol: GRPC, Endpoint: "collector:443"},
		},
		"a path means HTTP and is kept": {
			endpoint: "https://api.example.com/otlp",
			want:     Settings{Protocol: HTTPProtobuf, Endpoint: "https://api.example.com/otlp/v1/traces"},
		},
		"the protocol variable wins over the port": {
			env: env{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, endpoint: "http://localhost:4318",
			want: Settings{Protocol: GRPC, Endpoint: "localhost:4318", Plaintext: true},
		},
		"the signal's own variables win": {
			env: env{
				"OTEL_EXPORTER_OTLP_ENDPOINT": "http://all:4317", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://mine:9999/custom",
				"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
				"OTEL_EXPORTER_OTLP_TIMEOUT": "10000", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "1500",
			},
			want: Settings{Protocol: HTTPProtobuf, Endpoint: "http://mine:9999/custom", Plaintext: true, Timeout: 1500 * time.Millisecond},
		},
		"headers are decoded and merged, compression and certificates taken": {
			env: env{
				"OTEL_EXPORTER_OTLP_HEADERS": "Api-Key=a%3Db, tenant=one", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "tenant=two",
				"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip", "OTEL_EXPORTER_OTLP_CERTIFICATE": "/ca.pem",
			},
			want: Settings{
				Protocol: GRPC, Endpoint: "localhost:4317", Plaintext: true, Gzip: true, CAFile: "/ca.pem",
				Headers: map[string]string{"api-key": "a=b", "tenant": "two"},
			},
		},
		"an empty variable is unset": {
			env:  env{"OTEL_EXPORTER_OTLP_ENDPOINT": "", "OTEL_EXPORTER_OTLP_PROTOCOL": ""},
			want: Settings{Protocol: GRPC, Endpoint: "localhost:4317", Plaintext: true},
		},
		"an IPv6 address": {
			endpoint: "http://[::1]:4317",
			want:     Settings{Protocol: GRPC, Endpoint: "[::1]:4317", Plaintext: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.signal == nil {
				tc.signal = signal.Traces
			}
			if tc.want.Timeout == 0 {
				tc.want.Timeout = 10 * time.Second
			}
			if tc.want.Headers == nil {
				tc.want.Headers = map[string]string{}
			}
			got, err := FromEnv(tc.signal, tc.endpoint, lookup(tc.env))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFromEnvNamesWhatIsWrong(t *testing.T) {
	type env = map[string]string
	for name, tc := range map[string]struct {
		env      env
		endpoint string
		want     string
	}{
		"an unknown protocol":      {env: env{"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, want: `OTEL_EXPORTER_OTLP_PROTOCOL="http/json": want one of grpc, http/protobuf`},
		"an unknown compression":   {env: env{"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "zip"}, want: `OTEL_EXPORTER_OTLP_TRACES_COMPRESSION="zip": want one of none, gzip`},
		"a timeout with a unit":    {env: env{"OTEL_EXPORTER_OTLP_TIMEOUT": "10s"}, want: `want a positive number of milliseconds`},
		"another scheme":           {endpoint: "ftp://x", want: `scheme "ftp" is not http or https`},
		"no host":                  {endpoint: "http://", want: `has no host`},
		"a port that is none":      {endpoint: "localhost:99999", want: `port 99999 is not between 1 and 65535`},
		"a key without a file":     {env: env{"OTEL_EXPORTER_OTLP_CLIENT_KEY": "/k"}, want: `go together`},
		"a header without a value": {env: env{"OTEL_EXPORTER_OTLP_HEADERS": "a=b,secret"}, want: `OTEL_EXPORTER_OTLP_HEADERS: part 2 is not key=value`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := FromEnv(signal.Traces, tc.endpoint, lookup(tc.env))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows a header: %v", err)
			}
		})
	}
}
