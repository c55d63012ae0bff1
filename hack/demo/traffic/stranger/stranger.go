// Package stranger is a pod that tries to be another: it sends spans in the name
// of somebody else's workload to whatever takes OTLP, in every way that needs no
// certificate of odi's. The driver runs it; the end-to-end test judges the answers.
package stranger

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// patience is far above what a pod of the same cluster takes to answer.
const patience = 3 * time.Second

// Claim says what to send and where.
type Claim struct {
	// Addresses are host:port.
	Addresses []string
	// Service and Namespace are whose name the spans have.
	Service, Namespace string
}

// Answer is what one address said to one way.
type Answer struct {
	Address, Way string
	Taken        bool
	// Words say why not.
	Words string
}

// Try sends one span to each address in each way.
func Try(ctx context.Context, c Claim) []Answer {
	var answers []Answer
	// It wants in, whoever that is.
	anybody := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // A stranger trusts nobody's name.
	ways := map[string]func(context.Context, string, ptraceotlp.ExportRequest) error{
		"gRPC": func(ctx context.Context, a string, r ptraceotlp.ExportRequest) error {
			return byGRPC(ctx, a, r, insecure.NewCredentials())
		},
		"gRPC with TLS": func(ctx context.Context, a string, r ptraceotlp.ExportRequest) error {
			return byGRPC(ctx, a, r, credentials.NewTLS(anybody))
		},
		"HTTP": byHTTP,
	}
	for _, address := range c.Addresses {
		for way, send := range ways {
			limited, cancel := context.WithTimeout(ctx, patience)
			err := send(limited, address, request(c))
			cancel()
			a := Answer{Address: address, Way: way, Taken: err == nil}
			if err != nil {
				a.Words = err.Error()
			}
			answers = append(answers, a)
		}
	}
	return answers
}

func request(c Claim) ptraceotlp.ExportRequest {
	data := ptrace.NewTraces()
	rs := data.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", c.Service)
	rs.Resource().Attributes().PutStr("k8s.namespace.name", c.Namespace)
	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	var trace [16]byte
	var id [8]byte
	_, _ = rand.Read(trace[:]) // It never fails.
	_, _ = rand.Read(id[:])
	span.SetTraceID(trace)
	span.SetSpanID(id)
	span.SetName("GET /forged")
	span.SetKind(ptrace.SpanKindServer)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-time.Millisecond)))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	return ptraceotlp.NewExportRequestFromTraces(data)
}

func byGRPC(ctx context.Context, address string, r ptraceotlp.ExportRequest, as credentials.TransportCredentials) error {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(as))
	if err != nil {
		return fmt.Errorf("preparing to send: %w", err)
	}
	defer connection.Close()
	_, err = ptraceotlp.NewGRPCClient(connection).Export(ctx, r)
	return err
}

func byHTTP(ctx context.Context, address string, r ptraceotlp.ExportRequest) error {
	body, err := r.MarshalProto()
	if err != nil {
		return fmt.Errorf("encoding a span: %w", err)
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/v1/traces", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("making a request: %w", err)
	}
	q.Header.Set("Content-Type", "application/x-protobuf")
	client := http.Client{Transport: &http.Transport{}} // No proxy, whatever the environment says.
	defer client.CloseIdleConnections()
	answer, err := client.Do(q)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 200)) // The status alone is an answer too.
	// Health and metrics answer anything; who takes spans answers with an encoded response.
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "application/x-protobuf" {
		return fmt.Errorf("%s: %s", answer.Status, text)
	}
	return nil
}
