package pipeline

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/odi-dev/odi/internal/collectorconfig"
)

// plan is what the collectors are to be.
type plan struct {
	// Name tells this cluster's gateway from others.
	Name    string
	Gateway collectorconfig.Config
	Node    collectorconfig.Config
	// Lanes are the Destinations that the gateway sends to.
	Lanes []collectorconfig.Lane
	// Credentials of all of them, by the key that the configuration refers to.
	Credentials map[string][]byte
	// LeftOut says of valid Destinations, by namespace and name, why they are not
	// in, or not as they are now.
	LeftOut map[string]error
}

// errNotApplied says that a Destination has nothing to go on with.
var errNotApplied = errors.New("it has not been in the gateway yet")

// decide makes the configurations out of the Destinations. Each is judged by
// itself: one that is judged anew, or in passing trouble, keeps the lane that it
// has, and holds nobody else's change.
func decide(in Input) (plan, error) {
	p := plan{Name: name(in), Credentials: map[string][]byte{}, LeftOut: map[string]error{}}
	for _, d := range in.Destinations {
		if d.Spec.Disabled || d.Verdict == notJudged || d.Verdict == invalid {
			continue
		}
		lane, credentials, err := laneOf(in, d)
		if err != nil {
			p.LeftOut[d.Namespace+"/"+d.Name] = err
			if lane, credentials, err = in.Applied.laneOf(d); err != nil {
				continue
			}
		}
		p.Lanes = append(p.Lanes, lane)
		for key, value := range credentials {
			p.Credentials[key] = value
		}
	}
	p.Node = collectorconfig.Node(fmt.Sprintf("%s.%s:%d", gatewayName, in.Namespace, collectorconfig.PortOTLPGRPC))
	return p.fitted()
}

// laneOf makes the lane of a Destination that is valid as it is now.
func laneOf(in Input, d Destination) (collectorconfig.Lane, map[string][]byte, error) {
	if d.Verdict != valid {
		return collectorconfig.Lane{}, nil, errors.New(string(d.Verdict))
	}
	if d.Unread != nil {
		return collectorconfig.Lane{}, nil, d.Unread
	}
	// An error here means that its Secret changed between two looks: the
	// destination controller will say so.
	lane, err := collectorconfig.LaneOf(d.Destination, in.Namespace, d.Secrets)
	credentials := map[string][]byte{}
	for key, field := range lane.Credentials {
		credentials[key] = []byte(d.Secrets[field])
	}
	return lane, credentials, err
}

// laneOf is the lane that a Destination has in the gateway.
func (a applied) laneOf(d Destination) (collectorconfig.Lane, map[string][]byte, error) {
	lane, found := a.Lanes[string(d.UID)]
	if !found || lane.Name != d.Namespace+"/"+d.Name {
		return collectorconfig.Lane{}, nil, errNotApplied
	}
	credentials := map[string][]byte{}
	for key := range lane.Credentials {
		value, found := a.Credentials[key]
		if !found {
			return collectorconfig.Lane{}, nil, errNotApplied
		}
		credentials[key] = value
	}
	return lane, credentials, nil
}

// names of the lanes.
func (p plan) names() []string {
	names := make([]string, len(p.Lanes))
	for i, lane := range p.Lanes {
		names[i] = lane.Name
	}
	return names
}

// blamed finds the lanes that words name as a component's.
func (p plan) blamed(words string) map[string]bool {
	blamed := map[string]bool{}
	for _, id := range componentID.FindAllString(words, -1) {
		for _, lane := range p.Lanes {
			if strings.HasSuffix(id, "/"+lane.Name) || strings.Contains(id, "/"+lane.Name+"/") {
				blamed[lane.Name] = true
			}
		}
	}
	return blamed
}

// componentID matches type/name of the collector's components.
var componentID = regexp.MustCompile(`[a-z_]+/[A-Za-z0-9_./-]*[A-Za-z0-9]`)

// without leaves lanes out.
func (p plan) without(names map[string]bool, why error) (plan, error) {
	p.drop(names, why)
	return p.fitted()
}

// name tells this cluster's gateway from others.
func name(in Input) string {
	if in.Manager == nil {
		return ""
	}
	return string(in.Manager.UID)
}
