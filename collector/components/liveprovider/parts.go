package liveprovider

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
)

// partsLine begins a configuration that is larger than an object of Kubernetes
// may be: the others are beside it, as FILE.1 and so on.
var partsLine = regexp.MustCompile(`^# parts: ([0-9]{1,3}) sha256: ([0-9a-f]{64})\n`)

// errMixed says that the parts are not of one configuration. They are objects of
// their own, which arrive one after the other.
var errMixed = errors.New("its parts are not all there yet")

// readParts reads a configuration of one part or several.
func readParts(path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	line := partsLine.FindSubmatch(content)
	if line == nil {
		return content, nil
	}
	content = content[len(line[0]):]
	parts, err := strconv.Atoi(string(line[1]))
	if err != nil {
		return nil, fmt.Errorf("counting the parts: %w", err)
	}
	for n := 1; n < parts; n++ {
		part, err := os.ReadFile(path + "." + strconv.Itoa(n))
		if err != nil {
			return nil, err
		}
		content = append(content, part...)
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != string(line[2]) {
		return nil, errMixed
	}
	return content, nil
}
