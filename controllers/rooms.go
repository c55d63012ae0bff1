package controllers

import (
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/odi-dev/odi/controllers/certificates"
	"github.com/odi-dev/odi/controllers/decide"
	"github.com/odi-dev/odi/controllers/destination"
	"github.com/odi-dev/odi/controllers/facts"
	"github.com/odi-dev/odi/controllers/namespaces"
	"github.com/odi-dev/odi/controllers/nodes"
	"github.com/odi-dev/odi/controllers/pipeline"
	"github.com/odi-dev/odi/controllers/requests"
	"github.com/odi-dev/odi/controllers/rollout"
	selection "github.com/odi-dev/odi/controllers/select"
	"github.com/odi-dev/odi/internal/kube"
)

// Room is one controller.
type Room struct {
	Name  string
	Setup func(manager.Manager, kube.Config) error
}

// Rooms lists every controller, in the order of the way from a user's wish to a trace.
var Rooms = []Room{
	{"select", selection.Setup},
	{"nodes", nodes.Setup},
	{"facts", facts.Setup},
	{"decide", decide.Setup},
	{"rollout", rollout.Setup},
	{"destination", destination.Setup},
	{"requests", requests.Setup},
	{"pipeline", pipeline.Setup},
	{"certificates", certificates.Setup},
	{"namespaces", namespaces.Setup},
}

// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=odi-system,resources=leases,verbs=get;create;update
// +kubebuilder:rbac:groups="",namespace=odi-system,resources=events,verbs=create;patch

// Setup adds every room to the manager.
func Setup(mgr manager.Manager, cfg kube.Config) error {
	for _, room := range Rooms {
		if err := room.Setup(mgr, cfg); err != nil {
			return fmt.Errorf("setting up controller %s: %w", room.Name, err)
		}
	}
	return nil
}
