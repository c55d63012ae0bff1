package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// process is one of the measured programs.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// spawn starts this binary in a role and returns the first line it says.
func spawn(args ...string) (*process, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	return spawnAs(self, args...)
}

func spawnAs(exe string, args ...string) (*process, string, error) {
	cmd := exec.Command(exe, append([]string{"role"}, args...)...)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "GOMAXPROCS=2")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, "", err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	p := &process{cmd: cmd, in: in, out: bufio.NewScanner(out)}
	if !p.out.Scan() {
		return nil, "", fmt.Errorf("starting %v: it ended", args)
	}
	return p, p.out.Text(), nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// load orders a client to ask for d and returns how often it did.
func (p *process) load(d time.Duration, rate int) (int64, error) {
	return p.order(d.Milliseconds(), rate)
}

// order has a process do something and returns the number that it answers.
func (p *process) order(words ...any) (int64, error) {
	if _, err := fmt.Fprintln(p.in, words...); err != nil {
		return 0, err
	}
	if !p.out.Scan() {
		return 0, fmt.Errorf("the process ended under load")
	}
	return strconv.ParseInt(p.out.Text(), 10, 64)
}

// cpu is the time that a process has used so far.
func cpu(pid int) (time.Duration, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, task := range tasks {
		data, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has just ended
		}
		first, _, _ := strings.Cut(string(data), " ")
		ns, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}

// residentMiB is the memory of a process.
func residentMiB(pid int) (float64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		var kib float64
		if _, err := fmt.Sscanf(line, "VmRSS: %f kB", &kib); err == nil {
			return kib / 1024, nil
		}
	}
	return 0, fmt.Errorf("process %d has no VmRSS", pid)
}

// kernelObjects sums up what the BPF descriptors of a process say of themselves.
type kernelObjects struct {
	programs int
	links    int
	mapBytes float64
}

func objectsOf(pid int) (kernelObjects, error) {
	var o kernelObjects
	maps := map[float64]float64{} // by id: a map may have several descriptors
	dir := fmt.Sprintf("/proc/%d/fdinfo", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return o, err
	}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			continue // closed meanwhile
		}
		values := map[string]float64{}
		for line := range strings.Lines(string(data)) {
			key, value, _ := strings.Cut(line, ":")
			if n, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil {
				values[key] = n
			}
		}
		id, isMap := values["map_id"]
		_, isLink := values["link_id"]
		_, isProgram := values["run_time_ns"]
		switch {
		case isMap:
			maps[id] = values["memlock"]
		case isLink:
			o.links++
		case isProgram:
			o.programs++
		}
	}
	for _, bytes := range maps {
		o.mapBytes += bytes
	}
	return o, nil
}
