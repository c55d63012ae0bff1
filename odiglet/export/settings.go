package export

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/odi-dev/odi/odiglet/signal"
)

// Protocol is one of the ways to speak OTLP.
type Protocol string

// The protocols, named as in OTEL_EXPORTER_OTLP_PROTOCOL.
const (
	GRPC         Protocol = "grpc"
	HTTPProtobuf Protocol = "http/protobuf"
)

// Settings say where and how one signal is sent.
type Settings struct {
	Protocol Protocol
	// Endpoint is host:port for gRPC and a whole URL for HTTP.
	Endpoint string
	// Plaintext means no TLS. For HTTP the URL's scheme says the same.
	Plaintext bool
	Headers   map[string]string
	// Timeout bounds one try.
	Timeout time.Duration
	// Gzip compresses the body.
	Gzip bool
	// CAFile, CertFile and KeyFile are PEM files; empty means the system's
	// certificates and no client certificate.
	CAFile, CertFile, KeyFile string
}

// Lookup finds a variable of an environment, like os.LookupEnv.
type Lookup func(name string) (string, bool)

// Configured says whether the environment names an OTLP endpoint.
func Configured(env Lookup) bool {
	names := []string{"ENDPOINT"}
	for _, s := range signal.All {
		names = append(names, strings.ToUpper(s.Name)+"_ENDPOINT")
	}
	for _, name := range names {
		if v, ok := env("OTEL_EXPORTER_OTLP_" + name); ok && v != "" {
			return true
		}
	}
	return false
}

// EachFromEnv is FromEnv for every signal.
func EachFromEnv(endpoint string, env Lookup) (map[*signal.Signal]Settings, error) {
	all := make(map[*signal.Signal]Settings, len(signal.All))
	for _, s := range signal.All {
		settings, err := FromEnv(s, endpoint, env)
		if err != nil {
			return nil, err
		}
		all[s] = settings
	}
	return all, nil
}

// FromEnv reads the standard OTEL_EXPORTER_OTLP_* variables for a signal; those
// of the signal win over the common ones. An endpoint that is not empty wins
// over both endpoint variables.
//
// Where no variable names a protocol, the port 4318 or a path in the endpoint
// means http/protobuf, and anything else gRPC. An endpoint given by the caller
// without a scheme is plaintext; one of the environment is TLS unless
// OTEL_EXPORTER_OTLP_INSECURE says otherwise, as the specification has it.
func FromEnv(of *signal.Signal, endpoint string, env Lookup) (Settings, error) {
	r := reader{signal: of, env: env}
	s := Settings{
		Timeout:  r.duration("TIMEOUT", 10*time.Second),
		Gzip:     r.oneOf("COMPRESSION", "none", "none", "gzip") == "gzip",
		Headers:  r.headers(),
		CAFile:   r.text("CERTIFICATE"),
		CertFile: r.text("CLIENT_CERTIFICATE"),
		KeyFile:  r.text("CLIENT_KEY"),
	}
	s.Plaintext = endpoint != "" || r.oneOf("INSECURE", "false", "true", "false") == "true"
	protocol := Protocol(r.oneOf("PROTOCOL", "", string(GRPC), string(HTTPProtobuf)))
	wholeURL := false
	if endpoint == "" {
		endpoint, wholeURL = r.endpoint()
	}
	if err := s.place(endpoint, protocol, wholeURL, of); err != nil {
		r.errs = append(r.errs, err)
	}
	if (s.CertFile == "") != (s.KeyFile == "") {
		r.errs = append(r.errs, errors.New("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY go together"))
	}
	return s, errors.Join(r.errs...)
}

// place fills in protocol, endpoint and plaintext from an endpoint as users write it.
func (s *Settings) place(endpoint string, protocol Protocol, wholeURL bool, of *signal.Signal) error {
	if endpoint == "" {
		endpoint = defaultEndpoint(protocol)
		wholeURL = false
	}
	u, err := parseEndpoint(endpoint)
	if err != nil {
		return err
	}
	switch u.Scheme {
	case "http":
		s.Plaintext = true
	case "https":
		s.Plaintext = false
	case "":
	default:
		return fmt.Errorf("OTLP endpoint %q: scheme %q is not http or https", endpoint, u.Scheme)
	}
	s.Protocol = protocol
	if s.Protocol == "" {
		s.Protocol = guessProtocol(u)
	}
	if s.Protocol == GRPC {
		s.Endpoint = withPort(u.Host, s.Plaintext, "4317")
		return nil
	}
	s.Endpoint = httpURL(u, s.Plaintext, wholeURL, of)
	return nil
}

