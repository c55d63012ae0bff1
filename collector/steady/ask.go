package steady

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"time"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
	"go.uber.org/zap"

	"github.com/odi-dev/odi/collector/components/ask"
	"github.com/odi-dev/odi/collector/components/oauthextension"
)

// errNoLane says that a configuration does not have the destination.
var errNoLane = errors.New("the configuration has no such destination")

// longestAsk is above what each exporter takes at most, so that its words are had.
const longestAsk = 10 * time.Second

// report is what `odi-collector ask` prints; odi's command line reads it.
type report struct {
	Destination string `json:"destination"`
	// UID and Generation are of the Destination that the configuration was made of. A
	// local one has no generation.
	UID        string       `json:"uid"`
	Generation int64        `json:"generation,omitempty"`
	At         time.Time    `json:"at"`
	TraceID    string       `json:"traceId"`
	Answers    []ask.Answer `json:"answers"`
}

// askBackend sends a marked span, metric and log record through the exporters of one
// destination, and prints the backend's answers. Beside the gateway that has the
// same configuration it disturbs nothing: no port is opened and no file written.
func askBackend(ctx context.Context, out io.Writer, set otelcol.CollectorSettings, destination string) error {
	l := &lane{destination: destination, question: ask.NewQuestion(destination)}
	at := time.Now().UTC().Truncate(time.Second)
	if err := l.readSecrets(); err != nil {
		return err
	}
	if err := l.run(ctx, set); err != nil {
		return errors.New(l.secrets.Hide(err.Error(), longestComplaint))
	}
	text, err := json.Marshal(report{
		Destination: destination, UID: l.uid, Generation: l.generation, At: at,
		TraceID: l.question.TraceID(), Answers: l.question.Answers(l.secrets),
	})
	if err != nil {
		return fmt.Errorf("printing the answers: %w", err)
	}
	_, err = fmt.Fprintln(out, string(text))
	return err
}

// longestComplaint is what people read of one about a configuration.
const longestComplaint = 2048

// run runs a collector until all have answered.
func (l *lane) run(ctx context.Context, set otelcol.CollectorSettings) error {
	set.Factories = l.factories(set.Factories)
	set.ConfigProviderSettings.ResolverSettings.ConverterFactories = []confmap.ConverterFactory{
		confmap.NewConverterFactory(func(confmap.ConverterSettings) confmap.Converter { return l }),
	}
	set.SkipSettingGRPCLogger = true
	set.LoggingOptions = []zap.Option{l.question.Log()}
	log.SetOutput(io.Discard) // net/http quotes there what a server says unasked.
	ctx, cancel := context.WithTimeout(ctx, longestAsk)
	defer cancel()
	col, err := otelcol.NewCollector(set)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- contained(func() error { return col.Run(ctx) }) }()
	select {
	case err := <-ended:
		return err
	case <-l.question.Done():
		col.Shutdown()
		return <-ended
	}
}

// factories are the collector's and those that ask.
func (l *lane) factories(all func() (otelcol.Factories, error)) func() (otelcol.Factories, error) {
	return func() (otelcol.Factories, error) {
		factories, err := all()
		if err != nil {
			return factories, err
		}
		receiver := l.question.Receiver()
		factories.Receivers[receiver.Type()] = receiver
		for _, e := range []extension.Factory{l.question.Middleware(), oauthextension.NewFactoryWith(l.question.Keep)} {
			factories.Extensions[e.Type()] = e
		}
		return factories, nil
	}
}
