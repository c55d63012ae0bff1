package jaeger_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/hack/demo/jaeger"
	"github.com/odi-dev/odi/hack/demo/trace"
)

// answerOfJaeger is cut down from what Jaeger 1.76 returned.
const answerOfJaeger = `{"result":{"resourceSpans":[{"resource":{"attributes":[
  {"key":"service.name","value":{"stringValue":"frontend"}}]},
  "scopeSpans":[{"scope":{"name":"odi/http1"},"spans":[{
    "traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","parentSpanId":"1112131415161718",
    "name":"GET","kind":2,"startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000002000000",
    "attributes":[{"key":"url.path","value":{"stringValue":"/checkout/a-1"}},
      {"key":"http.response.status_code","value":{"intValue":"200"}}],"status":{}}]}]}]}}`

func TestTraces(t *testing.T) {
	tests := map[string]struct {
		status  int
		body    string
		want    int
		wantErr string
	}{
		"a trace":                {status: 200, body: answerOfJaeger, want: 1},
		"no trace fits":          {status: 404, body: `{"error":{"httpCode":404,"message":"No traces found"}}`},
		"the service is missing": {status: 404, body: `{"kind":"Status","message":"services \"jaeger\" not found"}`, wantErr: "not found"},
		"no pod is ready":        {status: 503, body: `{"kind":"Status","message":"no endpoints available"}`, wantErr: "no endpoints available"},
		"not an answer of ours":  {status: 200, body: `<html>`, wantErr: "reading Jaeger's answer"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if got := r.URL.Query().Get("query.service_name"); got != "frontend" {
					t.Errorf("asked for service %q, want frontend", got)
				}
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte(tc.body))
			}))
			defer server.Close()

			client := jaeger.Client{HTTP: server.Client(), URL: server.URL}
			got, err := client.Traces(t.Context(), jaeger.Query{Service: "frontend", From: time.Unix(1_700_000_000, 0)})
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Errorf("want an error with %q, got %v", tc.wantErr, err)
				}
				return
			}
			if err != nil || len(got) != tc.want {
				t.Fatalf("got %d traces and error %v, want %d", len(got), err, tc.want)
			}
			if tc.want == 0 {
				return
			}
			s := got[0].Spans[0]
			if s.Service != "frontend" || s.Kind != trace.Server || s.Path() != "/checkout/a-1" || s.Duration() != 2*time.Millisecond {
				t.Errorf("got span %+v", s)
			}
		})
	}
}
