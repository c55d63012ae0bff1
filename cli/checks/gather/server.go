package gather

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	apiversion "k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"

	"github.com/odi-dev/odi/cli/checks"
)

// server asks the API server for its version and its clock.
func server(ctx context.Context, g *gatherer) {
	value, err := askServer(ctx, g.config)
	g.facts.Server = read(g, value, err)
}

func askServer(ctx context.Context, config *rest.Config) (checks.Server, error) {
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return checks.Server{}, err
	}
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return checks.Server{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath("version").String(), nil)
	if err != nil {
		return checks.Server{}, err
	}
	asked := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return checks.Server{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return checks.Server{}, fmt.Errorf("the API server answers %s", response.Status)
	}
	var info apiversion.Info
	if err := json.NewDecoder(response.Body).Decode(&info); err != nil {
		return checks.Server{}, fmt.Errorf("reading the API server's version: %w", err)
	}
	s := checks.Server{Version: info.GitVersion}
	s.Major, _ = strconv.Atoi(info.Major)
	s.Minor, _ = strconv.Atoi(strings.TrimRight(info.Minor, "+")) // GKE says 31+; what is no number is the oldest
	s.Skew = skew(response.Header.Get("Date"), asked, time.Now())
	return s, nil
}

// skew compares the server's clock, which tells whole seconds, with the middle of the question.
func skew(date string, asked, answered time.Time) checks.Known[time.Duration] {
	theirs, err := http.ParseTime(date)
	if err != nil {
		return checks.Not[time.Duration]("the API server does not say what time it is")
	}
	mine := asked.Add(answered.Sub(asked) / 2)
	return checks.Of(theirs.Add(time.Second / 2).Sub(mine))
}

func served(_ context.Context, g *gatherer) {
	client, err := discovery.NewDiscoveryClientForConfig(g.config)
	if err != nil {
		g.facts.Served = read[map[string]bool](g, nil, err)
		return
	}
	groups, err := client.ServerGroups()
	all := map[string]bool{}
	if err == nil {
		for _, group := range groups.Groups {
			for _, version := range group.Versions {
				all[version.GroupVersion] = true
			}
		}
	}
	g.facts.Served = read(g, all, err)
}

func deadAPIs(ctx context.Context, g *gatherer) {
	list := &unstructured.UnstructuredList{}
	list.SetAPIVersion("apiregistration.k8s.io/v1")
	list.SetKind("APIServiceList")
	err := g.c.List(ctx, list)
	var dead []string
	for _, item := range list.Items {
		conditions, _, _ := unstructured.NestedSlice(item.Object, "status", "conditions")
		for _, entry := range conditions {
			condition, _ := entry.(map[string]any)
			if condition["type"] == "Available" && condition["status"] == "False" {
				dead = append(dead, item.GetName())
			}
		}
	}
	g.facts.DeadAPIs = read(g, dead, err)
}
