package answer

import (
	"mime"
	"time"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// Report is what `odi-collector ask` prints. The collector is another module: its
// own types are in collector/steady and collector/components/ask.
type Report struct {
	Destination string    `json:"destination"`
	UID         string    `json:"uid"`
	Generation  int64     `json:"generation,omitempty"`
	At          time.Time `json:"at"`
	TraceID     string    `json:"traceId"`
	Answers     []Reply   `json:"answers"`
}

// Reply is what came of one signal. No secret of the destination is in it.
type Reply struct {
	Signal odiv1.Signal `json:"signal"`
	// Words of the exporter, empty where it got rid of the data.
	Words string `json:"words,omitempty"`
	// URL that was asked, and the last step that went well, over HTTP alone.
	URL     string `json:"url,omitempty"`
	Reached string `json:"reached,omitempty"`
	// Status, ContentType and Body of an answer over HTTP.
	Status      int    `json:"status,omitempty"`
	ContentType string `json:"contentType,omitempty"`
	Body        string `json:"body,omitempty"`
	// SkewSeconds is how far the gateway's clock is ahead of the backend's.
	SkewSeconds int64 `json:"skewSeconds,omitempty"`
	// Rejected counts what the backend did not keep of data that it took; Message says why, or warns.
	Rejected     int64  `json:"rejected,omitempty"`
	Message      string `json:"message,omitempty"`
	Milliseconds int64  `json:"milliseconds"`
}

// page says whether the answer is for people: nothing that takes OTLP answers so.
func (r Reply) page() bool {
	kind, _, _ := mime.ParseMediaType(r.ContentType)
	return kind == "text/html"
}

// taken says whether the backend has the data.
func (r Reply) taken() bool {
	return r.Words == "" && r.Rejected == 0 && (r.Status == 0 || r.Status < 300 && !r.page())
}
