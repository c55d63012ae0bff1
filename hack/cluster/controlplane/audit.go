package controlplane

import (
	"fmt"
	"os"
	"path/filepath"
)

// auditPolicy has the API server write down what odi's own accounts ask for, and
// nothing else: the end-to-end test compares it with their roles.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
    userGroups: ["system:serviceaccounts:odi-system"]
  - level: None
`

// AuditLog is where the control plane of a folder writes it.
func AuditLog(dir string) string { return filepath.Join(dir, "audit.log") }

func (p Plan) auditPolicy() string { return filepath.Join(p.Dir, "audit-policy.yaml") }

func (p Plan) writeAuditPolicy() error {
	if err := os.WriteFile(p.auditPolicy(), []byte(auditPolicy), 0o600); err != nil {
		return fmt.Errorf("writing the audit policy: %w", err)
	}
	return nil
}

// auditArgs bound the log: an end-to-end run writes a fifth of it.
func (p Plan) auditArgs() []string {
	return []string{
		"--audit-policy-file=" + p.auditPolicy(),
		"--audit-log-path=" + AuditLog(p.Dir),
		"--audit-log-maxsize=100", "--audit-log-maxbackup=1",
	}
}
