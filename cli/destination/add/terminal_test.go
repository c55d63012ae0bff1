package add

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/destinations"
)

// terminal opens a pair of files: what a person sees and types at, and what a program has.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	return person, program
}

func echoes(t *testing.T, program *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(program.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// prompt is what is asked, which a test may look at meanwhile.
type prompt struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *prompt) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *prompt) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

// TestASecretIsAskedForOnATerminal: --from-stdin says what it waits for, shows nothing of it, and ends at Ctrl-C.
func TestASecretIsAskedForOnATerminal(t *testing.T) {
	jaeger, err := destinations.Get("jaeger")
	if err != nil {
		t.Fatal(err)
	}
	// The interrupted one comes last: whoever still reads there shows what is typed again when its
	// terminal is closed, on a file that may have become another's.
	for _, interrupted := range []bool{false, true} {
		t.Run(map[bool]string{false: "answered", true: "interrupted"}[interrupted], func(t *testing.T) {
			person, program := terminal(t)
			asked := &prompt{}
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			given, done := values{}, make(chan error, 1)
			go func() {
				s := sources{stdin: "token"}
				done <- s.readElsewhere(ctx, streams.Streams{In: program, Err: asked, InTerminal: true}, jaeger, given)
			}()
			for end := time.Now().Add(10 * time.Second); echoes(t, program) || !strings.Contains(asked.String(), "token (it is not shown; "); time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("nothing is asked, or what is typed is shown: %q", asked.String())
				}
			}
			if interrupted {
				interrupt()
				if err := <-done; !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
			} else {
				fmt.Fprintln(person, "s3cret")
				if err := <-done; err != nil || given["token"] != "s3cret" {
					t.Errorf("got %v, %v", given, err)
				}
			}
			if !echoes(t, program) {
				t.Error("the terminal goes on hiding what is typed")
			}
		})
	}
}
