package main

import (
	"context"
	"io"
	"net/http"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// by2 asks by HTTP/2: a target, with headers name: value, and a body that hold the secret.
func by2(method, target, body string, headers ...string) func(*world, string) error {
	return func(w *world, secret string) error {
		in := strings.NewReplacer("%s", secret)
		req, err := http.NewRequestWithContext(context.Background(), method, "http://"+w.http+in.Replace(target), strings.NewReader(in.Replace(body)))
		if err != nil {
			return err
		}
		for _, header := range headers {
			name, value, _ := strings.Cut(in.Replace(header), ": ")
			if name == "Host" {
				req.Host = value
				continue
			}
			req.Header.Add(name, value)
		}
		resp, err := w.over2.Do(req)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return err
		}
		return resp.Body.Close()
	}
}

func http2Places() []place {
	return []place{
		{name: "http2: query value", put: by2("GET", "/orders?token=%s&page=2", "")},
		{name: "http2: path parameter", put: by2("GET", "/orders;jsessionid=%s", "")},
		{name: "http2: Authorization", put: by2("GET", "/orders", "", "Authorization: Bearer %s")},
		{name: "http2: Cookie", put: by2("GET", "/orders", "", "Cookie: session=%s", "Cookie: other=%s")},
		{name: "http2: X-Api-Key", put: by2("GET", "/orders", "", "X-Api-Key: %s")},
		{name: "http2: forwarded", put: by2("GET", "/orders", "", "Forwarded: for=%s", "X-Forwarded-For: %s")},
		{name: "http2: header that is indexed", put: func(w *world, secret string) error {
			for range 3 {
				if err := by2("GET", "/orders", "", "X-Token: %s", "X-Session: %s")(w, secret); err != nil {
					return err
				}
			}
			return nil
		}},
		{name: "http2: body", put: by2("POST", "/orders", `{"password": "%s"}`)},
		{name: "http2: query of what says that it is a call", put: by2("POST", "/shop.Orders/Buy?token=%s", "x", "Content-Type: application/grpc", "TE: trailers")},
	}
}

// invoke calls a method, with metadata in pairs, and a message.
func invoke(method, message string, pairs ...string) func(*world, string) error {
	return func(w *world, secret string) error {
		in := strings.NewReplacer("%s", secret)
		conn, err := grpc.NewClient(w.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }() // the call has ended
		var said []string
		for _, text := range pairs {
			said = append(said, in.Replace(text))
		}
		ctx := metadata.NewOutgoingContext(context.Background(), metadata.Pairs(said...))
		err = conn.Invoke(ctx, method, wrapperspb.String(in.Replace(message)), new(wrapperspb.StringValue))
		if strings.HasSuffix(method, "Fail") {
			return nil
		}
		return err
	}
}

func grpcPlaces() []place {
	return []place{
		{name: "grpc: method " + shown, put: func(w *world, secret string) error { return invoke("/shop.Orders/"+secret, "")(w, secret) }},
		{name: "grpc: message", put: invoke("/shop.Orders/Buy", "card %s")},
		{name: "grpc: metadata", put: invoke("/shop.Orders/Buy", "", "authorization", "Bearer %s", "x-api-key", "%s")},
		{name: "grpc: binary metadata", put: invoke("/shop.Orders/Buy", "", "x-token-bin", "%s")},
		{name: "grpc: words of an error", put: invoke("/shop.Orders/Fail", "%s")},
		{name: "grpc: long message", put: invoke("/shop.Orders/Buy", strings.Repeat("%s ", 4000))},
	}
}
