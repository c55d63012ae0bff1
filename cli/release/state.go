package release

import (
	"errors"
	"fmt"
	"time"

	"helm.sh/helm/v4/pkg/release/common"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage/driver"
)

// State is what the cluster knows of the release.
type State struct {
	Exists  bool
	Version string
	// Deployed means that one of its revisions was applied without error.
	Deployed bool
	// Revision is the newest of those; 0 where there is none.
	Revision int
	// Unfinished is what runs now or was cut off ("upgrade"); empty where nothing is.
	Unfinished string
	// Since is when that began.
	Since time.Time
	// Values are those that users gave for the newest revision.
	Values map[string]any
}

// unfinished are the states that a process which dies leaves behind.
var unfinished = map[common.Status]string{
	common.StatusPendingInstall:  "installation",
	common.StatusPendingUpgrade:  "upgrade",
	common.StatusPendingRollback: "rollback",
	common.StatusUninstalling:    unfinishedRemoval,
}

// State reads the newest revision.
func (r *Release) State() (State, error) {
	last, err := r.last()
	if err != nil || last == nil {
		return State{}, err
	}
	state := State{Exists: last.Info.Status != common.StatusUninstalled, Unfinished: unfinished[last.Info.Status], Values: last.Config}
	state.Since = last.Info.LastDeployed
	if last.Info.Status == common.StatusUninstalling {
		state.Since = last.Info.Deleted
	}
	if last.Chart != nil && last.Chart.Metadata != nil {
		state.Version = last.Chart.Metadata.AppVersion
	}
	if deployed, err := r.config.Releases.Deployed(Name); err == nil {
		state.Deployed = true
		if d, ok := deployed.(*releasev1.Release); ok {
			state.Revision = d.Version
		}
	}
	return state, nil
}

// Beginning says that the first installation is unfinished.
func (s State) Beginning() bool {
	return s.Unfinished != "" && s.Unfinished != unfinishedRemoval && !s.Deployed
}

// last is the newest revision; nil where there is none.
func (r *Release) last() (*releasev1.Release, error) {
	found, err := r.config.Releases.Last(Name)
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the Helm release %s in %s: %w", Name, r.namespace, err)
	}
	last, ok := found.(*releasev1.Release)
	if !ok {
		return nil, fmt.Errorf("the Helm release %s in %s has an unknown format (%T)", Name, r.namespace, found)
	}
	if last.Chart != nil && last.Chart.Metadata != nil && last.Chart.Metadata.Name != chartName {
		return nil, fmt.Errorf("the Helm release %s in %s is of the chart %s: %w", Name, r.namespace, last.Chart.Metadata.Name, errForeign)
	}
	return last, nil
}

// errForeign says that something else goes by the name of odi's release.
var errForeign = errors.New("it has nothing to do with odi")

// giveUp marks the newest revision, which was cut off, as failed: Helm goes on from there.
func (r *Release) giveUp(command string) error {
	last, err := r.last()
	if err != nil || last == nil {
		return err
	}
	last.SetStatus(common.StatusFailed, "cut off; continued by "+command)
	if err := r.config.Releases.Update(last); err != nil {
		return fmt.Errorf("marking what was cut off as failed: %w", err)
	}
	return nil
}
