package instrument

import "testing"

func TestShares(t *testing.T) {
	for text, ok := range map[string]bool{"0": true, "0.1": true, "1": true, "": false, "-1": false, "1.5": false, "10%": false, "NaN": false} {
		s := share("0.5")
		if err := s.Set(text); (err == nil) != ok || ok && s.String() != text || !ok && s.String() != "0.5" {
			t.Errorf("%q: %v, %s", text, err, s)
		}
	}
}
