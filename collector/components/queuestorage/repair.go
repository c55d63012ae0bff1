package queuestorage

import (
	"math"
	"path/filepath"

	"go.uber.org/zap"
	"google.golang.org/protobuf/encoding/protowire"
)

// Fields of the exporters' accounting (PersistentMetadata of exporterhelper, in
// the version that this module is built with).
const (
	fieldItems = 1
	fieldBytes = 2
	fieldRead  = 3
	fieldWrite = 4
)

// repair writes the accounting anew when it is damaged or missing and items are
// there: it can be told from them. Exporters begin an empty queue otherwise,
// over what lies there.
func (q *queue) repair() error {
	if _, found := q.sizes[accounting]; found {
		account, err := readItem(filepath.Join(q.folder, accounting))
		if err == nil {
			q.items = itemsOf(account)
			return nil
		}
		q.setAside(accounting, err)
	}
	first, next, bytes := uint64(math.MaxUint64), uint64(0), int64(0)
	for file, size := range q.sizes {
		index, isItem := indexOf(file)
		if !isItem || index == math.MaxUint64 {
			continue
		}
		first, next = min(first, index), max(next, index+1)
		bytes += size
	}
	if next == 0 {
		return nil
	}
	q.log.Warn("the accounting of a queue was made anew from its items", zap.Uint64("from", first), zap.Uint64("to", next))
	return q.write(accounting, accountOf(first, next, bytes))
}

func accountOf(first, next uint64, bytes int64) []byte {
	var b []byte
	for _, field := range []struct {
		number protowire.Number
		value  uint64
	}{{fieldItems, next - first}, {fieldBytes, uint64(bytes)}, {fieldRead, first}, {fieldWrite, next}} {
		b = protowire.AppendTag(b, field.number, protowire.Fixed64Type)
		b = protowire.AppendFixed64(b, field.value)
	}
	return b
}

// itemsOf reads how many spans, data points or log records wait; 0 where it does not say.
func itemsOf(account []byte) int64 {
	for len(account) > 0 {
		number, kind, n := protowire.ConsumeTag(account)
		if n < 0 {
			return 0
		}
		if number == fieldItems && kind == protowire.Fixed64Type {
			items, m := protowire.ConsumeFixed64(account[n:])
			if m < 0 {
				return 0
			}
			return int64(items)
		}
		m := protowire.ConsumeFieldValue(number, kind, account[n:])
		if m < 0 {
			return 0
		}
		account = account[n+m:]
	}
	return 0
}
