package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/odi-dev/odi/hack/servers"
)

// unselectedLimit is how much more programs may need that nobody has selected.
const unselectedLimit = 1.01

func serveCalls() error {
	l, err := servers.Listener()
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return servers.GRPC(l, func(_ context.Context, _, message string) (string, error) { return message, nil })
}

func serveRecords() error {
	_, addr, err := servers.Kafka(kfake.SeedTopics(1, "orders"))
	if err != nil {
		return err
	}
	fmt.Println(addr)
	select {}
}

// count reads orders, a number each, does something so often, and answers with the CPU
// nanoseconds that this took.
func count(do func(times int) error, orders io.Reader, answers io.Writer) error {
	_, _ = fmt.Fprintln(answers, "ready")
	for lines := bufio.NewScanner(orders); lines.Scan(); {
		times, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		before, err := usage()
		if err != nil {
			return err
		}
		if err := do(times); err != nil {
			return err
		}
		after, err := usage()
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintln(answers, (after - before).Nanoseconds())
	}
	return nil
}

// pingPong sends a byte there and back between two threads.
func pingPong(times int) error {
	far, near, err := os.Pipe()
	if err != nil {
		return err
	}
	back, answer, err := os.Pipe()
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(answer, far)
		done <- err
	}()
	one := make([]byte, 1)
	for range times {
		if _, err := near.Write(one); err != nil {
			return err
		}
		if _, err := back.Read(one); err != nil {
			return err
		}
	}
	return errors.Join(near.Close(), <-done, answer.Close(), back.Close(), far.Close())
}

// flood sends datagrams and reads those that come.
func flood(times int) error {
	to, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	from, err := net.Dial("udp", to.LocalAddr().String())
	if err != nil {
		return errors.Join(err, to.Close())
	}
	some := make([]byte, 64)
	for range times {
		if _, err := from.Write(some); err != nil {
			return err
		}
		if _, _, err := to.ReadFrom(some); err != nil {
			return err
		}
	}
	return errors.Join(from.Close(), to.Close())
}

// unselected measures programs that nobody has selected, while odi watches another one.
func (b *bench) unselected() error {
	for _, c := range []struct {
		role, what string
		times      int
	}{{"pipes", "a byte there and back through pipes", 100_000}, {"datagrams", "a UDP datagram", 200_000}} {
		p, _, err := spawn(c.role, "0", "-")
		if err != nil {
			return err
		}
		cost := func() (float64, error) {
			ns, err := p.order(c.times)
			return float64(ns) / float64(c.times), err
		}
		err = b.compare(c.role, c.what, cost)
		p.stop()
		if err != nil {
			return err
		}
	}
	p, err := newPair()
	if err != nil {
		return err
	}
	defer p.stop()
	return b.compare("http", "an HTTP request served", func() (float64, error) {
		s, err := p.measure(b.window)
		return s.server * 1000, err
	})
}

// compare measures with odi beside it, with empty programs at the same hooks, and without, in
// turns; so do those that begin.
func (b *bench) compare(name, what string, cost func() (float64, error)) error {
	idle := exec.Command("sleep", "600")
	if err := idle.Start(); err != nil {
		return err
	}
	defer func() { _ = idle.Process.Kill(); _ = idle.Wait() }()
	if _, err := cost(); err != nil { // warm up
		return err
	}
	var ratios, alone, empty []float64
	for range 2*rounds + 1 {
		first, err := cost()
		if err != nil {
			return err
		}
		odi, err := b.watch("--pid", strconv.Itoa(idle.Process.Pid), "-o", "none")
		if err != nil {
			return err
		}
		with, err := cost()
		if err != nil {
			return err
		}
		if _, _, err := odi.end(); err != nil {
			return err
		}
		between, err := cost()
		if err != nil {
			return err
		}
		bare, err := besideBare(cost)
		if err != nil {
			return err
		}
		last, err := cost()
		if err != nil {
			return err
		}
		without := (first + between) / 2
		ratios, alone = append(ratios, with/without), append(alone, without)
		empty = append(empty, 2*bare/(between+last))
	}
	b.add(figure{Name: "unselected_" + name + "_ratio", Unit: "ratio", Limit: unselectedLimit, Free: true, Samples: ratios})
	b.add(figure{Name: "unselected_" + name + "_empty_programs_ratio", Unit: "ratio", Free: true, Samples: empty})
	percent := func(ratios []float64) float64 { return 100 * (median(ratios) - 1) }
	b.others = append(b.others, fmt.Sprintf("| %s | %.0f | %+.1f %% | %+.1f %% |", what, median(alone), percent(ratios), percent(empty)))
	return nil
}
