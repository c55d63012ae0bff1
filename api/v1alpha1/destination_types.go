package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SecretReference names a Secret in the Destination's namespace.
type SecretReference struct {
	// name of the Secret. Its keys are the names of the type's secret fields. It has the label
	// odi.dev/usable-by=destinations, or the type odi.dev/destination.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name"`
}

// DestinationSpec says where data goes.
type DestinationSpec struct {
	// type of the backend; `odi destination types` lists them.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="type cannot be changed; create another destination"
	Type string `json:"type"`
	// config holds the plain fields of the type, for example endpoint. Secret fields belong in secretRef.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) <= 63 && size(self[k]) <= 4096)",message="keys are at most 63 and values at most 4096 characters"
	Config map[string]string `json:"config,omitempty"`
	// secretRef names the Secret with the type's secret fields.
	// +optional
	SecretRef *SecretReference `json:"secretRef,omitempty"`
	// signals to send. Default: every signal that the type takes.
	// +optional
	// +kubebuilder:validation:MaxItems=3
	// +listType=set
	Signals []Signal `json:"signals,omitempty"`
	// disabled keeps the destination but sends it nothing.
	// +optional
	Disabled bool `json:"disabled,omitempty"`
}

// DestinationStatus says whether the backend takes the data.
type DestinationStatus struct {
	// observedGeneration is the generation of the spec that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// signals that are sent.
	// +optional
	// +listType=set
	Signals []Signal `json:"signals,omitempty"`
	// sent counts the spans, data points and log records that the backend took since the manager started.
	// +optional
	Sent int64 `json:"sent,omitempty"`
	// failed counts those given up on since the manager started.
	// +optional
	Failed int64 `json:"failed,omitempty"`
	// queued is how many spans, data points and log records wait now.
	// +optional
	Queued int64 `json:"queued,omitempty"`
	// lastError is what came of the latest attempt that did not succeed, as one of a few causes.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	LastError string `json:"lastError,omitempty"`
	// testRequest is the latest request to test it that was answered, by the condition Tested.
	// +optional
	TestRequest *TestRequest `json:"testRequest,omitempty"`
	// conditions: Ready, Exporting, Reconciling, Stalled; Tested once somebody tested it.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// TestRequest is somebody's wish to have a Destination tested.
type TestRequest struct {
	// value of the annotation odi.dev/test-requested-at that was answered.
	// +kubebuilder:validation:MaxLength=256
	Value string `json:"value"`
	// answeredAt is when. The next request is answered a minute later at the soonest.
	AnsweredAt metav1.Time `json:"answeredAt"`
}

// Destination is a backend that receives data. In odi's own namespace it gets the data
// of all namespaces; in any other namespace only that namespace's data.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=dest,categories=odi
// +kubebuilder:selectablefield:JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Exporting",type=string,JSONPath=`.status.conditions[?(@.type=="Exporting")].status`
// +kubebuilder:printcolumn:name="Sent",type=integer,JSONPath=`.status.sent`
// +kubebuilder:printcolumn:name="Failed",type=integer,JSONPath=`.status.failed`
// +kubebuilder:printcolumn:name="Queued",type=integer,priority=1,JSONPath=`.status.queued`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Exporting")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Destination struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`
	// spec is what the user wants.
	Spec DestinationSpec `json:"spec"`
	// status is what odi made of it.
	// +optional
	Status DestinationStatus `json:"status,omitempty"`
}

// DestinationList is a list of Destination.
// +kubebuilder:object:root=true
type DestinationList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	// items of the list.
	Items []Destination `json:"items"`
}
