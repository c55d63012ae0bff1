// Package process starts programs that outlive the tool and stops exactly those
// again: each is remembered by process id and start time, never by name.
package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Spec says how to start a program.
type Spec struct {
	Name   string   // Of the record and of the log.
	Argv   []string // Program, by absolute path, and arguments.
	Env    []string // In addition to the tool's own.
	Netns  string   // Network namespace to run in, by name; empty means the tool's own.
	Inputs string   // A hash of what else it depends on, its configuration files above all.
}

// Records is the folder that holds a record per program, and their logs.
type Records string

// Record is what is remembered of a started program.
type Record struct {
	PID     int    `json:"pid"`
	Started uint64 `json:"started"` // Clock ticks since boot, as in /proc/<pid>/stat.
	Spec    Spec   `json:"spec"`
}

// Log is the file that gets the output of a program.
func (r Records) Log(name string) string { return filepath.Join(string(r), name+".log") }

func (r Records) file(name string) string { return filepath.Join(string(r), name+".json") }

// Ensure starts a program unless it already runs just so; one that runs with
// other arguments or inputs is stopped first.
func (r Records) Ensure(spec Spec) error {
	record, err := r.Load(spec.Name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err == nil && record.Alive() {
		if same(record.Spec, spec) {
			return nil
		}
		if err := r.Stop(spec.Name, 20*time.Second); err != nil {
			return err
		}
	}
	return r.start(spec)
}

func same(a, b Spec) bool {
	left, _ := json.Marshal(a) // A Spec is strings only: this cannot fail.
	right, _ := json.Marshal(b)
	return string(left) == string(right)
}

func (r Records) start(spec Spec) error {
	if err := os.MkdirAll(string(r), 0o755); err != nil {
		return fmt.Errorf("making the folder of the records: %w", err)
	}
	log, err := os.OpenFile(r.Log(spec.Name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("opening the log of %s: %w", spec.Name, err)
	}
	defer func() { _ = log.Close() }()
	argv := spec.Argv
	if spec.Netns != "" {
		// Not `ip netns exec`: that would also put another /sys in place.
		argv = append([]string{"nsenter", "--net=/run/netns/" + spec.Netns, "--"}, argv...)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), spec.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", spec.Name, err)
	}
	_, started, err := stat(cmd.Process.Pid)
	if err != nil {
		return fmt.Errorf("reading the start time of %s: %w", spec.Name, err)
	}
	return r.save(Record{PID: cmd.Process.Pid, Started: started, Spec: spec})
}

func (r Records) save(record Record) error {
	content, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return fmt.Errorf("recording %s: %w", record.Spec.Name, err)
	}
	if err := os.WriteFile(r.file(record.Spec.Name), content, 0o644); err != nil {
		return fmt.Errorf("recording %s: %w", record.Spec.Name, err)
	}
	return nil
}

// Load reads the record of a program; it wraps os.ErrNotExist when there is none.
func (r Records) Load(name string) (Record, error) {
	content, err := os.ReadFile(r.file(name))
	if err != nil {
		return Record{}, fmt.Errorf("reading the record of %s: %w", name, err)
	}
	var record Record
	if err := json.Unmarshal(content, &record); err != nil {
		return Record{}, fmt.Errorf("reading the record of %s: %w", name, err)
	}
	return record, nil
}

// Alive says whether the recorded program still runs. A zombie does not.
func (r Record) Alive() bool {
	state, started, err := stat(r.PID)
	return err == nil && started == r.Started && state != "Z" && state != "X"
}

// Running says whether the program of a name is recorded and runs.
func (r Records) Running(name string) bool {
	record, err := r.Load(name)
	return err == nil && record.Alive()
}

// Dead returns an error, with the end of its log, for each program that should run and does not.
func (r Records) Dead(names ...string) error {
	var errs []error
	for _, name := range names {
		if !r.Running(name) {
			errs = append(errs, fmt.Errorf("%s has ended; the end of %s:\n%s", name, r.Log(name), r.tail(name, 8)))
		}
	}
	return errors.Join(errs...)
}

// Stop ends a recorded program: politely, then after the grace not politely.
// A program that is not recorded or not running is fine.
func (r Records) Stop(name string, grace time.Duration) error {
	record, err := r.Load(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if !record.Alive() {
			break
		}
		if err := syscall.Kill(record.PID, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stopping %s: %w", name, err)
		}
		wait(grace, func() bool { return !record.Alive() })
	}
	if record.Alive() {
		return fmt.Errorf("stopping %s: process %d does not end", name, record.PID)
	}
	return os.Remove(r.file(name))
}

func wait(limit time.Duration, done func() bool) {
	for end := time.Now().Add(limit); time.Now().Before(end) && !done(); {
		time.Sleep(20 * time.Millisecond)
	}
}

func (r Records) tail(name string, lines int) string {
	content, err := os.ReadFile(r.Log(name))
	if err != nil {
		return ""
	}
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// stat reads the state letter and the start time of a process.
func stat(pid int) (state string, started uint64, err error) {
	content, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", 0, err
	}
	return parseStat(string(content))
}

func parseStat(line string) (state string, started uint64, err error) {
	// The command, field 2, is in brackets and may hold anything, brackets too.
	fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
	if len(fields) < 20 {
		return "", 0, fmt.Errorf("parsing %q: too few fields", line)
	}
	started, err = strconv.ParseUint(fields[19], 10, 64)
	if err != nil {
		return "", 0, fmt.Errorf("parsing the start time: %w", err)
	}
	return fields[0], started, nil
}
