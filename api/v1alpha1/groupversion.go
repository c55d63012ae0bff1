package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API group and version of odi's kinds.
var GroupVersion = schema.GroupVersion{Group: "odi.dev", Version: "v1alpha1"}

// SchemeGroupVersion is GroupVersion under the name that the generated apply configurations use.
var SchemeGroupVersion = GroupVersion

// AddToScheme makes odi's kinds known to a scheme.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion,
		&InstrumentationConfig{}, &InstrumentationConfigList{},
		&Destination{}, &DestinationList{},
		&InstrumentedWorkload{}, &InstrumentedWorkloadList{},
		&NodeInstrumentation{}, &NodeInstrumentationList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}
