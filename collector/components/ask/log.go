package ask

import (
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// partialSuccess is what the exporters log where a backend kept only a part, and
// return no error.
const partialSuccess = "Partial success response"

// droppedFields say of which signal such a line is.
var droppedFields = map[string]string{"dropped_spans": "traces", "dropped_data_points": "metrics", "dropped_log_records": "logs"}

// Log reads the collector's log. Nothing of it is printed: whoever asked reads
// the answers, and the log has addresses and headers.
func (q *Question) Log() zap.Option {
	return zap.WrapCore(func(zapcore.Core) zapcore.Core { return reader{question: q} })
}

type reader struct{ question *Question }

// Enabled implements zapcore.Core.
func (reader) Enabled(level zapcore.Level) bool { return level >= zapcore.WarnLevel }

// With implements zapcore.Core.
func (r reader) With([]zapcore.Field) zapcore.Core { return r }

// Check implements zapcore.Core.
func (r reader) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if r.Enabled(entry.Level) && strings.HasPrefix(entry.Message, partialSuccess) {
		return checked.AddCore(entry, r)
	}
	return checked
}

// Write implements zapcore.Core.
func (r reader) Write(_ zapcore.Entry, fields []zapcore.Field) error {
	signal, message, rejected := "", "", int64(0)
	for _, f := range fields {
		if of, found := droppedFields[f.Key]; found {
			signal, rejected = of, f.Integer
		}
		if f.Key == "message" {
			message = f.String
		}
	}
	if signal != "" {
		r.question.note(signal, func(a *Answer) { a.Rejected, a.Message = rejected, message })
	}
	return nil
}

// Sync implements zapcore.Core.
func (reader) Sync() error { return nil }
