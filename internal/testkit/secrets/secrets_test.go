package secrets

import (
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
)

// TestFindsEveryForm: the search that says that nothing was found finds what is there.
func TestFindsEveryForm(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		secret := New(random)
		begin := random.IntN(length - 13 + 1)
		part := secret[begin : begin+13]
		before := strings.Repeat("x", random.IntN(5))
		for form, text := range map[string]string{
			"whole": secret, "a part": part, "lower": strings.ToLower(part), "upper": strings.ToUpper(part),
			"base64": base64.StdEncoding.EncodeToString([]byte(before + secret + "#y")), "base64 of a part": base64.URLEncoding.EncodeToString([]byte(before + part)),
			"hex": hex.EncodeToString([]byte(part)), "percent": string(percent(part)),
		} {
			if In([]byte("before "+text+" after")).Find(secret) == "" {
				t.Errorf("%s of %s is not found in %s", form, secret, text)
			}
		}
		if found := In([]byte(New(random) + " " + Number(random))).Find(secret); found != "" {
			t.Errorf("%s is found %s in others", secret, found)
		}
		number := Number(random)
		if In([]byte("x"+number)).Find(number) == "" {
			t.Errorf("%s is not found", number)
		}
	}
	if short := "p@ss/w+rd"; In([]byte(url.QueryEscape(short))).Find(short) == "" {
		t.Error("what is encoded is not found")
	}
}
