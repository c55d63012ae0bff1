package export

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/odi-dev/odi/odiglet/signal"
)

type grpcTransport struct {
	conn     *grpc.ClientConn
	method   string
	metadata metadata.MD
	options  []grpc.CallOption
}

func newGRPCTransport(method string, s Settings, config *tls.Config, b Backoff) (*grpcTransport, error) {
	creds := insecure.NewCredentials()
	if config != nil {
		creds = freshTLS{credentials.NewTLS(config), s}
	}
	conn, err := grpc.NewClient("dns:///"+s.Endpoint,
		grpc.WithTransportCredentials(creds),
		grpc.WithUserAgent(userAgent()),
		// The default of 32 KiB serves large answers; these are a few bytes.
		grpc.WithReadBufferSize(4<<10),
		// By default a connection is tried again after up to two minutes.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: b.First, Multiplier: 2, Jitter: 0.25, MaxDelay: b.Longest},
			MinConnectTimeout: 5 * time.Second,
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("preparing OTLP to %s: %w", s.Endpoint, err)
	}
	t := &grpcTransport{
		conn:     conn,
		method:   method,
		metadata: metadata.New(s.Headers),
		options:  []grpc.CallOption{grpc.ForceCodecV2(encoded{})},
	}
	if s.Gzip {
		t.options = append(t.options, grpc.UseCompressor(gzip.Name))
	}
	return t, nil
}

// freshTLS reads the certificate files again for each connection, so that renewed
// certificates and authorities are used without a restart.
type freshTLS struct {
	credentials.TransportCredentials
	settings Settings
}

// ClientHandshake implements credentials.TransportCredentials.
func (f freshTLS) ClientHandshake(ctx context.Context, authority string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	config, err := f.settings.tlsConfig()
	if err != nil {
		return nil, nil, err
	}
	return credentials.NewTLS(config).ClientHandshake(ctx, authority, conn)
}

// Clone implements credentials.TransportCredentials.
func (f freshTLS) Clone() credentials.TransportCredentials {
	return freshTLS{f.TransportCredentials.Clone(), f.settings}
}

func (t *grpcTransport) send(ctx context.Context, b signal.Batch) ([]byte, error) {
	var answer []byte
	ctx = metadata.NewOutgoingContext(ctx, t.metadata)
	if err := t.conn.Invoke(ctx, t.method, b, &answer, t.options...); err != nil {
		again, after := retryableCode(status.Convert(err))
		return nil, &refusal{again: again, after: after, err: err}
	}
	return answer, nil
}

func (t *grpcTransport) close() error { return t.conn.Close() }

// retryableCode follows the OTLP specification; ResourceExhausted counts only
// with a RetryInfo, which says that the receiver expects to recover.
func retryableCode(s *status.Status) (again bool, after time.Duration) {
	told := false
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			told, after = true, info.GetRetryDelay().AsDuration()
		}
	}
	switch s.Code() {
	case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable, codes.DataLoss:
		return true, after
	case codes.ResourceExhausted:
		return told, after
	}
	return false, 0
}

// encoded is a codec that passes protobuf messages through as they are: the
// queue holds encoded batches, so that its bytes can be bounded.
type encoded struct{}

func (encoded) Name() string { return "proto" }

func (encoded) Marshal(v any) (mem.BufferSlice, error) {
	b, ok := v.(signal.Batch)
	if !ok {
		return nil, fmt.Errorf("encoding %T: want a batch", v)
	}
	b.Memory.Hold()
	return mem.BufferSlice{mem.NewBuffer(&b.Body, lent{b.Memory})}, nil
}

// lent is the memory of a batch for as long as gRPC writes it.
type lent struct{ memory *signal.Memory }

// Put implements mem.BufferPool: gRPC needs it no more.
func (l lent) Put(*[]byte) { l.memory.Release() }

// Get implements mem.BufferPool; nothing is taken from here.
func (lent) Get(length int) *[]byte {
	b := make([]byte, length)
	return &b
}

func (encoded) Unmarshal(data mem.BufferSlice, v any) error {
	answer, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("decoding into %T: want bytes", v)
	}
	*answer = data.Materialize()
	return nil
}
