package install

import (
	"context"
	"fmt"
	"time"

	"github.com/odi-dev/odi/cli/checks"
	"github.com/odi-dev/odi/cli/checks/gather"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/cli/streams"
)

// checkedWithin bounds the look: what is not known by then keeps nobody from installing.
const checkedWithin = 10 * time.Second

// newerThere is the code of the check that --force-downgrade answers.
const newerThere = "ODI-403"

// check stops where odi could not work. What is unknown stops nobody.
func (f flags) check(ctx context.Context, io streams.Streams, to *cluster.Cluster, namespace string, values map[string]any) error {
	if f.unchecked {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, checkedWithin)
	defer cancel()
	facts, err := gather.Facts(within, to, gather.Options{Namespace: namespace, Run: checks.Before, Values: values})
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	page := output.Page{Writer: io.Err, Width: io.ErrWidth}
	broken := 0
	for _, result := range checks.Judge(facts, checks.Before).Fatal() {
		if result.Code != newerThere || !f.downgrade {
			broken++
			result.Print(page)
		}
	}
	if broken == 0 {
		return nil
	}
	page.Line("", fmt.Sprintf("odi install: nothing was changed: %d of the checks before an installation %s fatal. "+
		"After mending, try again; to see all checks: odi check --pre; to install nevertheless: odi install --skip-checks",
		broken, map[bool]string{true: "is", false: "are"}[broken == 1]))
	return exit.Status(exit.Problem)
}
