package pipeline

import (
	"fmt"

	"github.com/odi-dev/odi/internal/collectorconfig"
)

// plan is what the collectors are to be.
type plan struct {
	// Wait is set while a Destination that is in use is judged anew: leaving it
	// out meanwhile would drop its data.
	Wait    bool
	Gateway collectorconfig.Config
	Node    collectorconfig.Config
	// Lanes are the names of the Destinations that the gateway sends to.
	Lanes []string
	// Credentials of all of them, by the key that the configuration refers to.
	Credentials map[string][]byte
	// LeftOut says of valid Destinations why they are not in all the same.
	LeftOut map[string]error
}

// decide makes the configurations out of the Destinations.
func decide(in Input) (plan, error) {
	p := plan{Credentials: map[string][]byte{}, LeftOut: map[string]error{}}
	var lanes []collectorconfig.Lane
	for _, d := range in.Destinations {
		if d.Verdict == outdated && !d.Spec.Disabled {
			return plan{Wait: true}, nil
		}
		if d.Verdict != valid || d.Spec.Disabled {
			continue
		}
		lane, err := collectorconfig.LaneOf(d.Destination, in.Namespace, d.Secrets)
		if err != nil {
			// Its secret went between two looks; the destination controller will say so.
			p.LeftOut[d.Namespace+"/"+d.Name] = err
			continue
		}
		lanes = append(lanes, lane)
		p.Lanes = append(p.Lanes, lane.Name)
		for key, field := range lane.Credentials {
			p.Credentials[key] = []byte(d.Secrets[field])
		}
	}
	var err error
	if p.Gateway, err = collectorconfig.NamedGateway(name(in), lanes); err != nil {
		return plan{}, err
	}
	p.Node = collectorconfig.Node(fmt.Sprintf("%s.%s:%d", gatewayName, in.Namespace, collectorconfig.PortOTLPGRPC))
	return p, nil
}

// name tells this cluster's gateway from others.
func name(in Input) string {
	if in.Manager == nil {
		return ""
	}
	return string(in.Manager.UID)
}
