// Package recipe says what is in an image. Recipes are YAML files: images.yaml
// beside the command for odi's own images, hack/demo/images.yaml for the demo's.
package recipe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// Recipe is one image. Its root is empty but for what the fields below put
// there, /tmp, and the users root, www-data, nobody and nonroot (65532).
type Recipe struct {
	// Name with tag: odi-demo/frontend:dev.
	Name string `json:"name"`
	// Go programs of this repository; one, or a list.
	Go GoPrograms `json:"go,omitempty"`
	// Java sources of this repository.
	Java *Java `json:"java,omitempty"`
	// Scripts of this repository that build a file for $GOARCH and print its path, each with the file's path in the image.
	Scripts map[string]string `json:"scripts,omitempty"`
	// Trees maps scripts of this repository that fill the empty folder $1, for every architecture the same, to where
	// its files go in the image. A script runs again when a file of its folder changes, tests and testdata aside.
	Trees map[string]string `json:"trees,omitempty"`
	// Programs that hack/cluster/programs builds, by name; placed in /usr/bin.
	Programs []string `json:"programs,omitempty"`
	// Debian packages; what they depend on comes along.
	Debian []string `json:"debian,omitempty"`
	// Certificates of public authorities go to /etc/ssl/certs/ca-certificates.crt.
	Certificates bool `json:"certificates,omitempty"`
	// Files maps paths in this repository to paths in the image.
	Files map[string]string `json:"files,omitempty"`

	// FirstTime says about how long it takes to build what the image holds when nothing is cached: 4m.
	FirstTime metav1.Duration `json:"firstTime,omitempty"`

	Entrypoint []string `json:"entrypoint"`
	Env        []string `json:"env,omitempty"` // NAME=value
	User       string   `json:"user,omitempty"`
	WorkDir    string   `json:"workdir,omitempty"`
}

// GoProgram is a main package, built without cgo.
type GoProgram struct {
	// Module is the folder of its module in this repository; empty means the root.
	Module string `json:"module,omitempty"`
	// Package is relative to the module: ./cmd/odiglet.
	Package string `json:"package"`
	// Flags of `go build`.
	Flags []string `json:"flags,omitempty"`
	// To is its path in the image; /usr/bin/<last element of Package> unless given.
	To string `json:"to,omitempty"`
}

// Target is the program's path in the image.
func (p GoProgram) Target() string {
	if p.To != "" {
		return p.To
	}
	return "/usr/bin/" + path.Base(p.Package)
}

// Java is a set of sources that are compiled together.
type Java struct {
	Sources []string `json:"sources"`
	To      string   `json:"to"` // Folder of the classes.
}

// GoPrograms reads a single program as a list of one.
type GoPrograms []GoProgram

// UnmarshalJSON reads one program or a list of them.
func (p *GoPrograms) UnmarshalJSON(content []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(content), []byte("[")) {
		return json.Unmarshal(content, (*[]GoProgram)(p))
	}
	var one GoProgram
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&one); err != nil {
		return err
	}
	*p = GoPrograms{one}
	return nil
}

// Load reads the recipes of a file.
func Load(file string) ([]Recipe, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the recipes: %w", err)
	}
	recipes, err := Parse(content)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	return recipes, nil
}

// Parse reads recipes and refuses what it does not know.
func Parse(content []byte) ([]Recipe, error) {
	var all struct {
		Images []Recipe `json:"images"`
	}
	if err := yaml.UnmarshalStrict(content, &all); err != nil {
		return nil, err
	}
	for _, recipe := range all.Images {
		if err := recipe.validate(); err != nil {
			return nil, err
		}
	}
	return all.Images, nil
}

func (r Recipe) validate() error {
	if name, tag, ok := strings.Cut(path.Base(r.Name), ":"); !ok || name == "" || tag == "" {
		return fmt.Errorf("image %q: want a name with a tag", r.Name)
	}
	if len(r.Entrypoint) == 0 {
		return fmt.Errorf("image %s: it has no entrypoint", r.Name)
	}
	for _, placed := range []map[string]string{r.Files, r.Trees} {
		for from, to := range placed {
			if !path.IsAbs(to) {
				return fmt.Errorf("image %s: %s goes to %q, which is not an absolute path", r.Name, from, to)
			}
		}
	}
	return nil
}

// ShortName is the name without registry and tag: frontend.
func (r Recipe) ShortName() string {
	name, _, _ := strings.Cut(path.Base(r.Name), ":")
	return name
}

// Static says whether the image has no file that is bound to this machine's architecture
// but Go programs, so that it can be built for others.
func (r Recipe) Static() bool {
	return len(r.Debian) == 0 && r.Java == nil && len(r.Programs) == 0
}
