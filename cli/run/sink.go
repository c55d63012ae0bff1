package run

import (
	"log/slog"
	"os"

	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/export"
	"github.com/odi-dev/odi/odiglet/signal"
)

// sendsOTLP says whether spans leave by OTLP.
func (f *flags) sendsOTLP() bool {
	return f.otlp != "" || export.Configured(os.LookupEnv)
}

// sink builds what the flags ask for. Where spans are both sent and printed, the
// books tell what was sent.
func (f *flags) sink(io streams.Streams, spans *books.Books, log *slog.Logger) (export.Sink, error) {
	if !f.sendsOTLP() {
		return f.printer(io, spans), nil
	}
	sent, err := f.otlpSink(spans, log)
	if err != nil || f.output == outputNone {
		return sent, err
	}
	return export.Both(f.printer(io, books.New()), sent), nil
}

func (f *flags) printer(io streams.Streams, spans *books.Books) export.Sink {
	switch f.output {
	case outputJSON:
		wanted := []*signal.Signal{signal.Traces}
		if f.metrics {
			wanted = append(wanted, signal.Metrics)
		}
		return export.NewJSONLines(io.Out, export.Accounts{signal.Traces: spans}, wanted...)
	case outputNone:
		return export.NewDiscard(export.Accounts{signal.Traces: spans})
	default:
		return newPrinter(io.Out, paint(io.OutTerminal), spans)
	}
}

func (f *flags) otlpSink(spans *books.Books, log *slog.Logger) (export.Sink, error) {
	settings, err := export.EachFromEnv(f.otlp, os.LookupEnv)
	if err != nil {
		return nil, exit.AsUsage(err)
	}
	sink, err := export.NewOTLP(export.Options{
		Settings: settings, Accounts: export.Accounts{signal.Traces: spans}, Log: log,
	})
	return sink, exit.AsUsage(err)
}
