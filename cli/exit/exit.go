package exit

import (
	"errors"
	"fmt"
)

// The exit codes of odi. A program that `odi run` ran ends it with its own.
const (
	OK     = 0
	Failed = 1
	Usage  = 2
	// Problem is that of a command that looked, as it was asked to, and found something broken.
	Problem = 3
)

// usageError is an error that the user repairs by typing something else.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// AsUsage marks err as bad input. A nil err stays nil.
func AsUsage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// Usagef makes a bad-input error; its text says what, where, and what is valid.
func Usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// Code returns the exit code for the error of a command.
func Code(err error) int {
	var usage usageError
	if code, ok := statusCode(err); ok {
		return code
	}
	switch {
	case err == nil:
		return OK
	case errors.As(err, &usage):
		return Usage
	default:
		return Failed
	}
}
