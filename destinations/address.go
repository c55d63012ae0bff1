package destinations

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Address says what kind of address a field holds. People paste what a vendor's page prints.
type Address string

// The kinds of address.
const (
	// AddressGRPC is scheme, host and port.
	AddressGRPC Address = "grpc"
	// AddressHTTP may have a path, to which the exporter adds /v1/traces and the like.
	AddressHTTP Address = "http"
	// AddressBase is what AddressGRPC is, for HTTP: the type knows the paths.
	AddressBase Address = "base"
	// AddressExact is asked as it is written, with a slash at its end if it has one: it takes no data.
	AddressExact Address = "exact"
)

// signalPath is what the exporter adds by itself.
var signalPath = regexp.MustCompile(`/v1/(traces|metrics|logs)$`)

// known says whether a field may be of that kind; empty is no address.
func (a Address) known() bool {
	return a == "" || a == AddressGRPC || a == AddressHTTP || a == AddressBase || a == AddressExact
}

// tidy is the address as it goes into a configuration: with the path that the backend has.
func (f Field) tidy(value string) string {
	value = f.Address.tidy(value)
	if f.Path == "" || value == "" {
		return value
	}
	host, path := value, ""
	if _, rest, found := strings.Cut(value, "://"); found {
		if slash := strings.IndexByte(rest, '/'); slash >= 0 {
			host, path = value[:len(value)-len(rest)+slash], rest[slash:]
		}
	}
	// Of /api/v1/otlp, somebody gives /api, and somebody else all of it behind a proxy's own path.
	for end := len(f.Path); end > 0; end = strings.LastIndexByte(f.Path[:end], '/') {
		if strings.HasSuffix(path, f.Path[:end]) {
			return host + path + f.Path[end:]
		}
	}
	return host + path + f.Path
}

// tidy takes off what is too much: slashes at the end, and the path that the exporter adds.
func (a Address) tidy(value string) string {
	if a == AddressExact {
		return value
	}
	value = strings.TrimRight(value, "/")
	if a == AddressHTTP {
		value = strings.TrimRight(signalPath.ReplaceAllString(value, ""), "/")
	}
	return value
}

// check says what is wrong with an address, in words that end in what is right.
func (a Address) check(value string) error {
	scheme, rest, found := strings.Cut(value, "://")
	switch {
	case strings.ContainsAny(value, " \t\r\n"):
		return errors.New("an address has no white space")
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }):
		return errors.New("an address is printable ASCII")
	case !found:
		return fmt.Errorf("the scheme is missing: write http://%s, or https://%s for TLS", value, value)
	case scheme != "http" && scheme != "https":
		return fmt.Errorf("%s:// is not a scheme of it: write http:// or, for TLS, https://", scheme)
	case strings.ContainsAny(rest, "?#"):
		return errors.New("leave away what begins with ? or #")
	}
	parsed, err := url.Parse(value)
	if err != nil {
		var syntax *url.Error
		if errors.As(err, &syntax) {
			err = syntax.Err // The rest repeats the address.
		}
		return fmt.Errorf("it is no address: %w", err)
	}
	return a.checkParts(parsed)
}

func (a Address) checkParts(parsed *url.URL) error {
	switch {
	case parsed.User != nil:
		return errors.New("name and password do not belong into an address: use the secret fields")
	case parsed.Hostname() == "":
		return errors.New("the host is missing")
	case !isHost(parsed.Hostname()):
		return fmt.Errorf("%q is neither the name of a host nor an IP address", shortened(parsed.Hostname()))
	case a == AddressGRPC && strings.Trim(parsed.Path, "/") != "":
		return fmt.Errorf("a gRPC address ends after the port: leave %s away", parsed.Path)
	case a == AddressBase && strings.Trim(parsed.Path, "/") != "":
		return fmt.Errorf("leave %s away: the paths are added", parsed.Path)
	case a == AddressGRPC && parsed.Port() == "" && !strings.HasSuffix(parsed.Host, ":"):
		return fmt.Errorf("the port is missing: mostly it is %s:4317", strings.TrimRight(parsed.String(), "/"))
	}
	return a.checkPort(parsed.Host, parsed.Port())
}

// foreign are ports that people paste because they know them, and that no OTLP receiver has.
var foreign = map[string]string{
	"16686": "Jaeger's pages", "14268": "Jaeger's own protocol", "14250": "Jaeger's own protocol",
	"6831": "Jaeger's old agents", "6832": "Jaeger's old agents", "9411": "Zipkin",
}

// usualPort is that of a receiver.
func (a Address) usualPort() string {
	if a == AddressGRPC {
		return "4317"
	}
	return "4318"
}

// UsualPortOfAnother says that an address has the usual port of the other protocol. It may be
// right all the same, so it is for a hint alone.
func (f Field) UsualPortOfAnother(value string) string {
	parsed, err := url.Parse(f.tidy(value))
	if err != nil || f.Address == "" || f.Address == AddressExact {
		return ""
	}
	switch port := parsed.Port(); {
	case f.Address == AddressGRPC && port == "4318":
		return "4318 is mostly the port of OTLP over HTTP, and this type speaks gRPC: mostly that is 4317, or the type otlphttp"
	case f.Address != AddressGRPC && port == "4317":
		return "4317 is mostly the port of OTLP over gRPC, and this type speaks HTTP: mostly that is 4318, or the type otlp"
	}
	return ""
}

// label is one part of a host's name. Names in Kubernetes have no underscores;
// names of other systems have.
var label = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$`)

// isHost takes IP addresses as everybody writes them, and names. What ends in a
// number is no name: some programs take 0x7f.1 and 2130706433 for addresses.
func isHost(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Zone() == ""
	}
	const longest = 253
	name := strings.TrimSuffix(host, ".")
	if name == "" || len(name) > longest {
		return false
	}
	labels := strings.Split(name, ".")
	for _, l := range labels {
		if !label.MatchString(l) {
			return false
		}
	}
	last := labels[len(labels)-1]
	_, err := strconv.ParseUint(last, 0, 64)
	return err != nil && strings.Trim(last, "0123456789") != ""
}

// Hosts returns the host of each address that a user wrote, by field.
func (t Type) Hosts(config map[string]string) map[string]string {
	hosts := map[string]string{}
	for _, f := range t.Fields {
		value := config[f.Name]
		if value == "" {
			value = f.Default
		}
		if f.Address == "" || value == "" {
			continue
		}
		if parsed, err := url.Parse(f.tidy(value)); err == nil {
			hosts[f.Name] = parsed.Hostname()
		}
	}
	return hosts
}

func (a Address) checkPort(host, port string) error {
	if whose := foreign[port]; whose != "" && a != AddressExact {
		return fmt.Errorf("%s is the port of %s, which takes no OTLP: mostly that is %s", port, whose, a.usualPort())
	}
	if port == "" && !strings.HasSuffix(host, ":") {
		return nil
	}
	const highest = 65535
	if number, err := strconv.Atoi(port); err != nil || number < 1 || number > highest {
		return fmt.Errorf("the port %q is not between 1 and %d", port, highest)
	}
	return nil
}
