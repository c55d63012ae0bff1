package queuestorage

import (
	"io/fs"
	"path/filepath"
	"sync/atomic"
)

// budget is a number of bytes that can be used up.
type budget struct {
	max  int64
	used atomic.Int64
}

// take uses n bytes, if there are as many left.
func (b *budget) take(n int64) bool {
	if b.used.Add(n) <= b.max {
		return true
	}
	b.used.Add(-n)
	return false
}

// force uses n bytes, or gives them back, whether there are as many or not.
func (b *budget) force(n int64) { b.used.Add(n) }

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
