package liveprovider

import (
	"crypto/sha256"
	"fmt"
	"testing"
)

func TestAConfigurationOfSeveralPartsIsReadWholeOrNotAtAll(t *testing.T) {
	f := files{t, t.TempDir()}
	text := "key: one\nother: two\n"
	line := fmt.Sprintf("# parts: 3 sha256: %x\n", sha256.Sum256([]byte(text)))
	refused := func(when string) {
		t.Helper()
		if _, err := f.retrieve(nil); err == nil {
			t.Errorf("%s: it is taken", when)
		}
	}
	f.write("config.yaml", line+text[:5])
	refused("with one part of three")
	f.write("config.yaml.1", text[5:10])
	f.write("config.yaml.2", "key: of another\n")
	refused("with a part of another")
	f.write("config.yaml.2", text[10:])
	conf, err := f.retrieve(nil)
	if err != nil || conf.Get("key") != "one" || conf.Get("other") != "two" {
		t.Errorf("got %v (%v)", conf, err)
	}
	f.write("config.yaml", "key: small again\n")
	if conf, err := f.retrieve(nil); err != nil || conf.Get("key") != "small again" {
		t.Errorf("got %v (%v), what is left of the large one is of no matter", conf, err)
	}
}
