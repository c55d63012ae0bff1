package oci

import (
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func TestPush(t *testing.T) {
	server := httptest.NewServer(registry.New())
	defer server.Close()
	archive := filepath.Join(t.TempDir(), "image.tar")
	if err := WriteArchive(archive, "odi-demo/x:dev", image(t, "amd64")); err != nil {
		t.Fatal(err)
	}
	reference := strings.TrimPrefix(server.URL, "http://") + "/odi/x:0123"
	if err := Push(t.Context(), archive, reference); err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag(reference)
	if err != nil {
		t.Fatal(err)
	}
	pushed, err := remote.Image(tag)
	if err != nil {
		t.Fatal(err)
	}
	config, err := pushed.ConfigFile()
	if err != nil || config.Config.User != "65532" {
		t.Errorf("config of what was pushed: %+v, %v", config, err)
	}
	if err := Push(t.Context(), archive, "127.0.0.1:1/odi/x:0123"); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1/odi/x:0123") {
		t.Errorf("a registry that is not there: %v", err)
	}
}
