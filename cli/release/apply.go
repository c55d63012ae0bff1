package release

import (
	"context"
	"fmt"
	"time"

	"helm.sh/helm/v4/pkg/chart/v2/loader"

	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/kinds"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/internal/version"
)

// cutOffAfter is when an operation of Helm's that is not ended counts as cut off. It is
// twice the time that Helm gives one by default; of its process nothing can be seen.
const cutOffAfter = 10 * time.Minute

// Change is one installation or upgrade.
type Change struct {
	// Command is what the user typed: "odi install".
	Command string
	Values  map[string]any
	// Keep says that values given before stay in force below Values.
	Keep bool
}

// Apply brings the release to the chart of this program, from wherever it is: new, failed, cut off or deployed.
func (r *Release) Apply(ctx context.Context, io streams.Streams, change Change) error {
	turn, err := takeTurn(ctx, r.client, r.namespace, change.Command)
	if err != nil {
		return err
	}
	defer turn.End(ctx)
	state, err := r.State()
	if err != nil {
		return err
	}
	if state.Unfinished != "" {
		if err := state.cutOff(turn, change.Command, time.Now()); err != nil {
			return err
		}
		fmt.Fprintf(io.Err, "the %s of odi that began at %s was cut off; %s continues it\n", state.Unfinished, clock(state.Since), change.Command)
		if change.Keep && state.Unfinished != unfinishedRemoval {
			change.Values = loader.MergeMaps(state.Values, change.Values)
		}
		if err := r.giveUp(change.Command); err != nil {
			return err
		}
	}
	if err := r.prepareKinds(ctx, state, change); err != nil {
		return err
	}
	if state.Deployed {
		return r.upgrade(ctx, change.Values, change.Keep)
	}
	return r.install(ctx, change.Values)
}

// unfinishedRemoval is the one of which nothing is continued: its values were to go.
const unfinishedRemoval = "removal"

// cutOff is an error while what is unfinished may still run.
func (s State) cutOff(turn *Turn, command string, now time.Time) error {
	if turn != nil && turn.Former != "" {
		return nil // It was an odi, which is silent.
	}
	if now.Sub(s.Since) >= cutOffAfter {
		return nil
	}
	return fmt.Errorf("another %s of odi runs since %s; wait for it. If it was cut off, %s continues it from %s on",
		s.Unfinished, clock(s.Since), command, clock(s.Since.Add(cutOffAfter)))
}

func clock(t time.Time) string { return t.Local().Format("15:04:05") }

// prepareKinds makes Helm take over the kinds that a former release left, and
// leave those that the new revision may have no more.
func (r *Release) prepareKinds(ctx context.Context, state State, change Change) error {
	all, err := kinds.List(ctx, r.client)
	if err != nil {
		return err
	}
	self := kinds.Owner{Namespace: r.namespace, Name: Name}
	values := change.Values
	if change.Keep {
		values = loader.MergeMaps(state.Values, change.Values)
	}
	if !LetsKindsGo(values) {
		if err := kinds.Keep(ctx, r.client, kinds.Of(self, all)); err != nil {
			return err
		}
	}
	orphans := map[kinds.Owner]bool{}
	var left []kinds.Definition
	for _, d := range all {
		if d.Owner == self || d.Owner == (kinds.Owner{}) {
			continue
		}
		orphan, known := orphans[d.Owner]
		if !known {
			if orphan, err = gone(ctx, r.client, d.Owner); err != nil {
				return err
			}
			orphans[d.Owner] = orphan
		}
		if orphan {
			left = append(left, d)
		}
	}
	return kinds.Give(ctx, r.client, left, self)
}

// LetsKindsGo says whether values give up the kinds, and all objects of theirs, with the release.
func LetsKindsGo(values map[string]any) bool { return crdsValue(values, "keep") == false }

func crdsValue(values map[string]any, name string) any {
	crds, ok := values["crds"].(map[string]any)
	if !ok {
		return nil
	}
	return crds[name]
}

// RefuseDowngrade is an error where a newer odi than this one wrote the release or the
// kinds: the older kinds would drop fields of users' objects. force lets it happen.
func (r *Release) RefuseDowngrade(ctx context.Context, io streams.Streams, values map[string]any, force bool) error {
	state, err := r.State()
	if err != nil {
		return err
	}
	found := map[string]string{"release": state.Version}
	if crdsValue(values, "install") != false {
		all, err := kinds.List(ctx, r.client)
		if err != nil {
			return err
		}
		for _, d := range all {
			found["kind "+d.Name] = d.Version
		}
	}
	newest, unknown := Newer(version.Version, found)
	switch {
	case unknown != "":
		fmt.Fprintf(io.Err, "whether %s is newer than the odi in the cluster (%s) cannot be told; going on\n", version.Version, unknown)
	case newest != "" && force:
		fmt.Fprintf(io.Err, "taking odi back from %s to %s\n", newest, version.Version)
	case newest != "":
		return exit.Usagef("the cluster has odi %s, and this program is older: %s; use odi %s or newer. "+
			"To take the cluster back nevertheless, --force-downgrade: fields that %s does not know are lost",
			newest, version.Version, newest, version.Version)
	}
	return nil
}

// Newer returns the newest version that is newer than mine, else one that cannot be compared with it.
func Newer(mine string, found map[string]string) (newest, unknown string) {
	for _, version := range found {
		if version == "" {
			continue
		}
		order, known := compare(version, mine)
		if !known {
			unknown = version
			continue
		}
		if order <= 0 {
			continue
		}
		if further, _ := compare(version, newest); newest == "" || further > 0 {
			newest = version
		}
	}
	if newest != "" {
		unknown = ""
	}
	return newest, unknown
}
