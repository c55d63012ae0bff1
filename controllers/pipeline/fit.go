package pipeline

import (
	"fmt"
	"maps"
	"slices"

	"github.com/odi-dev/odi/internal/collectorconfig"
)

// errNoRoom is for the Destinations that are more than a gateway holds.
var errNoRoom = fmt.Errorf("its namespace has the most of what the gateway holds, and all together is more than %d KiB",
	collectorconfig.MostParts*collectorconfig.PartSize>>10)

// fitted makes the configuration, without as many lanes as there is no room
// for. Those of the namespace that takes the most go first: nobody can crowd out
// another.
func (p plan) fitted() (plan, error) {
	for {
		var err error
		if p.Gateway, err = collectorconfig.NamedGateway(p.Name, p.Lanes); err != nil {
			return plan{}, err
		}
		text, err := p.Gateway.YAML()
		if err != nil {
			return plan{}, err
		}
		over := max(len(text)-collectorconfig.MostParts*collectorconfig.PartSize, p.secretBytes()-mostSecretBytes)
		if over <= 0 {
			return p, nil
		}
		p.dropFromLargest(over, len(text)/len(p.Lanes))
	}
}

// mostSecretBytes is less than the parts hold together: none is filled to its last byte.
const mostSecretBytes = (collectorconfig.MostParts - 1) * collectorconfig.PartSize

func (p plan) secretBytes() int {
	total := 0
	for key, value := range p.Credentials {
		total += len(key) + len(value)
	}
	return total
}

// dropFromLargest takes out the last lanes of the largest namespaces, about as
// many as make up for what is too much.
func (p *plan) dropFromLargest(over, each int) {
	sizes, totals := map[string]int{}, map[string]int{}
	for _, lane := range p.Lanes {
		sizes[lane.Name] = p.size(lane, each)
		totals[lane.Only] += sizes[lane.Name]
	}
	dropped := map[string]bool{}
	for count := over/each + 1; count > 0; count-- {
		largest := slices.MaxFunc(slices.Sorted(maps.Keys(totals)), func(a, b string) int { return totals[a] - totals[b] })
		for _, lane := range slices.Backward(p.Lanes) {
			if lane.Only == largest && !dropped[lane.Name] {
				dropped[lane.Name] = true
				totals[largest] -= sizes[lane.Name]
				break
			}
		}
	}
	p.drop(dropped, errNoRoom)
}

// drop takes out lanes and what is theirs.
func (p *plan) drop(names map[string]bool, why error) {
	var stay []collectorconfig.Lane
	for _, lane := range p.Lanes {
		if !names[lane.Name] {
			stay = append(stay, lane)
			continue
		}
		p.LeftOut[lane.Name] = why
		for key := range lane.Credentials {
			delete(p.Credentials, key)
		}
	}
	p.Lanes = stay
}

// size of a lane, roughly.
func (p plan) size(lane collectorconfig.Lane, least int) int {
	size := least
	for _, e := range lane.Exporters {
		size += len(fmt.Sprint(e.Config))
	}
	for key := range lane.Credentials {
		size += len(p.Credentials[key])
	}
	return size
}

// filled distributes credentials over as few Secrets as hold them.
func filled(credentials map[string][]byte) []map[string][]byte {
	objects := []map[string][]byte{{}}
	room := collectorconfig.PartSize
	for _, key := range slices.Sorted(maps.Keys(credentials)) {
		size := len(key) + len(credentials[key])
		if size > room {
			objects, room = append(objects, map[string][]byte{}), collectorconfig.PartSize
		}
		objects[len(objects)-1][key] = credentials[key]
		room -= size
	}
	return objects
}
