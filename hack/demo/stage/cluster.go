package stage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	crlog "sigs.k8s.io/controller-runtime/pkg/log"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// fieldOwner is the field manager of all that the stage applies.
const fieldOwner = "odi-demo"

// Cluster is one cluster, reached by one kubeconfig.
type Cluster struct {
	client.Client
	// Kubeconfig is the file's path, for the commands that take one.
	Kubeconfig string
	// Images replace those that manifests name.
	Images Images

	rest *rest.Config
	http *http.Client
}

// Open connects to the current context of a kubeconfig.
func Open(kubeconfig string) (*Cluster, error) {
	// As KUBECONFIG, it may be a list of files.
	rules := &clientcmd.ClientConfigLoadingRules{Precedence: filepath.SplitList(kubeconfig), WarnIfAllMissing: true}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig %s: %w", kubeconfig, err)
	}
	// The stage asks often and in bursts; the default of 5 a second would measure the client.
	config.QPS, config.Burst = 200, 400
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("making an HTTP client for %s: %w", config.Host, err)
	}
	// Without a logger, the client prints a warning with a stack after 30 s.
	crlog.SetLogger(logr.Discard())
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), odiv1.AddToScheme(scheme)); err != nil {
		return nil, fmt.Errorf("registering kinds: %w", err)
	}
	c, err := client.New(config, client.Options{HTTPClient: httpClient, Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", config.Host, err)
	}
	return &Cluster{Client: c, Kubeconfig: kubeconfig, rest: config, http: httpClient}, nil
}

// Host is the API server's URL.
func (c *Cluster) Host() string { return c.rest.Host }

// ServiceURL is a service's port as the API server proxies it; requests to it
// need HTTP.
func (c *Cluster) ServiceURL(namespace, name, port string) string {
	return fmt.Sprintf("%s/api/v1/namespaces/%s/services/%s:%s/proxy", c.rest.Host, namespace, name, port)
}

// HTTP sends requests with the kubeconfig's credentials.
func (c *Cluster) HTTP() *http.Client { return c.http }

// ApplyAll applies every file of a folder.
func (c *Cluster) ApplyAll(ctx context.Context, files fs.FS) error {
	return each(files, func(manifest []byte) error { return c.Apply(ctx, manifest) })
}

// Apply applies the documents of one YAML file.
func (c *Cluster) Apply(ctx context.Context, manifest []byte) error {
	return eachObject(c.Images.in(manifest), func(o *unstructured.Unstructured) error { return c.applyObject(ctx, o) })
}

// Delete deletes the documents of one YAML file; what is gone already is fine.
func (c *Cluster) Delete(ctx context.Context, manifest []byte) error {
	return eachObject(manifest, func(o *unstructured.Unstructured) error {
		return client.IgnoreNotFound(c.Client.Delete(ctx, o))
	})
}

func (c *Cluster) applyObject(ctx context.Context, o *unstructured.Unstructured) error {
	err := c.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(o), client.FieldOwner(fieldOwner), client.ForceOwnership)
	if err != nil {
		return fmt.Errorf("applying %s %s/%s: %w", o.GetKind(), o.GetNamespace(), o.GetName(), err)
	}
	return nil
}

// each walks the files in the order namespace first, then by name.
func each(files fs.FS, do func(manifest []byte) error) error {
	var manifests [][]byte
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		if bytes.Contains(text, []byte("kind: Namespace\n")) {
			manifests = append([][]byte{text}, manifests...)
			return nil
		}
		manifests = append(manifests, text)
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading manifests: %w", err)
	}
	for _, text := range manifests {
		if err := do(text); err != nil {
			return err
		}
	}
	return nil
}

func eachObject(manifest []byte, do func(*unstructured.Unstructured) error) error {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096)
	for {
		o := &unstructured.Unstructured{}
		if err := decoder.Decode(o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading a manifest: %w", err)
		}
		if len(o.Object) == 0 {
			continue
		}
		if err := do(o); err != nil {
			return err
		}
	}
}

// Gone says that an object no longer exists.
func (c *Cluster) Gone(ctx context.Context, o client.Object) (bool, error) {
	err := c.Get(ctx, client.ObjectKeyFromObject(o), o)
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	return false, err
}

// Eventually asks every interval until done says true, and returns the last
// reason why not when the time is over.
func Eventually(ctx context.Context, within, every time.Duration, done func(context.Context) (bool, string)) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	why := "never asked"
	for {
		ok, reason := done(ctx)
		if ok {
			return nil
		}
		if ctx.Err() == nil || why == "never asked" {
			why = reason
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %s: %s", within, why)
		case <-time.After(every):
		}
	}
}

// IsUnknownKind says that an object's kind was not defined (yet).
func IsUnknownKind(err error) bool { return meta.IsNoMatchError(err) }
