package main

import (
	"strings"
	"testing"

	"github.com/odi-dev/odi/bpf/probe"
)

func TestRender(t *testing.T) {
	header, err := render([]probe.Protocol{{Name: "verbs", Code: 7, Apart: true}, {Name: "nouns", Code: 4, Apart: true}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"#include \"verbs/verbs.h\"\n#include \"nouns/nouns.h\"\n",
		"#define ROOMS 8 ",
		"	b->by = verbs_begins(b);\n	if (b->by)\n		return PROTOCOL_VERBS;\n	b->by = nouns_begins(b);\n	if (b->by)\n		return PROTOCOL_NOUNS;\n	return 0;\n",
		"	case PROTOCOL_NOUNS:\n		nouns_closed(sk, fault);\n		break;\n",
	} {
		if !strings.Contains(string(header), want) {
			t.Errorf("the header lacks %q:\n%s", want, header)
		}
	}
}
