package exit

import (
	"errors"
	"fmt"
)

// statusError carries the exit code of a program that odi ran.
type statusError struct{ code int }

func (e statusError) Error() string { return fmt.Sprintf("exit status %d", e.code) }

// Status makes odi exit with the code of a program that it ran. Zero is nil.
func Status(code int) error {
	if code == 0 {
		return nil
	}
	return statusError{code}
}

// Quiet says that there is nothing to print about err: it is the exit code of a
// program that had its say already.
func Quiet(err error) bool {
	_, ok := statusCode(err)
	return ok
}

func statusCode(err error) (int, bool) {
	var status statusError
	ok := errors.As(err, &status)
	return status.code, ok
}
