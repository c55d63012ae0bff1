package checks

// Report is what one run found.
type Report struct {
	Phase     Phase    `json:"phase"`
	Namespace string   `json:"namespace"`
	Summary   Summary  `json:"summary"`
	Results   []Result `json:"checks"`
}

// Summary counts checks by their worst finding.
type Summary struct {
	OK      int `json:"ok"`
	Fatal   int `json:"fatal"`
	Warning int `json:"warning"`
	Note    int `json:"note"`
	Unknown int `json:"unknown"`
	// UnknownFatal are those of the unknown that would be fatal.
	UnknownFatal int `json:"unknownFatal"`
}

// Result is what one check found.
type Result struct {
	Code     string    `json:"code"`
	Title    string    `json:"title"`
	Severity Severity  `json:"severity"`
	State    State     `json:"state"`
	Findings []Finding `json:"findings"`
	// Why and Mend are there where the state is not ok.
	Why  string `json:"why,omitempty"`
	Mend string `json:"mend,omitempty"`
}

// Judge makes every check of a phase that applies. It is pure.
func Judge(f Facts, run Phase) Report {
	report := Report{Phase: run, Namespace: f.Namespace, Results: []Result{}}
	for _, c := range All() {
		if !c.Phase.in(run) {
			continue
		}
		findings := c.Judge(f)
		if len(findings) == 0 {
			continue
		}
		result := Result{Code: c.Code, Title: c.Title, Severity: c.Severity, State: worst(findings), Findings: findings}
		if result.State != OK {
			result.Why, result.Mend = c.Why, c.Mend
		}
		report.Results = append(report.Results, result)
		report.Summary.count(result)
	}
	return report
}

// worst is the state of a check: one that is broken counts more than one that is unknown.
func worst(findings []Finding) State {
	state := OK
	for _, f := range findings {
		if f.State == Broken {
			return Broken
		}
		if f.State == Unknown {
			state = Unknown
		}
	}
	return state
}

func (s *Summary) count(r Result) {
	switch {
	case r.State == OK:
		s.OK++
	case r.State == Unknown:
		s.Unknown++
		if r.Severity == Fatal {
			s.UnknownFatal++
		}
	case r.Severity == Fatal:
		s.Fatal++
	case r.Severity == Warning:
		s.Warning++
	default:
		s.Note++
	}
}

// Fatal are the results that are broken and keep odi from working.
func (r Report) Fatal() []Result {
	var list []Result
	for _, result := range r.Results {
		if result.State == Broken && result.Severity == Fatal {
			list = append(list, result)
		}
	}
	return list
}
