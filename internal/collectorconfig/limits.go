package collectorconfig

import (
	"time"
)

// Memory: three marks of the container's limit, which each collector reads by
// itself. Go collects garbage at all cost from the first on; what passes the
// second is in use, and data is refused, which then waits at its sender. The
// third has no part in it but that memory_limiter reckons from it.
const (
	goPercentage     = 65
	refusePercentage = 75
	forcePercentage  = 85
)

// Disk. A pod whose volume is larger than its limit is evicted, with all of its
// queues: so the queues end well before.
const (
	// GatewayQueues bounds all queues of the gateway.
	GatewayQueues = 1 << 30
	// NodeQueues bounds those of a node's collector, for 20 s of a busy node
	// (5,000 spans a second) and more.
	NodeQueues = 256 << 20
	// VolumeSlack is what may lie beside the queues: a few damaged files.
	VolumeSlack = 256 << 20

	// laneQueue bounds the queue of one destination for one signal: half an hour
	// of a hundred spans a second, or 20 s of 10,000.
	laneQueue = 96 << 20
)

// Ends. What is queued goes out before a pod does; kubelets kill what takes longer.
const (
	// GraceSeconds is how long a pod of a collector has to end.
	GraceSeconds = 40
	drainLongest = 25 * time.Second
)

const (
	// largestBatch is below the 4 MiB of the largest message that receivers take by default.
	largestBatch = 4_000_000
	// smallestBatch is worth a request of its own: a thousand spans or so.
	smallestBatch = 512 << 10
)

// boundMemory is the pair of who collects garbage and who refuses data.
func (c Config) boundMemory() {
	c.Extensions["odi_memory"] = object{"limit_percentage": goPercentage}
	c.Processors["memory_limiter"] = object{
		"check_interval": "1s",
		// It refuses from the difference of the two on.
		"limit_percentage":       forcePercentage,
		"spike_limit_percentage": forcePercentage - refusePercentage,
	}
}

// boundDisk keeps queues in a folder: in all no more than most bytes.
func (c Config) boundDisk(most, each int64) {
	c.Extensions["odi_queue"] = object{
		"directory": QueueDir,
		"max_bytes": most,
		// On the disk an item fills blocks, the last of them by half.
		"max_queue_bytes": each + each/4,
	}
	c.Processors["odi_drain"] = object{"longest": drainLongest.String()}
}

// queue holds data on the disk while a backend is slow or away, and makes batches of it.
func queue(bytes int64) object {
	return object{
		"storage":       "odi_queue",
		"sizer":         "bytes",
		"queue_size":    bytes,
		"num_consumers": 4,
		"batch": object{
			// A trace is to be seen in seconds, two hops included.
			"flush_timeout": "200ms",
			"sizer":         "bytes",
			"min_size":      smallestBatch,
			"max_size":      largestBatch,
		},
	}
}
