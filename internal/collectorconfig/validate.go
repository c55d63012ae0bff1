package collectorconfig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// DefaultBinary is the collector in the manager's image.
const DefaultBinary = "/usr/bin/odi-collector"

// validateTimeout is far above the 0.1 s that a validation takes; without a
// bound, one stuck child would hold up a controller for ever.
const validateTimeout = 20 * time.Second

// credentials is the folder of secrets within that of a validation.
const credentials = "credentials"

// secretRef finds the secrets that a configuration refers to.
var secretRef = regexp.MustCompile(`\$\{(?:secret(?:file)?|basic:[0-9a-f]*):([A-Za-z0-9_.]+)\}`)

// InvalidError carries the collector's own words about a configuration.
type InvalidError struct{ Message string }

// Error implements error.
func (e *InvalidError) Error() string { return e.Message }

// Validator runs the very collector that will get the configuration. It is
// safe for concurrent use.
type Validator struct {
	// Binary of odi-collector; DefaultBinary when empty.
	Binary string
}

// Validate has the collector start all that the configuration has, on ports and
// in a folder that are thrown away. It returns an *InvalidError if something does
// not start, and another error if the collector could not be asked. Secrets stay out of it: the
// collector is given a placeholder for each.
func (v Validator) Validate(ctx context.Context, c Config) error {
	text, err := c.YAML()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "odi-validate-")
	if err != nil {
		return fmt.Errorf("making a folder to validate in: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // A temporary folder: the system removes what is left.
	if err := writeFiles(dir, text); err != nil {
		return err
	}
	return v.run(ctx, dir)
}

func writeFiles(dir, config string) error {
	if err := os.Mkdir(filepath.Join(dir, credentials), 0o700); err != nil {
		return fmt.Errorf("writing what to validate: %w", err)
	}
	files := map[string]string{"config.yaml": config}
	for _, match := range secretRef.FindAllStringSubmatch(config, -1) {
		placeholder, err := placeholderOf(match[1])
		if err != nil {
			return err
		}
		files[filepath.Join(credentials, match[1])] = placeholder
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return fmt.Errorf("writing what to validate: %w", err)
		}
	}
	return nil
}

func (v Validator) run(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, validateTimeout)
	defer cancel()
	binary := v.Binary
	if binary == "" {
		binary = DefaultBinary
	}
	cmd := exec.CommandContext(ctx, binary, "try", "--config=live:"+filepath.Join(dir, "config.yaml"))
	// What the child leaves when it is killed goes with the folder.
	cmd.Env = []string{"ODI_CREDENTIALS_DIR=" + filepath.Join(dir, credentials), "TMPDIR=" + dir}
	output, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("validating with %s: %w", binary, ctx.Err())
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return &InvalidError{Message: message(string(output))}
	}
	return fmt.Errorf("validating with %s: %w", binary, err)
}

// message keeps the collector's complaint: the lines from "Error:" on, without
// its usage text and its log.
func message(output string) string {
	_, complaint, found := strings.Cut(output, "Error: ")
	if !found {
		complaint = output
	}
	complaint, _, _ = strings.Cut(complaint, "\nUsage:")
	var lines []string
	for line := range strings.Lines(complaint) {
		if trimmed := strings.TrimSpace(line); trimmed != "" {
			lines = append(lines, trimmed)
		}
	}
	return strings.Join(lines, "; ")
}
