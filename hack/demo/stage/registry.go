package stage

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// Images are the images that a registry holds, by short name: frontend. Empty
// means that the nodes hold those that the manifests name.
type Images map[string]string

// Push builds all images, or takes them from the cache, and pushes them to a
// registry. A tag there is a hash of the content, so that a node never runs an old one;
// that of a language agent is its version.
func (l Local) Push(ctx context.Context, registry string) (Images, error) {
	out, err := l.tool(ctx, "images", "push", registry)
	if err != nil {
		return nil, fmt.Errorf("pushing the images: %w", err)
	}
	images := Images{}
	for _, reference := range strings.Fields(out) {
		short, _, _ := strings.Cut(path.Base(reference), ":")
		images[short] = reference
	}
	return images, nil
}

var demoImage = regexp.MustCompile(`image: odi-demo/([a-z-]+):\S+`)

// in replaces the demo's images in a manifest.
func (i Images) in(manifest []byte) []byte {
	return demoImage.ReplaceAllFunc(manifest, func(line []byte) []byte {
		if reference, ok := i[string(demoImage.FindSubmatch(line)[1])]; ok {
			return []byte("image: " + reference)
		}
		return line
	})
}

// values are odi's settings that make it take its images from the registry, in order.
func (i Images) values() [][2]string {
	var all [][2]string
	for _, image := range []struct{ name, value string }{{"odi", "image"}, {"odi-collector", "collectorImage"}} {
		if reference, ok := i[image.name]; ok {
			at := strings.LastIndexByte(reference, ':')
			all = append(all, [2]string{image.value + ".repository", reference[:at]}, [2]string{image.value + ".tag", reference[at+1:]})
		}
	}
	if reference, ok := i["odi-agent-java"]; ok { // All agents are in one place, by name and version.
		all = append(all, [2]string{"agents.repository", path.Dir(reference)})
	}
	return all
}

// InstallFlags make `odi install` take odi's images from the registry.
func (i Images) InstallFlags() []string {
	var flags []string
	for _, v := range i.values() {
		flags = append(flags, "--set", v[0]+"="+v[1])
	}
	return flags
}

// InstallValues are InstallFlags as Helm's values.
func (i Images) InstallValues() map[string]any {
	values := map[string]any{}
	for _, v := range i.values() {
		key, field, _ := strings.Cut(v[0], ".")
		fields, ok := values[key].(map[string]any)
		if !ok {
			fields = map[string]any{}
			values[key] = fields
		}
		fields[field] = v[1]
	}
	return values
}
