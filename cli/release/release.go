package release

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/action"
	kubecommon "helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/kube"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/charts"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/internal/version"
)

// Name of the release; there is one per cluster.
const Name = "odi"

// renderFor is the Kubernetes that manifests are rendered for where no cluster is asked.
const renderFor = "v1.37.0"

// applyTimeout bounds Helm's own hooks. odi's chart has none, so it is never reached.
const applyTimeout = 5 * time.Minute

// chartName is that of charts/odi.
const chartName = "odi"

// Release is the release odi of one namespace, whether it exists or not.
type Release struct {
	config    *action.Configuration
	client    client.Client
	namespace string
}

// Open connects to the cluster that holds the release.
func Open(to *cluster.Cluster, namespace string) (*Release, error) {
	c, err := to.Client()
	if err != nil {
		return nil, err
	}
	// Helm logs what it returns as errors, too.
	config := action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler))
	if err := config.Init(to.Getter(), namespace, "secret"); err != nil {
		return nil, fmt.Errorf("connecting Helm to the cluster: %w", err)
	}
	return &Release{config: config, client: c, namespace: namespace}, nil
}

// load returns the chart at the version of this program, by which later ones know what they find.
func load() (*chart.Chart, error) {
	c, err := charts.Load()
	if err != nil {
		return nil, err
	}
	// Neither a label nor the tag of an image may have the + of build metadata.
	c.Metadata.AppVersion = strings.ReplaceAll(version.Version, "+", "_")
	return c, nil
}

// install makes the release, also where an earlier attempt failed.
func (r *Release) install(ctx context.Context, values map[string]any) error {
	loaded, err := load()
	if err != nil {
		return err
	}
	install := action.NewInstall(r.config)
	install.ReleaseName, install.Namespace = Name, r.namespace
	install.Replace = true
	install.WaitStrategy = kube.HookOnlyStrategy
	install.Timeout = applyTimeout
	if _, err := install.RunWithContext(ctx, loaded, values); err != nil {
		return fmt.Errorf("installing the chart: %w", err)
	}
	return nil
}

// upgrade applies the chart of this program over the release. keep says that
// values given before stay in force below the given ones.
func (r *Release) upgrade(ctx context.Context, values map[string]any, keep bool) error {
	loaded, err := load()
	if err != nil {
		return err
	}
	if _, err := r.upgrading(keep).RunWithContext(ctx, Name, loaded, values); err != nil {
		return fmt.Errorf("upgrading the chart: %w", err)
	}
	return nil
}

// Preview returns the manifests that Apply would apply to a deployed release.
func (r *Release) Preview(ctx context.Context, values map[string]any, keep bool) (string, error) {
	loaded, err := load()
	if err != nil {
		return "", err
	}
	upgrade := r.upgrading(keep)
	upgrade.DryRunStrategy = action.DryRunServer
	rendered, err := upgrade.RunWithContext(ctx, Name, loaded, values)
	if err != nil {
		return "", fmt.Errorf("rendering the upgrade: %w", err)
	}
	return manifestOf(rendered)
}

func (r *Release) upgrading(keep bool) *action.Upgrade {
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

// Uninstall deletes everything that the release made and its history; kinds that
// Helm is told to keep stay. An uninstallation that was cut off is continued.
func (r *Release) Uninstall(ctx context.Context) error {
	turn, err := takeTurn(ctx, r.client, r.namespace, "odi uninstall")
	if err != nil {
		return err
	}
	defer turn.End(ctx)
	uninstall := action.NewUninstall(r.config)
	uninstall.IgnoreNotFound = true
	uninstall.WaitStrategy = kube.HookOnlyStrategy
	uninstall.Timeout = applyTimeout
	if _, err := uninstall.Run(Name); err != nil {
		return fmt.Errorf("uninstalling the chart: %w", err)
	}
	return nil
}

// Render returns the manifests that a first Apply would apply. No cluster is asked.
func Render(ctx context.Context, namespace string, values map[string]any) (string, error) {
	loaded, err := load()
	if err != nil {
		return "", err
	}
	install := action.NewInstall(action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler)))
	install.ReleaseName, install.Namespace = Name, namespace
	install.DryRunStrategy = action.DryRunClient
	install.KubeVersion = &kubecommon.KubeVersion{Version: renderFor, Major: "1", Minor: "37"}
	rendered, err := install.RunWithContext(ctx, loaded, values)
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
