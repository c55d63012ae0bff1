package java_test

import (
	"testing"

	"github.com/odi-dev/odi/languages/java"
	"github.com/odi-dev/odi/languages/language/languagetest"
)

func TestInject(t *testing.T) { languagetest.Goldens(t, java.Language) }
