package instrument

import (
	"fmt"
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// propagation is the value of --propagation; empty leaves what is there. The case of what is
// typed does not matter.
type propagation odiv1.Propagation

// propagations in the order of help.
var propagations = []string{string(odiv1.PropagationAuto), string(odiv1.PropagationNone)}

// String is the value as written.
func (p *propagation) String() string { return string(*p) }

// Set takes the value of the flag and refuses unknown ones.
func (p *propagation) Set(text string) error {
	for _, known := range propagations {
		if strings.EqualFold(text, known) {
			*p = propagation(known)
			return nil
		}
	}
	return fmt.Errorf("valid are %s", strings.Join(propagations, ", "))
}

// Type is shown in help.
func (p *propagation) Type() string { return "propagation" }
