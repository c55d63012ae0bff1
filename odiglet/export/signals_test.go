package export

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/signal"
)

// TestAnotherSignalIsAValue: a signal that no sink knows is sent to the place that the
// environment says, with its own refusals and books, once it is in the list.
func TestAnotherSignalIsAValue(t *testing.T) {
	beats := &signal.Signal{
		Name: "beats", QueueBytes: 1 << 10, Senders: 1,
		Refused: func(answer []byte) (int, string, error) { return len(answer), "too many", nil },
		JSON:    func(body []byte) ([]byte, error) { return append([]byte("beat "), body...), nil },
	}
	before := signal.All
	signal.All = append(before[:len(before):len(before)], beats)
	t.Cleanup(func() { signal.All = before })

	var got []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got = append(got, r.URL.Path+" "+string(body))
		_, _ = w.Write([]byte("x")) // one is refused
	}))
	defer srv.Close()
	settings, err := EachFromEnv("", lookup(map[string]string{
		"OTEL_EXPORTER_OTLP_BEATS_ENDPOINT": srv.URL + "/v1/beats", "OTEL_EXPORTER_OTLP_BEATS_PROTOCOL": "http/protobuf",
	}))
	if err != nil {
		t.Fatal(err)
	}
	accounts := Accounts{beats: books.New()}
	sink, err := NewOTLP(Options{Settings: settings, Accounts: accounts, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	var written bytes.Buffer
	lines := NewJSONLines(&written, nil, beats)
	both := Both(lines, sink)
	accounts[beats].Seen(5)
	both.Send(signal.Batch{Signal: beats, Body: []byte("thump"), Items: 3})
	both.Send(signal.Batch{Signal: beats, Items: 2}) // could not be encoded
	if err := both.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/v1/beats thump"}, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	want := books.Balance{Seen: 5, Sent: 2, Dropped: map[loss.Name]uint64{loss.Rejected: 3}}
	if diff := cmp.Diff(want, accounts[beats].Balance(nil)); diff != "" {
		t.Errorf("books (-want +got):\n%s", diff)
	}
	if written.String() != "beat thump\n" {
		t.Errorf("lines %q", written.String())
	}
}