func defaultEndpoint(p Protocol) string {
	if p == HTTPProtobuf {
		return "http://localhost:4318"
	}
	return "http://localhost:4317"
}

// parseEndpoint accepts URLs and host:port.
func parseEndpoint(endpoint string) (*url.URL, error) {
	raw := endpoint
	if !strings.Contains(raw, "://") {
		raw = "//" + raw
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("OTLP endpoint %q: %w", endpoint, errors.Unwrap(err))
	}
	if u.Hostname() == "" {
		return nil, fmt.Errorf("OTLP endpoint %q has no host (want for example http://localhost:4317)", endpoint)
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return nil, fmt.Errorf("OTLP endpoint %q: port %s is not between 1 and 65535", endpoint, port)
		}
	}
	return u, nil
}

func guessProtocol(u *url.URL) Protocol {
	if u.Port() == "4318" || strings.Trim(u.Path, "/") != "" {
		return HTTPProtobuf
	}
	return GRPC
}

func withPort(host string, plaintext bool, plain string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	if plaintext {
		return host + ":" + plain
	}
	return host + ":443"
}

// httpURL appends the signal's path, except to an endpoint that was given for
// this signal alone.
func httpURL(u *url.URL, plaintext, wholeURL bool, of *signal.Signal) string {
	whole := *u
	whole.Scheme = "https"
	if plaintext {
		whole.Scheme = "http"
	}
	if wholeURL {
		if whole.Path == "" {
			whole.Path = "/"
		}
		return whole.String()
	}
	path := "/v1/" + of.Name
	if strings.HasSuffix(whole.Path, path) {
		return whole.String()
	}
	whole.Path = strings.TrimSuffix(whole.Path, "/") + path
	return whole.String()
}

// reader reads variables of one signal and collects what is wrong with them.
type reader struct {
	signal *signal.Signal
	env    Lookup
	errs   []error
}

// find returns the signal's own variable, else the common one. Empty is unset.
func (r *reader) find(name string) (variable, value string) {
	for _, variable := range []string{
		"OTEL_EXPORTER_OTLP_" + strings.ToUpper(r.signal.Name) + "_" + name,
		"OTEL_EXPORTER_OTLP_" + name,
	} {
		if v, ok := r.env(variable); ok && strings.TrimSpace(v) != "" {
			return variable, strings.TrimSpace(v)
		}
	}
	return "", ""
}

func (r *reader) text(name string) string {
	_, v := r.find(name)
	return v
}

// endpoint also says whether it was given for this signal alone.
func (r *reader) endpoint() (endpoint string, own bool) {
	variable, v := r.find("ENDPOINT")
	return v, variable != "OTEL_EXPORTER_OTLP_ENDPOINT"
}

func (r *reader) oneOf(name, otherwise string, valid ...string) string {
	variable, v := r.find(name)
	if v == "" {
		return otherwise
	}
	for _, ok := range valid {
		if strings.EqualFold(v, ok) {
			return ok
		}
	}
	r.errs = append(r.errs, fmt.Errorf("%s=%q: want one of %s", variable, v, strings.Join(valid, ", ")))
	return otherwise
}

// duration reads milliseconds.
func (r *reader) duration(name string, otherwise time.Duration) time.Duration {
	variable, v := r.find(name)
	if v == "" {
		return otherwise
	}
	ms, err := strconv.Atoi(v)
	if err != nil || ms <= 0 {
		r.errs = append(r.errs, fmt.Errorf("%s=%q: want a positive number of milliseconds", variable, v))
		return otherwise
	}
	return time.Duration(ms) * time.Millisecond
}

// headers reads key=value,key=value with percent-encoded values. The values are
// secrets: an error never shows them.
func (r *reader) headers() map[string]string {
	headers := make(map[string]string)
	for _, base := range []string{"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_" + strings.ToUpper(r.signal.Name) + "_HEADERS"} {
		v, ok := r.env(base)
		if !ok {
			continue
		}
		for i, pair := range strings.Split(v, ",") {
			if strings.TrimSpace(pair) == "" {
				continue
			}
			key, value, found := strings.Cut(pair, "=")
			plain, err := url.PathUnescape(strings.TrimSpace(value))
			key = strings.ToLower(strings.TrimSpace(key))
			if !found || err != nil || key == "" {
				r.errs = append(r.errs, fmt.Errorf("%s: part %d is not key=value with a percent-encoded value", base, i+1))
				continue
			}
			headers[key] = plain
		}
	}
	return headers
}
