package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// figure is one line of the report.
type figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Limit float64 `json:"limit"`
	// Least says that the limit is a lower one.
	Least bool `json:"least,omitempty"`
	// Free says that there is no limit: others' figures, and those that only compare.
	Free bool `json:"free,omitempty"`
	// Samples are all measured values; Value is their median.
	Samples []float64 `json:"samples,omitempty"`
}

func (f figure) ok() bool {
	if f.Free {
		return true
	}
	if f.Least {
		return f.Value >= f.Limit
	}
	return f.Value <= f.Limit
}

// add prints a figure as soon as it is known.
func (b *bench) add(f figure) {
	if len(f.Samples) > 0 {
		f.Value = median(f.Samples)
	}
	fmt.Printf("%s %.4g %s\n", f.Name, f.Value, f.Unit)
	b.figures = append(b.figures, f)
}

func median(values []float64) float64 {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return sorted[len(sorted)/2]
}

func write(path string, figures []figure) error {
	data, err := json.MarshalIndent(figures, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// check names every figure that misses its limit.
func check(figures []figure) error {
	var errs []error
	for _, f := range figures {
		if !f.ok() {
			errs = append(errs, fmt.Errorf("%s is %.4g %s, the limit is %.4g", f.Name, f.Value, f.Unit, f.Limit))
		}
	}
	return errors.Join(errs...)
}
