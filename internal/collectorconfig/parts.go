package collectorconfig

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

const (
	// PartSize leaves room in an object of Kubernetes, which may have 1 MiB with all that it has.
	PartSize = 800 << 10
	// MostParts bounds what a gateway mounts: 6 MiB are some 2,000 Destinations.
	MostParts = 8
)

// ErrTooLarge says that a text has more than MostParts parts.
var ErrTooLarge = fmt.Errorf("it is larger than %d KiB", MostParts*PartSize>>10)

// errMixed says that parts are not of one text.
var errMixed = errors.New("the parts do not fit together")

// partsLine begins a text of several parts; the collector's live: provider reads it too.
var partsLine = regexp.MustCompile(`^# parts: ([0-9]{1,3}) sha256: ([0-9a-f]{64})\n`)

// Split cuts a text into parts for as many objects. One that fits into one stays what it is.
func Split(text string) ([]string, error) {
	if len(text) <= PartSize {
		return []string{text}, nil
	}
	if len(text) > PartSize*MostParts {
		return nil, ErrTooLarge
	}
	count := (len(text) + PartSize - 1) / PartSize
	sum := sha256.Sum256([]byte(text))
	parts := make([]string, 0, count)
	for start := 0; start < len(text); start += PartSize {
		parts = append(parts, text[start:min(start+PartSize, len(text))])
	}
	parts[0] = fmt.Sprintf("# parts: %d sha256: %s\n", count, hex.EncodeToString(sum[:])) + parts[0]
	return parts, nil
}

// Join is the text of parts, of which there may be more than belong to it.
func Join(parts []string) (string, error) {
	if len(parts) == 0 {
		return "", nil
	}
	line := partsLine.FindStringSubmatch(parts[0])
	if line == nil {
		return parts[0], nil
	}
	count, err := strconv.Atoi(line[1])
	if err != nil || count > len(parts) {
		return "", errMixed
	}
	text := strings.TrimPrefix(strings.Join(parts[:count], ""), line[0])
	if sum := sha256.Sum256([]byte(text)); hex.EncodeToString(sum[:]) != line[2] {
		return "", errMixed
	}
	return text, nil
}

// PartName is the name of a part: that of the first is the whole's own.
func PartName(name string, n int, separator string) string {
	if n == 0 {
		return name
	}
	return name + separator + strconv.Itoa(n)
}
