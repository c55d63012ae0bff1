package answer

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/destinations"
)

// About is the destination that was asked, without its secrets.
type About struct {
	Name   string
	Type   destinations.Type
	Config map[string]string
	// Secret says whether it has one.
	Secret bool
	// Endpoint is its address.
	Endpoint string
}

// Step is how far data came, or where it ended.
type Step string

// Steps, in the order in which data takes them.
const (
	StepToken      Step = "token"   // there is none to sign in with
	StepGuard      Step = "address" // odi itself refuses to send there
	StepName       Step = "DNS"
	StepConnection Step = "TCP"
	StepTLS        Step = "TLS"
	StepProxy      Step = "proxy"
	StepHTTP       Step = "HTTP"
	StepGRPC       Step = "gRPC"
)

// Finding is what is to be said of one signal.
type Finding struct {
	Signal   odiv1.Signal `json:"signal"`
	Accepted bool         `json:"accepted"`
	// Step is where it ended, empty when the data was accepted.
	Step Step `json:"step,omitempty"`
	// Cause is one of a few.
	Cause string `json:"cause,omitempty"`
	// Words are the backend's, or those of the attempt to reach it.
	Words string `json:"words,omitempty"`
	// Hint says what to look at first.
	Hint         string `json:"hint,omitempty"`
	Milliseconds int64  `json:"milliseconds"`
}

// Explain says what each reply means, in their order.
func Explain(replies []Reply, about About) []Finding {
	anyTaken := false
	for _, r := range replies {
		anyTaken = anyTaken || r.taken()
	}
	findings := make([]Finding, 0, len(replies))
	for _, r := range replies {
		findings = append(findings, explain(question{Reply: r, About: about, others: anyTaken}))
	}
	return findings
}

// question is all that the explanation of one reply depends on.
type question struct {
	Reply
	About
	others bool // Some signal was taken.
	cause  string
	said   string // what the backend says, in small letters
}

func explain(q question) Finding {
	f := Finding{Signal: q.Signal, Accepted: q.taken(), Words: words(q.Reply), Milliseconds: q.Milliseconds}
	if f.Accepted {
		return f
	}
	q.cause = causeOf(q.Reply)
	q.said = strings.ToLower(q.Words + " " + q.Body + " " + q.Message)
	f.Cause, f.Step, f.Hint = q.cause, step(q), hint(q)
	return f
}

func causeOf(r Reply) string {
	switch {
	case r.Rejected > 0:
		return "it answers that it took the data, and did not keep it"
	case r.Status != 0 && r.page() && (r.Status < 300 || r.Status == http.StatusNotFound):
		return fmt.Sprintf("it answers with a web page, as no receiver of OTLP does (%d)", r.Status)
	case r.Status >= 300:
		return meaning(strconv.Itoa(r.Status))
	}
	return Cause(r.Words)
}

// steps by the beginning of a cause.
var steps = []struct {
	cause string
	step  Step
}{
	{tokenless, StepToken},
	{"odi sends nothing", StepGuard},
	{"no such host", StepName},
	{unnamed, StepName},
	{"connection refused", StepConnection},
	{"no route", StepConnection},
	{"its certificate", StepTLS},
	{"it asks for a client's certificate", StepTLS},
	{"it does not speak TLS", StepTLS},
	{"TLS cannot", StepTLS},
	{"a proxy", StepProxy},
}

func step(q question) Step {
	for _, s := range steps {
		if strings.HasPrefix(q.cause, s.cause) {
			return s.step
		}
	}
	silent := q.Status == 0 && (strings.HasPrefix(q.cause, "no answer") || strings.HasPrefix(q.cause, "the connection was cut"))
	switch {
	case silent && q.unconnected():
		return StepConnection
	case silent && q.shaking():
		return StepTLS
	case q.URL != "":
		return StepHTTP
	}
	return StepGRPC
}

// unconnected says whether the time was up before there was a connection.
func (q question) unconnected() bool {
	if q.URL != "" {
		return q.Reached == "" || q.Reached == "name"
	}
	return strings.Contains(q.Words, "i/o timeout") || strings.Contains(q.Words, "error while dialing") || strings.Contains(q.Words, "Error while dialing")
}

// shaking says whether it ended in the handshake of TLS.
func (q question) shaking() bool { return q.URL != "" && !q.plain() && q.Reached == "connection" }

// inner is the part of a gRPC error that says something.
var inner = regexp.MustCompile(`^rpc error: code = (\w+) desc = (?:connection error: desc = "(?:transport: )?(.*)"|(.*))$`)

// asked is what the exporter says of every request over HTTP: the address stands elsewhere.
var asked = regexp.MustCompile(`^failed to make an HTTP request: (Post "[^"]*": )?`)

// words are what people are to read: the answer itself, where there is one.
func words(r Reply) string {
	if r.Status != 0 && (r.Status >= 300 || r.page()) {
		status := strings.TrimSpace(fmt.Sprintf("HTTP %d %s", r.Status, http.StatusText(r.Status)))
		if body := oneLine(r.Body); body != "" {
			return status + ": " + body
		}
		if _, message, found := strings.Cut(r.Words, "Message="); found {
			if message, _, _ = strings.Cut(message, ", Details="); message != "" {
				return status + ": " + oneLine(message)
			}
		}
		return status
	}
	if r.Words == "" {
		return oneLine(r.Message)
	}
	text := asked.ReplaceAllString(r.Words, "")
	if i := strings.Index(text, noToken); i >= 0 {
		return oneLine(text[i:]) // Whose request it was is of no use.
	}
	if m := inner.FindStringSubmatch(text); m != nil {
		text = m[2]
		if text == "" {
			text = "gRPC " + m[1] + ": " + m[3]
		}
	}
	return oneLine(strings.ReplaceAll(text, `\"`, `"`))
}

// longestLine is what people read at once of a body.
const longestLine = 400

// markup is what a web page has besides its text.
var markup = regexp.MustCompile(`(?s)<(script|style)\b.*?</(script|style)>|<[^>]*>`)

// oneLine is a text without line ends and markup, not too long.
func oneLine(text string) string {
	if strings.Contains(text, "<") && strings.Contains(text, ">") {
		text = cmp.Or(strings.TrimSpace(markup.ReplaceAllString(text, " ")), text)
	}
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > longestLine {
		text = strings.ToValidUTF8(text[:longestLine], "") + "..."
	}
	return text
}
