package probe

// Tally is requests that were counted where they ended, since such were told of last: none is
// recorded, and all are alike in what names and measures them, but for their times and sizes.
type Tally struct {
	// Took is of all of them, in nanoseconds; Request and Response are of those bodies whose size
	// is known, in bytes.
	Took, Request, Response Histogram
}

// Histogram counts values by the buckets that the odiglet's metrics have.
type Histogram struct {
	Buckets []uint64
	Count   uint64
	Sum     uint64
	// Least and Most are what all values lie between that were ever counted of such requests; each
	// was the value of one that was told of by itself.
	Least, Most uint64
}

// Requests is how many the exchange stands for.
func (x *Exchange) Requests() uint64 {
	if x.Tally == nil {
		return 1
	}
	return x.Tally.Took.Count
}

// Names is what a room names requests by that are not recorded, in the kernel and here alike. What is
// not written is 0.
type Names struct {
	Name [13 * 8]byte
	Host [6 * 8]byte
}
