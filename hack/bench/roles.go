package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// connections keep one core busy and stay far below what a core accepts.
const connections = 16

// play is what the measured processes do: this binary again, as
// `bench role server CPU ADDR`, `bench role client CPU ADDR` or
// `bench role starter CPU PROGRAM`.
func play(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("usage: role server|client CPU ADDR, or role starter CPU PROGRAM")
	}
	cpu, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	if cpu >= 0 {
		if err := pin(cpu); err != nil {
			return err
		}
	}
	return playAs(args[0], args[2])
}

func playAs(role, with string) error {
	switch role {
	case "server":
		return serve(with)
	case "starter":
		return startPrograms(with, os.Stdin, os.Stdout)
	case "pipes":
		return count(pingPong, os.Stdin, os.Stdout)
	case "datagrams":
		return count(flood, os.Stdin, os.Stdout)
	case "bulk-server":
		return serveBulk(with)
	case "bulk":
		return driveBulk(with, os.Stdin, os.Stdout)
	case "grpc-server":
		return serveCalls()
	case "kafka-server":
		return serveRecords()
	}
	if kind, ok := strings.CutPrefix(role, "ask-"); ok {
		return driveProtocol(kind, with, os.Stdin, os.Stdout)
	}
	return drive(with, os.Stdin, os.Stdout)
}

// pin moves every thread of this process, and those to come, to one core.
func pin(cpu int) error {
	var set unix.CPUSet
	set.Set(cpu)
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, task := range tasks {
		tid, err := strconv.Atoi(task.Name())
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(tid, &set); err != nil {
			return fmt.Errorf("pinning to core %d: %w", cpu, err)
		}
	}
	return nil
}

func serve(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello\n")
	}))
}

// drive reads orders "MILLISECONDS RATE" (0: as fast as it can) and answers
// each with the number of requests that it did.
func drive(addr string, orders io.Reader, answers io.Writer) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	url := "http://" + addr + "/hello?user=1"
	_, _ = fmt.Fprintln(answers, "ready")
	for lines := bufio.NewScanner(orders); lines.Scan(); {
		var ms, rate int
		if _, err := fmt.Sscan(lines.Text(), &ms, &rate); err != nil {
			return err
		}
		n, err := load(client, url, time.Duration(ms)*time.Millisecond, rate)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintln(answers, n)
	}
	return nil
}

func load(client *http.Client, url string, d time.Duration, rate int) (int64, error) {
	var done atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	end := time.Now().Add(d)
	for range connections {
		wg.Go(func() {
			start, mine := time.Now(), 0
			for time.Now().Before(end) {
				if err := ask(client, url); err != nil {
					failed.Store(&err)
					return
				}
				done.Add(1)
				mine++
				if rate > 0 {
					time.Sleep(time.Until(start.Add(time.Duration(mine) * time.Second * connections / time.Duration(rate))))
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return done.Load(), nil
}

func ask(client *http.Client, url string) error {
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// startPrograms reads orders, a number each, starts a program so often, one after
// the other, and answers each with the CPU nanoseconds that this took it and them.
func startPrograms(program string, orders io.Reader, answers io.Writer) error {
	_, _ = fmt.Fprintln(answers, "ready")
	for lines := bufio.NewScanner(orders); lines.Scan(); {
		count, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		before, err := usage()
		if err != nil {
			return err
		}
		for range count {
			pid, err := syscall.ForkExec(program, []string{program}, nil)
			if err != nil {
				return fmt.Errorf("starting %s: %w", program, err)
			}
			if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil {
				return err
			}
		}
		after, err := usage()
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintln(answers, (after - before).Nanoseconds())
	}
	return nil
}

// usage is the CPU time of this process and of its children that have ended.
func usage() (time.Duration, error) {
	var sum time.Duration
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if err := unix.Getrusage(who, &u); err != nil {
			return 0, err
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum, nil
}
