package languages

import (
	"time"

	"github.com/odi-dev/odi/languages/language"
)

// Cost is what an agent adds to a container.
type Cost struct {
	// Memory in bytes, under load.
	Memory int64
	// Start is CPU time until the application is ready.
	Start time.Duration
}

const mebibyte = 1 << 20

// costs were measured with Spring Boot, http of Node.js and Flask, and rounded up. What Node.js used beyond that at
// full load, 165 MiB more than without the agent, is garbage that V8 had room for: it sizes its heap by the limit
// of the container. The same load in one of 170 MiB took 88 MiB at most, in one of 1 GiB 125 MiB.
var costs = map[language.Name]Cost{
	language.Java:   {150 * mebibyte, 16 * time.Second},
	language.Nodejs: {80 * mebibyte, 1200 * time.Millisecond},
	language.Python: {70 * mebibyte, 1300 * time.Millisecond},
}

// CostOf is the cost of a language's agent; one that was never measured is taken for the dearest.
func CostOf(name language.Name) Cost {
	if known, ok := costs[name]; ok {
		return known
	}
	return costs[language.Java]
}

// StartWith is how long the agent's part of a start takes with a CPU limit in thousandths, 0 for none: a start
// has one thread that matters, and how many CPUs are free nobody knows.
func (c Cost) StartWith(cpuLimit int64) time.Duration {
	if cpuLimit == 0 {
		cpuLimit = 1000
	}
	return time.Duration(float64(c.Start) * 1000 / float64(cpuLimit)).Round(time.Second / 10)
}
