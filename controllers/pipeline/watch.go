package pipeline

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// request is the one for the only pipeline that there is.
func (c *Controller) request() reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: c.config.Namespace, Name: gatewayName}}
}

func (c *Controller) toPipeline() handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request {
		return []reconcile.Request{c.request()}
	})
}

// atStart asks for the gateway also where there is no Destination yet.
func (c *Controller) atStart(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	queue.Add(c.request())
	return nil
}

// verdictChanges passes Destinations that come, go, change, or are judged anew.
var verdictChanges = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		old, isOld := e.ObjectOld.(*odiv1.Destination)
		now, isNew := e.ObjectNew.(*odiv1.Destination)
		return isOld && isNew && (old.Generation != now.Generation || verdictOf(old) != verdictOf(now))
	},
}

// ownDeployments passes the manager's, which owns all.
func (c *Controller) ownDeployments() predicate.Predicate {
	own := predicate.NewPredicateFuncs(func(obj client.Object) bool {
		return obj.GetNamespace() == c.config.Namespace && obj.GetName() == c.config.ManagerName
	})
	return predicate.And(own, predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, deletions))
}

var deletions = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	UpdateFunc: func(event.UpdateEvent) bool { return false },
}
