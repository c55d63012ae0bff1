package oauthextension

import (
	"context"
	"net/http"

	"golang.org/x/oauth2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// header carries the token, over HTTP and gRPC.
const header = "authorization"

// signed adds the token to requests over HTTP.
type signed struct {
	tokens *tokens
	next   http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (s signed) RoundTrip(request *http.Request) (*http.Response, error) {
	token, err := s.tokens.get(request.Context())
	if err != nil {
		if request.Body != nil {
			_ = request.Body.Close() // A RoundTripper does so; nothing was read.
		}
		return nil, err
	}
	response, err := s.next.RoundTrip(carrying(request, token))
	if err != nil || response.StatusCode != http.StatusUnauthorized || !s.tokens.refused(token) {
		return response, err
	}
	if again := s.again(request); again != nil {
		_ = response.Body.Close() // Its answer is about a token that is no longer used.
		return s.next.RoundTrip(again)
	}
	return response, nil
}

// again is a request with another token, nil where there is none: then the backend's answer stands.
func (s signed) again(request *http.Request) *http.Request {
	if request.GetBody == nil {
		return nil
	}
	token, err := s.tokens.get(request.Context())
	if err != nil {
		return nil
	}
	body, err := request.GetBody()
	if err != nil {
		return nil
	}
	sent := carrying(request, token)
	sent.Body = body
	return sent
}

func carrying(request *http.Request, token *oauth2.Token) *http.Request {
	sent := request.Clone(request.Context())
	token.SetAuthHeader(sent)
	return sent
}

// unary adds the token to requests over gRPC. Without one, the answer is of the kind
// that exporters wait out: the data is not at fault.
func (t *tokens) unary(
	ctx context.Context, method string, request, reply any, cc *grpc.ClientConn, next grpc.UnaryInvoker, opts ...grpc.CallOption,
) error {
	token, err := t.get(ctx)
	if err != nil {
		return status.Error(codes.Unavailable, err.Error())
	}
	send := func(token *oauth2.Token) error {
		return next(metadata.AppendToOutgoingContext(ctx, header, token.Type()+" "+token.AccessToken), method, request, reply, cc, opts...)
	}
	answered := send(token)
	if status.Code(answered) != codes.Unauthenticated || !t.refused(token) {
		return answered
	}
	if token, err = t.get(ctx); err != nil {
		return answered
	}
	return send(token)
}
