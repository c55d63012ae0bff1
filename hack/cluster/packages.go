package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// needs maps each file that the node's programs call to the Debian package that
// has it. Where the file is there, no package manager is needed.
var needs = map[string]string{
	"/usr/sbin/runc":      "runc",
	"/usr/lib/cni/bridge": "containernetworking-plugins",
	"/usr/sbin/iptables":  "iptables",
	"/usr/sbin/conntrack": "conntrack",
	"/usr/bin/nsenter":    "util-linux",
	"/usr/sbin/ip":        "iproute2",
	"/usr/bin/mount":      "mount",
	"/usr/bin/dpkg-deb":   "dpkg",
}

func missingPackages() []string {
	var missing []string
	for file, name := range needs {
		if _, err := os.Stat(file); err != nil {
			missing = append(missing, name)
		}
	}
	return missing
}

func packagesInstalled() bool { return len(missingPackages()) == 0 }

func installPackages(ctx context.Context) error {
	missing := missingPackages()
	list := strings.Join(missing, " ")
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("missing: %s; this machine has no apt-get, so install them by its own means", list)
	}
	install := func() ([]byte, error) {
		cmd := exec.CommandContext(ctx, "apt-get", append([]string{"install", "-y", "-q", "--no-install-recommends"}, missing...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		return cmd.CombinedOutput()
	}
	if _, err := install(); err == nil {
		return nil
	}
	// The lists may be old or missing: fetch them and try once more.
	if output, err := exec.CommandContext(ctx, "apt-get", "update", "-q").CombinedOutput(); err != nil {
		return fmt.Errorf("updating the package lists to install %s: %w\n%s", list, err, output)
	}
	if output, err := install(); err != nil {
		return fmt.Errorf("installing %s: %w\n%s", list, err, output)
	}
	if !packagesInstalled() {
		return errors.New("still missing after the installation: " + strings.Join(missingPackages(), " "))
	}
	return nil
}
