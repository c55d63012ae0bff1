package dotnet_test

import (
	"testing"

	"github.com/odi-dev/odi/languages/dotnet"
	"github.com/odi-dev/odi/languages/language/languagetest"
)

func TestInject(t *testing.T) { languagetest.Goldens(t, dotnet.Language) }
