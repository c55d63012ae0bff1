package agenttest

import (
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// Log is one record that an application logged.
type Log struct{ Text, Severity, Trace, Span string }

func (c *Collector) keepLogs(content []byte, json bool) error {
	request := plogotlp.NewExportRequest()
	read := request.UnmarshalProto
	if json {
		read = request.UnmarshalJSON
	}
	if err := read(content); err != nil {
		return fmt.Errorf("reading logs: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range request.Logs().ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				c.logs = append(c.logs, Log{record.Body().AsString(), record.SeverityNumber().String(), record.TraceID().String(), record.SpanID().String()})
			}
		}
	}
	return nil
}

// Logs are those that came until now.
func (c *Collector) Logs() []Log {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.logs)
}
