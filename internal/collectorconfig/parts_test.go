package collectorconfig

import (
	"strings"
	"testing"
)

func TestPartsMakeTheWhole(t *testing.T) {
	for _, size := range []int{0, 1, PartSize, PartSize + 1, 3 * PartSize, PartSize * MostParts} {
		text := strings.Repeat("é", size)[:size]
		parts, err := Split(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range parts {
			if len(part) > PartSize+100 {
				t.Errorf("%d bytes: a part has %d", size, len(part))
			}
		}
		got, err := Join(append(parts, "what is left of a larger one"))
		if err != nil || got != text {
			t.Errorf("%d bytes in %d parts: got %d bytes (%v)", size, len(parts), len(got), err)
		}
		if len(parts) < 2 {
			continue
		}
		if _, err := Join(parts[:len(parts)-1]); err == nil {
			t.Errorf("%d bytes: a missing part is not missed", size)
		}
		parts[1] = "x" + parts[1][1:]
		if _, err := Join(parts); err == nil {
			t.Errorf("%d bytes: another's part is taken", size)
		}
	}
	if _, err := Split(strings.Repeat("x", PartSize*MostParts+1)); err == nil {
		t.Error("there is no bound")
	}
}
