package instrument

import (
	"fmt"
	"math"
	"strconv"
)

// share is the value of --sample; empty leaves what is there.
type share string

// Set implements pflag.Value.
func (s *share) Set(text string) error {
	if ratio, err := strconv.ParseFloat(text, 64); err != nil || ratio < 0 || ratio > 1 || math.IsNaN(ratio) {
		return fmt.Errorf("%q is no share: give a number from 0 to 1, such as 0.1", text)
	}
	*s = share(text)
	return nil
}

// String implements pflag.Value.
func (s *share) String() string { return string(*s) }

// Type implements pflag.Value.
func (s *share) Type() string { return "number" }
