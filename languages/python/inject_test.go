package python_test

import (
	"testing"

	"github.com/odi-dev/odi/languages/language/languagetest"
	"github.com/odi-dev/odi/languages/python"
)

func TestInject(t *testing.T) { languagetest.Goldens(t, python.Language) }
