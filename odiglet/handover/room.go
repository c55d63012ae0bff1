package handover

import "sync/atomic"

// maxRoom bounds what all processes of a node hold, some 10 MiB.
const maxRoom = 8000

// Room is what all processes have for the requests that they hold.
type Room struct{ taken atomic.Int64 }

func (r *Room) take() bool {
	if r.taken.Add(1) > maxRoom {
		r.taken.Add(-1)
		return false
	}
	return true
}

func (r *Room) give(n int) { r.taken.Add(-int64(n)) }

// Taken is how many requests are held.
func (r *Room) Taken() int { return int(r.taken.Load()) }
