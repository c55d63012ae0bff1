package queuestorage

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap"
)

// sinceFile says since when nobody asks for a queue, over restarts.
const sinceFile = "unasked-since"

// sweep removes the queues that nobody has asked for for a while.
func (s *store) sweep(now time.Time) {
	entries, err := os.ReadDir(s.config.Directory)
	if err != nil {
		s.log.Warn("listing the queues", zap.Error(err))
		return
	}
	known := s.folders()
	for _, entry := range entries {
		path := filepath.Join(s.config.Directory, entry.Name())
		if strings.HasPrefix(entry.Name(), folderPrefix) && !known[path] && s.isOver(path, now) {
			s.remove(path)
		}
	}
}

// folders are those of the exporters that asked for queues.
func (s *store) folders() map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := map[string]bool{}
	for folder := range s.queues {
		known[folder] = true
	}
	return known
}

// isOver says whether nobody has asked for the folder for a while, and begins to count.
func (s *store) isOver(folder string, now time.Time) bool {
	mark := filepath.Join(folder, sinceFile)
	info, err := os.Stat(mark)
	if err == nil {
		return now.Sub(info.ModTime()) > s.config.SweepAfter
	}
	if err := os.WriteFile(mark, nil, fileMode); err != nil {
		s.log.Warn("marking a queue that nobody asks for", zap.String("folder", folder), zap.Error(err))
	}
	return false
}

func (s *store) remove(path string) {
	used, err := diskUsage(path)
	if err != nil {
		s.log.Warn("measuring a queue that nobody asks for", zap.String("folder", path), zap.Error(err))
	}
	if err := os.RemoveAll(path); err != nil {
		s.log.Warn("removing a queue that nobody asks for", zap.String("folder", path), zap.Error(err))
		return
	}
	s.room.forceOthers(-used)
	s.log.Info("removed a queue that nobody asks for", zap.String("folder", path), zap.Int64("bytes", used))
}
