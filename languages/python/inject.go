package python

import "github.com/odi-dev/odi/languages/language"

// inject puts a folder with nothing but a small sitecustomize in front of the search path; what that adds comes
// behind everything of the application's.
func inject(in language.Injection) ([]language.Edit, *language.Objection) {
	edits, objection := in.Prepend("PYTHONPATH", in.Root+"/boot", ":")
	if objection != nil {
		return nil, objection
	}
	return append(edits, in.Protocol("http/json")...), nil
}
