package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/internal/collectorconfig"
)

// applied is what the gateway has now, in objects that this controller wrote.
type applied struct {
	// Config as text, empty when there is none or its parts do not fit together.
	Config string
	// Lanes by the UID of their Destination.
	Lanes map[string]collectorconfig.Lane
	// Credentials by the key that the configuration refers to.
	Credentials map[string][]byte
	// Objects counts those of each kind: what is not needed any more is emptied.
	Objects struct{ Config, Lanes, Credentials int }
}

// applied reads it all.
func (c *Controller) applied(ctx context.Context) (applied, error) {
	a := applied{Credentials: map[string][]byte{}}
	config, err := c.appliedParts(ctx, gatewayName, configFile)
	if err != nil {
		return applied{}, err
	}
	lanes, err := c.appliedParts(ctx, lanesName, lanesFile)
	if err != nil {
		return applied{}, err
	}
	a.Objects.Config, a.Objects.Lanes = len(config), len(lanes)
	a.Config, _ = collectorconfig.Join(config) // What does not fit together is written anew.
	a.Lanes = recordedLanes(lanes)
	for n := range collectorconfig.MostParts {
		var secret corev1.Secret
		found, err := c.appliedObject(ctx, collectorconfig.PartName(credentialsName, n, "-"), &secret)
		if err != nil || !found {
			return a, err
		}
		a.Objects.Credentials++
		maps.Copy(a.Credentials, secret.Data)
	}
	return a, nil
}

// appliedParts reads a text out of its ConfigMaps, which have no gap.
func (c *Controller) appliedParts(ctx context.Context, name, file string) ([]string, error) {
	var parts []string
	for n := range collectorconfig.MostParts {
		var part corev1.ConfigMap
		found, err := c.appliedObject(ctx, collectorconfig.PartName(name, n, "-"), &part)
		if err != nil {
			return nil, err
		}
		if !found {
			break
		}
		parts = append(parts, part.Data[collectorconfig.PartName(file, n, ".")])
	}
	return parts, nil
}

func (c *Controller) appliedObject(ctx context.Context, name string, obj client.Object) (bool, error) {
	err := c.reader.Get(ctx, types.NamespacedName{Namespace: c.config.Namespace, Name: name}, obj)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading what the gateway has in %s: %w", name, err)
	}
	return true, nil
}

// recordedLanes reads the record of lanes; a damaged one is as good as none.
func recordedLanes(parts []string) map[string]collectorconfig.Lane {
	text, err := collectorconfig.Join(parts)
	if err != nil {
		return nil
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber() // A float64 of a million would be rendered as 1e+06.
	var list []collectorconfig.Lane
	if err := decoder.Decode(&list); err != nil {
		return nil
	}
	lanes := map[string]collectorconfig.Lane{}
	for _, lane := range list {
		lanes[lane.UID] = lane
	}
	return lanes
}

// record is what recordedLanes reads.
func record(lanes []collectorconfig.Lane) ([]string, error) {
	text, err := json.Marshal(lanes)
	if err != nil {
		return nil, fmt.Errorf("recording the lanes: %w", err)
	}
	return collectorconfig.Split(string(text))
}
