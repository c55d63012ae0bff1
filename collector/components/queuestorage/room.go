package queuestorage

import (
	"io/fs"
	"path/filepath"
	"sync"
)

// guaranteed is the part of all room that is divided among the queues. The rest
// is for who comes first: most queues are empty most of the time.
const guaranteed = 2 // one half

// room is what the queues may take of the disk. It is safe for concurrent use.
type room struct {
	max, perQueue int64

	mu     sync.Mutex
	used   map[*queue]int64
	others int64 // what lies there and belongs to no queue that is in use
}

// join counts a queue in, with what it has. It lay there before.
func (r *room) join(q *queue, has int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used[q] = has
	r.others -= has
}

// take uses n bytes for a queue, if there are as many. A queue always gets its
// guaranteed part, however full the others are.
func (r *room) take(q *queue, n int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	own := r.used[q] + n
	if own > r.perQueue {
		return false
	}
	part := r.max / guaranteed / int64(len(r.used))
	if own > part {
		committed := r.others + own
		for other, used := range r.used {
			if other != q {
				committed += max(used, part)
			}
		}
		if committed > r.max {
			return false
		}
	}
	r.used[q] = own
	return true
}

// force uses n bytes for a queue, or gives them back, whether there are as many or not.
func (r *room) force(q *queue, n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used[q] += n
}

// forceOthers is force for what belongs to no queue.
func (r *room) forceOthers(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.others += n
}

// of is what a queue uses.
func (r *room) of(q *queue) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.used[q]
}

// all is what lies there.
func (r *room) all() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := r.others
	for _, used := range r.used {
		sum += used
	}
	return sum
}

// diskUsage adds up the files below a folder.
func diskUsage(folder string) (int64, error) {
	var used int64
	err := filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return ignoreMissing(err)
		}
		info, err := entry.Info()
		if err == nil {
			used += onDisk(info.Size())
		}
		return ignoreMissing(err)
	})
	return used, err
}
