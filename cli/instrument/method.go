package instrument

import (
	"fmt"
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// method is the value of --method; the case of what is typed does not matter.
type method odiv1.Method

// methods in the order of help.
var methods = []string{
	string(odiv1.MethodAuto), string(odiv1.MethodEBPF), string(odiv1.MethodAgent), string(odiv1.MethodNone),
}

// String is the value as written.
func (m *method) String() string { return string(*m) }

// Set takes the value of the flag and refuses unknown ones.
func (m *method) Set(text string) error {
	for _, known := range methods {
		if strings.EqualFold(text, known) {
			*m = method(known)
			return nil
		}
	}
	return fmt.Errorf("valid are %s", strings.Join(methods, ", "))
}

// Type is shown in help.
func (m *method) Type() string { return "method" }
