package nodejs_test

import (
	"testing"

	"github.com/odi-dev/odi/languages/language/languagetest"
	"github.com/odi-dev/odi/languages/nodejs"
)

func TestInject(t *testing.T) { languagetest.Goldens(t, nodejs.Language) }
