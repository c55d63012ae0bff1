package archtest

import (
	"os"
	"strings"
	"testing"

	"github.com/odi-dev/odi/internal/testkit/program"
)

// heavyweights are libraries that cost tens of megabytes of binary and memory, and nothing of them is
// needed where there is no cluster. What they register when they are loaded is paid for by every process.
var heavyweights = []string{"k8s.io/client-go", "k8s.io/cli-runtime", "sigs.k8s.io/controller-runtime", "helm.sh/helm"}

// TestRunAloneStaysSmall: `odi run` has no cluster, so hack/try/odi, which is nothing else, carries no
// client for one.
func TestRunAloneStaysSmall(t *testing.T) {
	list := program.CommandContext(t.Context(), t, "go", "list", "-deps", "./hack/try/odi")
	list.Dir, list.Stderr = root(t), os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Fields(string(out))
	if want := module + "/hack/try/odi"; !strings.Contains(string(out), want) {
		t.Fatalf("%s is not among its %d packages", want, len(all))
	}
	for _, imported := range all {
		for _, heavy := range heavyweights {
			if within(heavy, imported) {
				t.Errorf("hack/try/odi carries %s", imported)
			}
		}
	}
}
