package answer

import "strings"

// grpcFrame is how a gRPC server greets: a frame of HTTP/2 with its settings.
const grpcFrame = `malformed HTTP response "\x00\x00`

// speaking are clues of a port of another protocol, and of what is no receiver at all.
var speaking = []clue{
	{func(q question) bool { return strings.Contains(q.Words, grpcFrame) }, always(
		"It speaks gRPC there. OTLP over HTTP has mostly the port 4318; for gRPC there are the types that take it, as otlp.")},
	{because("it does not speak gRPC"), always(
		"It speaks HTTP there, and this type gRPC. OTLP over gRPC has mostly the port 4317; for HTTP there are the types that take it, as otlphttp.")},
	{because("it does not speak HTTP"), always("The port is another protocol's.")},
	{func(q question) bool { return q.page() && q.Status != 404 }, pageHint},
	{because("it answers that it took the data"), always("Its words say why. Mostly a limit or a switch of the account, or a name that it does not take.")},
}

func pageHint(q question) string {
	return "The address leads to the backend's pages, or to a login before them. Where it takes data: " + q.Type.Docs
}
