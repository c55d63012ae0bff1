package liveprovider

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/confmap"
)

// files is a folder with a configuration and secrets, changed as a kubelet does.
type files struct {
	t   *testing.T
	dir string
}

func (f files) write(name, content string) {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		f.t.Fatal(err)
	}
}

func (f files) retrieve(watcher confmap.WatcherFunc) (*confmap.Conf, error) {
	f.t.Helper()
	p := &provider{credentials: f.dir, pollEvery: 5 * time.Millisecond, memory: NewMemory()}
	retrieved, err := p.Retrieve(f.t.Context(), "live:"+filepath.Join(f.dir, "config.yaml"), watcher)
	if err != nil {
		return nil, err
	}
	f.t.Cleanup(func() {
		if err := retrieved.Close(f.t.Context()); err != nil {
			f.t.Error(err)
		}
	})
	return retrieved.AsConf()
}

func TestSecretsArePutIn(t *testing.T) {
	tests := map[string]struct{ config, secret, want string }{
		"a secret":                             {"key: ${secret:S}", "hunter2", "hunter2"},
		"within a text":                        {"key: Bearer ${secret:S}!", "hunter2", "Bearer hunter2!"},
		"twice":                                {"key: ${secret:S}${secret:S}", "x", "xx"},
		"what looks like YAML stays text":      {"key: ${secret:S}", "yes: [1", "yes: [1"},
		"what looks like a reference is not":   {"key: ${secret:S}", "${env:HOME} $5", "$${env:HOME} $$5"},
		"an escaped reference is no reference": {"key: $${secret:S}", "hunter2", "$${secret:S}"},
		"a dollar sign before a reference":     {"key: $$${secret:S}", "x", "$$x"},
		"a name and a secret, as a header has": {"key: Basic ${basic:6d65:S}", "hunter2", "Basic bWU6aHVudGVyMg=="},
		"the same without a name":              {"key: ${basic::S}", "hunter2", "Omh1bnRlcjI="},
		"an escaped name and secret":           {"key: $${basic:6d65:S}", "hunter2", "$${basic:6d65:S}"},
		"another scheme is left to others":     {"key: ${env:S}", "hunter2", "${env:S}"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := files{t, t.TempDir()}
			f.write("config.yaml", tc.config)
			f.write("S", tc.secret)
			conf, err := f.retrieve(nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := conf.Get("key"); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestTheCollectorReadsASecretAsItIsWritten goes through all that the collector does to its configuration.
func TestTheCollectorReadsASecretAsItIsWritten(t *testing.T) {
	for name, secret := range map[string]string{
		"dollar": "p@s$w0rd", "dollars": "a$$b$$$c", "at the ends": "$a$", "a reference": "${env:HOME}-${secret:X}", "an escaped one": "$${env:HOME}",
		"braces": `{"k":[1]}`, "zeros": "0123", "exponent": "1e10", "octal": "0o17", "hex": "0x1F", "infinity": ".inf", "date": "2025-11-25",
		"boolean": "yes", "null": "null", "tilde": "~", "base64": "dXNlcjpwYXNz==", "yaml": "yes: #no", "tag": "!!int 5", "alias": "*a", "quotes": `'a"b'`,
		"blanks": "Bearer  two", "percent": "%41", "backslash": `a\nb`,
	} {
		for what, config := range map[string]string{"alone": "key: ${secret:S}", "within a text": "key: Bearer ${secret:S}"} {
			t.Run(name+" "+what, func(t *testing.T) {
				f := files{t, t.TempDir()}
				f.write("config.yaml", config)
				f.write("S", secret)
				t.Setenv(credentialsEnv, f.dir)
				resolver, err := confmap.NewResolver(confmap.ResolverSettings{
					URIs:              []string{"live:" + filepath.Join(f.dir, "config.yaml")},
					ProviderFactories: []confmap.ProviderFactory{NewFactory()},
				})
				if err != nil {
					t.Fatal(err)
				}
				conf, err := resolver.Resolve(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					if err := resolver.Shutdown(context.Background()); err != nil {
						t.Error(err)
					}
				})
				var read struct {
					Key string `mapstructure:"key"`
				}
				if err := conf.Unmarshal(&read); err != nil {
					t.Fatal(err)
				}
				want := strings.NewReplacer("key: ", "", "${secret:S}", secret).Replace(config)
				if read.Key != want {
					t.Errorf("read as %q, want %q", read.Key, want)
				}
			})
		}
	}
}

func TestAMissingSecretIsAnError(t *testing.T) {
	f := files{t, t.TempDir()}
	f.write("config.yaml", "list: [{key: '${secret:S}'}]")
	if _, err := f.retrieve(nil); err == nil {
		t.Error("it was loaded without its secret")
	}
}

func TestAChangeIsReportedOnceItFitsTogether(t *testing.T) {
	f := files{t, t.TempDir()}
	f.write("config.yaml", "key: old")
	changed := make(chan struct{}, 8)
	if _, err := f.retrieve(func(*confmap.ChangeEvent) { changed <- struct{}{} }); err != nil {
		t.Fatal(err)
	}
	f.write("config.yaml", "key: ${secret:S}")
	select {
	case <-changed:
		t.Fatal("it was reported without its secret")
	case <-time.After(100 * time.Millisecond):
	}
	f.write("S", "hunter2")
	wait(t, changed)
}

func TestAFileIsNamedAndWatched(t *testing.T) {
	f := files{t, t.TempDir()}
	f.write("config.yaml", "{key: '${secretfile:ca.crt}', escaped: '$${secretfile:ca.crt}'}")
	if _, err := f.retrieve(nil); err == nil {
		t.Error("it was loaded without the file")
	}
	f.write("ca.crt", "old")
	changed := make(chan struct{}, 8)
	conf, err := f.retrieve(func(*confmap.ChangeEvent) { changed <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	if got, want := conf.Get("key"), filepath.Join(f.dir, "ca.crt"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := conf.Get("escaped"); got != "$${secretfile:ca.crt}" {
		t.Errorf("the escaped one became %q", got)
	}
	f.write("ca.crt", "new")
	wait(t, changed)
}

func TestARotatedSecretIsAChange(t *testing.T) {
	f := files{t, t.TempDir()}
	f.write("config.yaml", "key: ${secret:S}")
	f.write("S", "old")
	changed := make(chan struct{}, 8)
	if _, err := f.retrieve(func(*confmap.ChangeEvent) { changed <- struct{}{} }); err != nil {
		t.Fatal(err)
	}
	f.write("S", "new")
	wait(t, changed)
}

func wait(t *testing.T, changed <-chan struct{}) {
	t.Helper()
	select {
	case <-changed:
	case <-time.After(10 * time.Second):
		t.Fatal("the change was not reported")
	}
}
