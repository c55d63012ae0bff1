package ask

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"google.golang.org/grpc"
	"google.golang.org/grpc/resolver"
)

// Middleware makes the extension that looks at answers. It is the first of an
// exporter's middlewares: the guard has to be the last.
func (q *Question) Middleware() extension.Factory {
	return extension.NewFactory(
		component.MustNewType(Name),
		func() component.Config { return &config{} },
		func(context.Context, extension.Settings, component.Config) (extension.Extension, error) {
			return middleware{question: q}, nil
		},
		component.StabilityLevelBeta,
	)
}

type middleware struct {
	component.StartFunc
	component.ShutdownFunc
	question *Question
}

var (
	_ extensionmiddleware.HTTPClient = middleware{}
	_ extensionmiddleware.GRPCClient = middleware{}
)

// GetGRPCClientOptions implements extensionmiddleware.GRPCClient. An error of gRPC says it all,
// but for names.
func (m middleware) GetGRPCClientOptions(context.Context) ([]grpc.DialOption, error) {
	return []grpc.DialOption{grpc.WithResolvers(names{Builder: resolver.Get("dns"), question: m.question})}, nil
}

// GetHTTPRoundTripper implements extensionmiddleware.HTTPClient.
func (m middleware) GetHTTPRoundTripper(context.Context) (extensionmiddleware.WrapHTTPRoundTripperFunc, error) {
	return func(_ context.Context, base http.RoundTripper) (http.RoundTripper, error) {
		return witness{question: m.question, next: base}, nil
	}, nil
}

// witness sees requests and answers.
type witness struct {
	question *Question
	next     http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (w witness) RoundTrip(request *http.Request) (*http.Response, error) {
	signal, asked := request.Context().Value(signalKey{}).(string)
	if !asked {
		return w.next.RoundTrip(request)
	}
	w.question.note(signal, func(a *Answer) { a.URL = request.URL.String() })
	response, err := w.send(request.WithContext(httptrace.WithClientTrace(request.Context(), w.steps(signal))))
	if err != nil {
		return nil, err
	}
	body := w.look(response)
	w.question.note(signal, func(a *Answer) {
		a.Status, a.ContentType, a.Body = response.StatusCode, response.Header.Get("Content-Type"), body
		if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
			a.SkewSeconds = int64(time.Since(date).Round(time.Second).Seconds())
		}
	})
	return response, nil
}

// spokeFirst is what net/http says of a server that spoke before a request was written (its
// persistConn.readLoopPeekFailLocked): the server's words are lost then. Which of the two comes first is chance.
const spokeFirst, mostTries = "readLoopPeekFailLocked", 4

// send asks again where the server's own words were lost.
func (w witness) send(request *http.Request) (*http.Response, error) {
	for try := 1; ; try++ {
		response, err := w.next.RoundTrip(request)
		if err == nil || try == mostTries || request.GetBody == nil || !strings.Contains(err.Error(), spokeFirst) {
			return response, err
		}
		body, again := request.GetBody()
		if again != nil {
			return nil, err
		}
		request = request.Clone(request.Context())
		request.Body = body
	}
}

// steps note how far a request came.
func (w witness) steps(signal string) *httptrace.ClientTrace {
	reach := func(step string) { w.question.note(signal, func(a *Answer) { a.Reached = step }) }
	return &httptrace.ClientTrace{
		DNSDone: func(info httptrace.DNSDoneInfo) {
			if info.Err == nil {
				reach("name")
			}
		},
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				reach("connection")
			}
		},
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err == nil {
				reach("tls")
			}
		},
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil {
				reach("request")
			}
		},
		GotFirstResponseByte: func() { reach("answer") },
	}
}

// largestBody is read of an answer. Secrets are taken out of it before it is cut
// to what people read, so that no part of one is left at the end.
const largestBody = 64 << 10

// look reads what an answer says besides success, and gives it back to the exporter.
func (witness) look(response *http.Response) string {
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if response.StatusCode < 300 && kind != "text/html" {
		return ""
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, largestBody))
	if err != nil {
		body = append(body, " (the rest was not to be had)"...)
	}
	response.Body = rest{Reader: io.MultiReader(bytes.NewReader(body), response.Body), Closer: response.Body}
	if kind == "application/x-protobuf" {
		return "" // The exporter reads it, and has its message.
	}
	return string(body)
}

// rest is a body whose beginning was read.
type rest struct {
	io.Reader
	io.Closer
}
