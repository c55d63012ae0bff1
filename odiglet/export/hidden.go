package export

import (
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"
)

// hidden are what settings have of secrets, in the forms in which receivers and libraries say
// them, the longest first.
type hidden []string

// secretsOf are the values of headers, who the endpoint says that asks, and the values of its query.
func secretsOf(s Settings) hidden {
	var all hidden
	for _, value := range s.Headers {
		all = append(all, value)
		if _, credentials, ok := strings.Cut(value, " "); ok { // Bearer, Basic
			all = append(all, credentials)
		}
	}
	if u, err := url.Parse(s.Endpoint); err == nil {
		if password, ok := u.User.Password(); ok {
			basic := base64.StdEncoding.EncodeToString([]byte(u.User.Username() + ":" + password))
			_, escaped, _ := strings.Cut(u.User.String(), ":")
			all = append(all, password, basic, escaped)
		}
		for _, values := range u.Query() {
			for _, value := range values {
				all = append(all, value, url.QueryEscape(value))
			}
		}
	}
	all = slices.DeleteFunc(all, func(secret string) bool { return len(secret) < shortest })
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

// shortest is of what length a value is that may be a secret: a word of less is in many texts.
const shortest = 4

// hide returns the error without them; nil for nil.
func (h hidden) hide(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, secret := range h {
		text = strings.ReplaceAll(text, secret, "REDACTED")
	}
	if text == err.Error() {
		return err
	}
	return errors.New(text)
}
