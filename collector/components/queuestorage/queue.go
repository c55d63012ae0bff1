package queuestorage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// unfinished is the name of a file that is being written: one at a time.
const unfinished = "unfinished"

// queue is one folder of items. It implements storage.Client.
type queue struct {
	owner, signal string
	folder        string
	asides        string
	room          *room
	log           *zap.Logger

	mu      sync.Mutex
	sizes   map[string]int64 // on the disk, by file
	items   int64            // spans, data points or log records, as the accounting says
	damaged int64
}

// open takes up what lies in the folder.
func (q *queue) open() error {
	if err := q.makeFolder(); err != nil {
		return err
	}
	entries, err := os.ReadDir(q.folder)
	if err != nil {
		return err
	}
	q.sizes = map[string]int64{}
	var has int64
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return err
		}
		size := onDisk(info.Size())
		if info.Mode().IsRegular() && isItem(entry.Name()) {
			q.sizes[entry.Name()] = size
			has += size
			continue
		}
		if err := os.RemoveAll(filepath.Join(q.folder, entry.Name())); err != nil { // An unfinished write, or a mark.
			return err
		}
		if info.Mode().IsRegular() {
			q.room.forceOthers(-size)
		}
	}
	q.room.join(q, has)
	return q.repair()
}

// makeFolder moves what is in the way of the folder.
func (q *queue) makeFolder() error {
	err := os.MkdirAll(q.folder, folderMode)
	if err == nil {
		return nil
	}
	info, statErr := os.Lstat(q.folder)
	if statErr != nil || info.IsDir() {
		return err
	}
	q.damaged++
	q.log.Error("what lay in the place of a queue was set aside", zap.String("file", q.folder))
	if err := setAside(q.folder, q.asides); err != nil {
		return err
	}
	return os.MkdirAll(q.folder, folderMode)
}

// Get implements storage.Client.
func (q *queue) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := q.Batch(ctx, op)
	return op.Value, err
}

// Set implements storage.Client.
func (q *queue) Set(ctx context.Context, key string, value []byte) error {
	return q.Batch(ctx, storage.SetOperation(key, value))
}

// Delete implements storage.Client.
func (q *queue) Delete(ctx context.Context, key string) error {
	return q.Batch(ctx, storage.DeleteOperation(key))
}

// Close implements storage.Client. No file is open between two calls.
func (*queue) Close(context.Context) error { return nil }

// Batch implements storage.Client. The last operation is done first: exporters
// name their accounting before the item that it speaks of, so that whenever a
// process ends, the accounting speaks of what is there.
func (q *queue) Batch(_ context.Context, ops ...*storage.Operation) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := len(ops) - 1; i >= 0; i-- {
		if err := q.do(ops[i]); err != nil {
			return err
		}
	}
	return nil
}

func (q *queue) do(op *storage.Operation) error {
	file := fileName(op.Key)
	switch op.Type {
	case storage.Get:
		op.Value = q.read(file)
		return nil
	case storage.Set:
		return q.write(file, op.Value)
	case storage.Delete:
		return q.remove(file)
	}
	return fmt.Errorf("unknown operation %d", op.Type)
}

// read returns nil for what is missing or damaged. An error would make the
// exporter give up what it reads beside it.
func (q *queue) read(file string) []byte {
	if _, known := q.sizes[file]; !known {
		return nil
	}
	value, err := readItem(filepath.Join(q.folder, file))
	if err == nil {
		return value
	}
	q.setAside(file, err)
	return nil
}

// setAside takes a damaged file out of the queue.
func (q *queue) setAside(file string, why error) {
	q.damaged++
	q.log.Error("a damaged item of a queue was set aside", zap.String("file", file), zap.Error(why))
	if err := setAside(filepath.Join(q.folder, file), q.asides); err != nil {
		q.log.Error("a damaged item of a queue stays where it is", zap.String("file", file), zap.Error(err))
	}
	q.forget(file)
}

// write replaces an item as a whole. Only items are refused for want of room:
// without its accounting no item could leave a full queue.
func (q *queue) write(file string, value []byte) error {
	size := onDisk(int64(len(value)) + headerSize)
	if file == accounting {
		return q.account(max(size, q.sizes[file]), value)
	}
	grown := size - q.sizes[file]
	if grown <= 0 {
		q.room.force(q, grown)
	} else if !q.room.take(q, grown) {
		return storage.ErrStorageFull
	}
	temporary := filepath.Join(q.folder, unfinished)
	err := writeItem(temporary, value)
	if err == nil {
		err = os.Rename(temporary, filepath.Join(q.folder, file))
	}
	if err != nil {
		q.room.force(q, -grown)
		return errors.Join(err, ignoreMissing(os.Remove(temporary)))
	}
	q.sizes[file] = size
	return nil
}

// account changes the accounting where it is. Should it be cut in between, it is
// made anew from the items.
func (q *queue) account(size int64, value []byte) error {
	if err := overwrite(filepath.Join(q.folder, accounting), value); err != nil {
		return err
	}
	q.room.force(q, size-q.sizes[accounting])
	q.sizes[accounting] = size
	q.items = itemsOf(value)
	return nil
}

func (q *queue) remove(file string) error {
	if _, known := q.sizes[file]; !known {
		return nil
	}
	if err := ignoreMissing(os.Remove(filepath.Join(q.folder, file))); err != nil {
		return err
	}
	q.forget(file)
	return nil
}

func (q *queue) forget(file string) {
	q.room.force(q, -q.sizes[file])
	delete(q.sizes, file)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
