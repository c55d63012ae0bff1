package liveprovider

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.opentelemetry.io/collector/confmap"
)

const (
	scheme = "live"
	// credentialsEnv names the folder with one file per secret.
	credentialsEnv        = "ODI_CREDENTIALS_DIR"
	defaultCredentialsDir = "/etc/odi-credentials"
	// pollEvery is far below the time that a kubelet takes to refresh a
	// mounted volume; reading two small files a second costs nothing.
	pollEvery = time.Second
)

type digest [sha256.Size]byte

// NewFactory returns the factory of the live: provider.
func NewFactory() confmap.ProviderFactory { return NewFactoryWith(NewMemory()) }

// NewFactoryWith is NewFactory with a memory that outlives the provider.
func NewFactoryWith(memory *Memory) confmap.ProviderFactory {
	return confmap.NewProviderFactory(func(confmap.ProviderSettings) confmap.Provider {
		return &provider{credentials: CredentialsDir(), pollEvery: pollEvery, memory: memory}
	})
}

// CredentialsDir is the folder with one file per secret.
func CredentialsDir() string {
	if dir := os.Getenv(credentialsEnv); dir != "" {
		return dir
	}
	return defaultCredentialsDir
}

type provider struct {
	credentials string
	pollEvery   time.Duration
	memory      *Memory
}

// Scheme implements confmap.Provider.
func (*provider) Scheme() string { return scheme }

// Shutdown implements confmap.Provider. Each Retrieved ends its own watch.
func (*provider) Shutdown(context.Context) error { return nil }

// Retrieve reads the file and, when watcher is given, watches it and the
// secrets that it refers to until the result is closed.
func (p *provider) Retrieve(_ context.Context, uri string, watcher confmap.WatcherFunc) (*confmap.Retrieved, error) {
	path, found := strings.CutPrefix(uri, scheme+":")
	if !found {
		return nil, fmt.Errorf("%q is not a %s: address", uri, scheme)
	}
	path = filepath.Clean(path)
	loaded, sum, err := load(path, p.credentials)
	config, err := p.memory.give(loaded, sum, err)
	if err != nil {
		return nil, err
	}
	if watcher == nil {
		return confmap.NewRetrieved(config)
	}
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.watch(path, sum, watcher, stop)
	}()
	return confmap.NewRetrieved(config, confmap.WithRetrievedClose(func(context.Context) error {
		close(stop)
		<-done
		return nil
	}))
}

// watch reports the first change after sum. A state that cannot be loaded is
// not reported: the configuration and its secrets are two volumes that arrive
// one after the other, and a reload in between would end the collector.
func (p *provider) watch(path string, sum digest, watcher confmap.WatcherFunc, stop <-chan struct{}) {
	tick := time.NewTicker(p.pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		if _, now, err := load(path, p.credentials); err == nil && now != sum {
			watcher(&confmap.ChangeEvent{})
			return
		}
	}
}
