package destinations

import (
	"errors"
	"fmt"
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
)

// signalPath is what the exporter adds by itself.
var signalPath = regexp.MustCompile(`/v1/(traces|metrics|logs)$`)

// known says whether a field may be of that kind; empty is no address.
func (a Address) known() bool { return a == "" || a == AddressGRPC || a == AddressHTTP }

// tidy takes off what is too much: slashes at the end, and the path that the exporter adds.
func (a Address) tidy(value string) string {
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
	case a == AddressGRPC && strings.Trim(parsed.Path, "/") != "":
		return fmt.Errorf("a gRPC address ends after the port: leave %s away", parsed.Path)
	}
	return checkPort(parsed.Host, parsed.Port())
}

func checkPort(host, port string) error {
	if port == "" && !strings.HasSuffix(host, ":") {
		return nil
	}
	const highest = 65535
	if number, err := strconv.Atoi(port); err != nil || number < 1 || number > highest {
		return fmt.Errorf("the port %q is not between 1 and %d", port, highest)
	}
	return nil
}
