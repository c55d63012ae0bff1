package release

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"helm.sh/helm/v4/pkg/action"
	kubecommon "helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/kube"
	"helm.sh/helm/v4/pkg/release/common"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage/driver"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/odi-dev/odi/charts"
)

// Name of the release; there is one per cluster.
const Name = "odi"

// renderFor is the Kubernetes that manifests are rendered for where no cluster is asked.
const renderFor = "v1.37.0"

// applyTimeout bounds Helm's own hooks. odi's chart has none, so it is never reached.
const applyTimeout = 5 * time.Minute

// Release is the release odi of one namespace, whether it exists or not.
type Release struct {
	config    *action.Configuration
	namespace string
}

// Open connects to the cluster that holds the release.
func Open(getter genericclioptions.RESTClientGetter, namespace string) (*Release, error) {
	// Helm logs what it returns as errors, too.
	config := action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler))
	if err := config.Init(getter, namespace, "secret"); err != nil {
		return nil, fmt.Errorf("connecting Helm to the cluster: %w", err)
	}
	return &Release{config: config, namespace: namespace}, nil
}

// State is what the cluster knows of the release.
type State struct {
	Exists  bool
	Version string
	// Deployed means that one of its revisions was applied without error.
	Deployed bool
	// Pending means that an installation or upgrade runs now, or was cut off.
	Pending bool
}

// State reads the newest revision.
func (r *Release) State() (State, error) {
	found, err := r.config.Releases.Last(Name)
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return State{}, nil
	}
	if err != nil {
		return State{}, fmt.Errorf("reading the Helm release %s in %s: %w", Name, r.namespace, err)
	}
	last, ok := found.(*releasev1.Release)
	if !ok {
		return State{}, fmt.Errorf("the Helm release %s in %s has an unknown format (%T)", Name, r.namespace, found)
	}
	state := State{Exists: last.Info.Status != common.StatusUninstalled, Pending: last.Info.Status.IsPending()}
	if last.Chart != nil && last.Chart.Metadata != nil {
		state.Version = last.Chart.Metadata.AppVersion
	}
	_, err = r.config.Releases.Deployed(Name)
	state.Deployed = err == nil
	return state, nil
}

// Install makes the release, also where an earlier attempt failed.
func (r *Release) Install(ctx context.Context, values map[string]any) error {
	chart, err := charts.Load()
	if err != nil {
		return err
	}
	install := action.NewInstall(r.config)
	install.ReleaseName, install.Namespace = Name, r.namespace
	install.Replace = true
	install.WaitStrategy = kube.HookOnlyStrategy
	install.Timeout = applyTimeout
	if _, err := install.RunWithContext(ctx, chart, values); err != nil {
		return fmt.Errorf("installing the chart: %w", err)
	}
	return nil
}

// Upgrade applies the chart of this program over the release. keep says that
// values given before stay in force below the given ones.
func (r *Release) Upgrade(ctx context.Context, values map[string]any, keep bool) error {
	chart, err := charts.Load()
	if err != nil {
		return err
	}
	if _, err := r.upgrade(keep).RunWithContext(ctx, Name, chart, values); err != nil {
		return fmt.Errorf("upgrading the chart: %w", err)
	}
	return nil
}

// Preview returns the manifests that Upgrade would apply.
func (r *Release) Preview(ctx context.Context, values map[string]any, keep bool) (string, error) {
	chart, err := charts.Load()
	if err != nil {
		return "", err
	}
	upgrade := r.upgrade(keep)
	upgrade.DryRunStrategy = action.DryRunServer
	rendered, err := upgrade.RunWithContext(ctx, Name, chart, values)
	if err != nil {
		return "", fmt.Errorf("rendering the upgrade: %w", err)
	}
	return manifestOf(rendered)
}

func (r *Release) upgrade(keep bool) *action.Upgrade {
	upgrade := action.NewUpgrade(r.config)
	upgrade.Namespace = r.namespace
	upgrade.ResetThenReuseValues = keep
	upgrade.ResetValues = !keep
	upgrade.WaitStrategy = kube.HookOnlyStrategy
	upgrade.Timeout = applyTimeout
	upgrade.ServerSideApply = "true"
	// Somebody may have edited odi's objects by hand; the chart is the truth.
	upgrade.ForceConflicts = true
	// Each revision is a Secret; a handful is enough to roll back.
	upgrade.MaxHistory = 5
	return upgrade
}

// Uninstall deletes everything that the release made and its history.
func (r *Release) Uninstall() error {
	uninstall := action.NewUninstall(r.config)
	uninstall.IgnoreNotFound = true
	uninstall.WaitStrategy = kube.HookOnlyStrategy
	uninstall.Timeout = applyTimeout
	if _, err := uninstall.Run(Name); err != nil {
		return fmt.Errorf("uninstalling the chart: %w", err)
	}
	return nil
}

// Render returns the manifests that Install would apply. No cluster is asked.
func Render(ctx context.Context, namespace string, values map[string]any) (string, error) {
	chart, err := charts.Load()
	if err != nil {
		return "", err
	}
	install := action.NewInstall(action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler)))
	install.ReleaseName, install.Namespace = Name, namespace
	install.DryRunStrategy = action.DryRunClient
	install.KubeVersion = &kubecommon.KubeVersion{Version: renderFor, Major: "1", Minor: "37"}
	rendered, err := install.RunWithContext(ctx, chart, values)
	if err != nil {
		return "", fmt.Errorf("rendering the chart: %w", err)
	}
	return manifestOf(rendered)
}

func manifestOf(rendered any) (string, error) {
	release, ok := rendered.(*releasev1.Release)
	if !ok {
		return "", fmt.Errorf("rendering the chart: unexpected result %T", rendered)
	}
	return release.Manifest, nil
}
