package kube

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ManagerDeployment returns the manager's own Deployment; nil where there is none.
func ManagerDeployment(ctx context.Context, reader client.Reader, cfg Config) (*appsv1.Deployment, error) {
	var deployment appsv1.Deployment
	err := reader.Get(ctx, types.NamespacedName{Namespace: cfg.Namespace, Name: cfg.ManagerName}, &deployment)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the manager's Deployment: %w", err)
	}
	return &deployment, nil
}

// OwnedBy makes an object go with the manager's Deployment, if there is one.
func OwnedBy(manager *appsv1.Deployment) []*metaac.OwnerReferenceApplyConfiguration {
	if manager == nil {
		return nil
	}
	return []*metaac.OwnerReferenceApplyConfiguration{metaac.OwnerReference().
		WithAPIVersion("apps/v1").WithKind("Deployment").
		WithName(manager.Name).WithUID(manager.UID).
		WithController(true)}
}
