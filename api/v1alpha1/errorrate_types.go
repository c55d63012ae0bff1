package v1alpha1

// Comparison says whether answers with an agent were compared with those without it.
// +kubebuilder:validation:Enum=Compared;TooFew;NoneSeen
type Comparison string

// What became of the comparison of error rates.
const (
	// ComparisonMade means that the error rates were compared.
	ComparisonMade Comparison = "Compared"
	// ComparisonTooFew means that too few requests were answered, with the agent or without.
	ComparisonTooFew Comparison = "TooFew"
	// ComparisonNoneSeen means that no request was seen to be answered with the agent.
	ComparisonNoneSeen Comparison = "NoneSeen"
)

// ErrorRate says what is known of the error rate of one container with its agent.
type ErrorRate struct {
	// container that has the agent.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Container string `json:"container"`
	// comparison with the error rate without the agent, since the agent is there.
	Comparison Comparison `json:"comparison"`
}
