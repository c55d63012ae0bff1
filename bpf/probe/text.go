package probe

import (
	"strings"
	"unicode/utf8"
	"unsafe"
)

// Text is wire bytes, made valid, which nearly all are already. These are not
// copied: that would be memory for every request.
func Text(raw []byte) string {
	if utf8.Valid(raw) {
		return unsafe.String(unsafe.SliceData(raw), len(raw))
	}
	return strings.ToValidUTF8(string(raw), "\uFFFD")
}
