package streams

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestAwaitEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	silent, _ := io.Pipe()
	cancel()
	_, err := Await(ctx, func() (string, error) { return bufio.NewReader(silent).ReadString('\n') })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("want the end of the context, got %v", err)
	}
	text, err := Await(t.Context(), func() (string, error) { return bufio.NewReader(strings.NewReader("yes\n")).ReadString('\n') })
	if text != "yes\n" || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
}
