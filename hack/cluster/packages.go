package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

// installPackages installs the missing ones as `make setup` does.
func (c cluster) installPackages(ctx context.Context) error {
	missing := missingPackages()
	output, err := exec.CommandContext(ctx, filepath.Join(c.builder.Root, "hack", "setup.sh"), missing...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("installing %s: %w\n%s", strings.Join(missing, " "), err, output)
	}
	if !packagesInstalled() {
		return errors.New("still missing after the installation: " + strings.Join(missingPackages(), " "))
	}
	return nil
}
