package oci

import (
	"log/slog"
	"net/http"

	"github.com/google/go-containerregistry/pkg/registry"
)

// Registry is an empty registry that keeps what is pushed to it in memory and lets everybody in. It is safe for many
// requests at once.
func Registry() http.Handler {
	return registry.New(registry.Logger(slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)))
}
