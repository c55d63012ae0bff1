package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/odiglet"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/export"
	"github.com/odi-dev/odi/odiglet/host"
	"github.com/odi-dev/odi/odiglet/routes"
)

const (
	// batchDelay is short, because somebody is watching.
	batchDelay = 50 * time.Millisecond
	// farewell bounds how long the receiver may take for what is queued at the
	// end. The processes are free by then.
	farewell = 3 * time.Second
)

// session is one run of the command.
type session struct {
	flags
	io       streams.Streams
	out      *outputs
	log      *slog.Logger
	books    *books.Books
	selector *host.Selector
	odiglet  *odiglet.Odiglet
	watched  []host.Port
	// caller is whom the command runs as; nil means as odi does.
	caller *caller
	// news is filled after what is known of a process has changed.
	news chan struct{}
}

// run traces until a signal, the end of the command, or the end of every chosen process.
func run(ctx context.Context, io streams.Streams, f flags) error {
	// Signals end a run in their own way: a command may have something to say
	// after them.
	ctx = context.WithoutCancel(ctx)
	out, stop := watchOutputs(&io)
	defer stop()
	hostname, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("naming this host: %w", err)
	}
	s := &session{
		flags: f, io: io, out: out, log: logger(io.Err, f.verbose), books: books.New(),
		selector: host.New(hostname, f.exes, os.Getpid()), news: make(chan struct{}, 1),
	}
	s.selector.QueryKeys, s.selector.Untouched = f.queryKeys, f.untouched
	if s.selector.Routes, err = routes.Compile(f.routes); err != nil {
		return exit.Usagef("odi run: --route: %w", err)
	}
	if err := s.selector.Sample(f.sample, f.rules); err != nil {
		return exit.Usagef("odi run: --sample: %w", err)
	}
	if err := s.choosePIDs(); err != nil {
		return err
	}
	if len(f.command) > 0 && !f.asRoot {
		if s.caller, err = whoCalledSudo(os.LookupEnv, os.Geteuid(), onThisMachine); err != nil {
			return err
		}
	}
	sink, err := f.sink(io, s.books, s.log)
	if err != nil {
		return err
	}
	ended := s.trace(ctx, sink)
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	err = sink.Close(ctx)
	if s.odiglet != nil {
		s.printBooks()
	}
	if out.readerLeft() {
		return exit.Status(128 + int(syscall.SIGPIPE)) // as of a program that the signal ends
	}
	return both(err, ended)
}

// trace loads the engine and works until the end; then nothing is attached any more.
func (s *session) trace(ctx context.Context, sink export.Sink) error {
	if err := mayWatch(); err != nil {
		return err
	}
	// Before loading, which takes a while on a busy machine: a signal then must not be lost.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)

	var err error
	s.odiglet, err = odiglet.Load(odiglet.Options{
		Selector: s.selector, Sink: sink, Books: s.books, LinkMethods: true, BatchDelay: batchDelay, Log: s.log,
		Changed: s.onNews, AtOnce: len(s.command) > 0,
	})
	if err != nil {
		return fmt.Errorf("%w (`odi check` says what this kernel has)", err)
	}
	defer s.odiglet.Close()
	s.printLadder()
	s.choosePorts()

	ctx, stop := context.WithCancel(ctx)
	defer stop()

	var work sync.WaitGroup
	var failed error
	work.Go(func() {
		defer stop()
		failed = s.odiglet.Run(ctx)
	})
	work.Go(func() { s.watchPorts(ctx) })
	ended := s.until(ctx, signals)
	stop()
	work.Wait()
	return both(failed, ended)
}

// mayWatch says which capabilities this process lacks.
func mayWatch() error {
	if lacking := host.MissingCapabilities(); len(lacking) > 0 {
		return fmt.Errorf("odi run may not watch processes: it lacks %s; run it as root (sudo odi run ...)", strings.Join(lacking, ", "))
	}
	return nil
}

// both keeps the end of the command alone what it is: an exit code, not a message.
func both(failed, ended error) error {
	if failed == nil {
		return ended
	}
	return errors.Join(failed, ended)
}

// until returns when it is time to stop.
func (s *session) until(ctx context.Context, signals <-chan os.Signal) error {
	select {
	case <-s.odiglet.Manager().Ready():
	case <-ctx.Done():
		return nil
	}
	ctx, stop := context.WithCancel(ctx)
	var news sync.WaitGroup
	news.Go(func() { s.announce(ctx) })
	defer news.Wait()
	defer stop()
	if len(s.command) > 0 {
		return s.runCommand(ctx, signals)
	}
	return s.await(ctx, signals)
}

// await returns at a signal, or when every chosen process has ended.
func (s *session) await(ctx context.Context, signals <-chan os.Signal) error {
	var gone <-chan time.Time
	if len(s.ports)+len(s.exes) == 0 { // else there may be others, and nothing is worth waking up for
		tick := time.NewTicker(quiet)
		defer tick.Stop()
		gone = tick.C
	}
	for {
		select {
		case <-signals:
			return nil
		case <-s.out.gone:
			return nil
		case <-ctx.Done():
			return nil
		case <-gone:
			if s.nothingLeft() {
				fmt.Fprintln(s.io.Err, "every chosen process has ended")
				return nil
			}
		}
	}
}

// nothingLeft says that all chosen processes, with their children, are gone.
func (s *session) nothingLeft() bool {
	return len(s.odiglet.Manager().Instances()) == 0
}

// logger writes what odi itself has to say, in words rather than records.
func logger(w io.Writer, verbose bool) *slog.Logger {
	level := slog.LevelWarn
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
}

// choosePIDs selects the processes of --pid, which must exist.
func (s *session) choosePIDs() error {
	for _, pid := range s.pids {
		p, err := host.Read(pid)
		if errors.Is(err, fs.ErrPermission) {
			if lacking := mayWatch(); lacking != nil {
				return lacking // which is why
			}
		}
		if err != nil {
			return exit.Usagef("odi run: --pid %d: %w", pid, err)
		}
		s.selector.Choose(p)
	}
	return nil
}
