package ask

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretsAreHiddenInEveryForm(t *testing.T) {
	const key = `a "b"\<c>&d/e+f=` + "\n"
	tests := map[string]struct{ secret, text, want string }{
		"as it is":                  {"hunter2", "the key hunter2 is not known", "the key *** is not known"},
		"twice":                     {"hunter2", "hunter2hunter2", "******"},
		"without its line end":      {"hunter2\n", "key=hunter2;", "key=***;"},
		"in a query":                {"a b/c", "?key=a+b%2Fc&x", "?key=***&x"},
		"in a path":                 {"a b/c", "/a%20b%2Fc/x", "/***/x"},
		"quoted":                    {`a"b\c`, `{"key":"a\"b\\c"}`, `{"key":"***"}`},
		"in JSON that escapes HTML": {"<k&y>", `{"key":"\u003ck\u0026y\u003e"}`, `{"key":"***"}`},
		"in HTML":                   {"<k&y>", "<b>&lt;k&amp;y&gt;</b>", "<b>***</b>"},
		"in base64":                 {"hunter2", "Basic " + base64.StdEncoding.EncodeToString([]byte("hunter2")), "Basic ***"},
		"in hex":                    {"hunter2", "68756e74657232", "***"},
		"a line of a key": {"-----BEGIN KEY-----\nMHcCAQEEIBkg4LVWM9nuwNSk3yByxZpYRTBnVJk5\n-----END KEY-----\n",
			"cannot read MHcCAQEEIBkg4LVWM9nuwNSk3yByxZpYRTBnVJk5", "cannot read ***"},
		"too short to be one": {"a", "a banana", "a banana"},
		"nothing odd":         {key, "nothing", "nothing"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := NewSecrets(tc.secret).Hide(tc.text, 100); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestTheLongerSecretGoesFirst: of one that begins as another no end is left.
func TestTheLongerSecretGoesFirst(t *testing.T) {
	if got := NewSecrets("abc", "abc-def").Hide("abc-def abc", 100); got != "*** ***" {
		t.Errorf("got %q", got)
	}
}

// TestNoPartOfASecretIsLeftWhereATextIsCut: it is cut afterwards.
func TestNoPartOfASecretIsLeftWhereATextIsCut(t *testing.T) {
	text := strings.Repeat("x", 95) + "hunter2"
	if got := NewSecrets("hunter2").Hide(text, 97); strings.Contains(got, "h") || !strings.HasSuffix(got, "x**...") {
		t.Errorf("got %q", got)
	}
}

func TestOnlyTheDestinationsOwnSecretsAreRead(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"ODI_u1_KEY": "hunter2", "ODI_u2_KEY": "gateway", "server.key": "nothing"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := ReadSecrets(dir, "ODI_u1_", []string{"bWFkZTpodW50ZXIy"})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Hide("nothing of the gateway: hunter2 bWFkZTpodW50ZXIy", 100); got != "nothing of the gateway: *** ***" {
		t.Errorf("got %q", got)
	}
	if _, err := ReadSecrets(filepath.Join(dir, "none"), "ODI_", nil); err == nil {
		t.Error("a folder that is not there has no secrets")
	}
}
