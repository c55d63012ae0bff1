package liveprovider

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// secretRef matches a reference with all dollar signs before it: two stand for
// one, so that an odd number of them escapes the reference. What stands before the
// name for basic is a user's name in hex.
var secretRef = regexp.MustCompile(`(\$*)\$\{(secret|secretfile|basic:([0-9a-f]*)):([A-Za-z0-9_.-]+)\}`)

// load reads the configuration with its secrets put in. The digest covers both.
func load(path, credentials string) (map[string]any, digest, error) {
	content, err := readParts(path)
	if err != nil {
		return nil, digest{}, fmt.Errorf("reading the configuration: %w", err)
	}
	parsed, err := confmap.NewRetrievedFromYAML(content)
	if err != nil {
		return nil, digest{}, fmt.Errorf("parsing %s: %w", path, err)
	}
	conf, err := parsed.AsConf()
	if err != nil {
		return nil, digest{}, fmt.Errorf("parsing %s: %w", path, err)
	}
	secrets := secretFiles{dir: credentials, values: map[string]string{}}
	config, err := secrets.fill(conf.ToStringMap())
	if err != nil {
		return nil, digest{}, err
	}
	sum := sha256.New()
	sum.Write(content)
	for _, name := range slices.Sorted(maps.Keys(secrets.values)) {
		fmt.Fprintf(sum, "\x00%s\x00%s", name, secrets.values[name])
	}
	return config.(map[string]any), digest(sum.Sum(nil)), nil
}

// secretFiles holds the secrets that were read so far.
type secretFiles struct {
	dir    string
	values map[string]string
}

// fill returns value with each reference replaced, at any depth.
func (s secretFiles) fill(value any) (any, error) {
	var err error
	switch v := value.(type) {
	case string:
		return s.fillString(v)
	case []any:
		for i := range v {
			if v[i], err = s.fill(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for key := range v {
			if v[key], err = s.fill(v[key]); err != nil {
				return nil, err
			}
		}
	}
	return value, nil
}

func (s secretFiles) fillString(text string) (string, error) {
	var missing error
	filled := secretRef.ReplaceAllStringFunc(text, func(match string) string {
		parts := secretRef.FindStringSubmatch(match)
		if len(parts[1])%2 == 1 {
			return match
		}
		name := parts[4]
		secret, err := s.read(name)
		if err != nil {
			missing = err
		}
		switch kind, _, _ := strings.Cut(parts[2], ":"); kind {
		case "secretfile":
			secret = filepath.Join(s.dir, name) // It was read for the digest.
		case "basic":
			user, err := hex.DecodeString(parts[3])
			if err != nil {
				missing = fmt.Errorf("reading the user's name for %s: %w", name, err)
			}
			secret = base64.StdEncoding.EncodeToString([]byte(string(user) + ":" + secret))
		}
		// The collector expands ${...} in what it is given: a secret that holds
		// such text must arrive as it is.
		return parts[1] + strings.ReplaceAll(secret, "$", "$$")
	})
	return filled, missing
}

func (s secretFiles) read(name string) (string, error) {
	if value, found := s.values[name]; found {
		return value, nil
	}
	content, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		return "", fmt.Errorf("reading a secret: %w", err)
	}
	s.values[name] = string(content)
	return string(content), nil
}
