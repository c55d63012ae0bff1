package pipeline

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/odi-dev/odi/internal/collectorconfig"
)

const (
	configDir = "/etc/odi-collector"
	// certificatesName is the Secret of the gateway's own certificate.
	certificatesName = "odi-gateway-tls"
	// gatewayUser is that of no other component (the chart's odi.user has them all):
	// processes of one user may read each other's secrets.
	gatewayUser = 61003
	// memoryLimit holds the batches of some ten destinations; the collector
	// refuses data, which then waits at the nodes, from 80 % of it on.
	memoryLimit = "512Mi"
	// goMemoryLimit makes the garbage collector work before the kernel does.
	goMemoryLimit = "400MiB"
	// drainSeconds are for the requests that are under way at the end.
	drainSeconds = 30
)

// deployment runs the gateway. A new version takes over before the old one goes.
func deployment(g gateway) *appsac.DeploymentApplyConfiguration {
	selector := map[string]string{nameLabel: gatewayName}
	return appsac.Deployment(gatewayName, g.namespace).
		WithLabels(labels("gateway")).
		WithOwnerReferences(g.owners()...).
		WithSpec(appsac.DeploymentSpec().
			WithReplicas(1).
			WithSelector(metaac.LabelSelector().WithMatchLabels(selector)).
			WithStrategy(appsac.DeploymentStrategy().
				WithType(appsv1.RollingUpdateDeploymentStrategyType).
				WithRollingUpdate(appsac.RollingUpdateDeployment().
					WithMaxSurge(intstr.FromInt32(1)).
					WithMaxUnavailable(intstr.FromInt32(0)))).
			WithTemplate(coreac.PodTemplateSpec().
				WithLabels(labels("gateway")).
				WithSpec(podSpec(g))))
}

func podSpec(g gateway) *coreac.PodSpecApplyConfiguration {
	return coreac.PodSpec().
		WithServiceAccountName(gatewayName).
		WithAutomountServiceAccountToken(false).
		WithEnableServiceLinks(false).
		WithNodeSelector(map[string]string{corev1.LabelOSStable: "linux"}).
		WithTerminationGracePeriodSeconds(drainSeconds).
		WithSecurityContext(coreac.PodSecurityContext().
			WithRunAsNonRoot(true).
			WithRunAsUser(gatewayUser).
			WithRunAsGroup(gatewayUser).
			WithFSGroup(gatewayUser).
			WithSeccompProfile(coreac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))).
		WithContainers(container(g)).
		WithVolumes(
			coreac.Volume().WithName("config").WithConfigMap(coreac.ConfigMapVolumeSource().WithName(gatewayName)),
			coreac.Volume().WithName("credentials").WithProjected(coreac.ProjectedVolumeSource().
				WithDefaultMode(0o440).
				WithSources(fromSecret(credentialsName), fromSecret(certificatesName))),
			// It outlives the container, not the pod. No size limit: the queues
			// have their own, and a pod over its limit is evicted with its queues.
			coreac.Volume().WithName("queue").WithEmptyDir(coreac.EmptyDirVolumeSource()),
		)
}

func fromSecret(name string) *coreac.VolumeProjectionApplyConfiguration {
	return coreac.VolumeProjection().WithSecret(coreac.SecretProjection().WithName(name))
}

func container(g gateway) *coreac.ContainerApplyConfiguration {
	port := func(name string, number int32) *coreac.ContainerPortApplyConfiguration {
		return coreac.ContainerPort().WithName(name).WithContainerPort(number).WithProtocol(corev1.ProtocolTCP)
	}
	mount := func(name, path string, readOnly bool) *coreac.VolumeMountApplyConfiguration {
		return coreac.VolumeMount().WithName(name).WithMountPath(path).WithReadOnly(readOnly)
	}
	return coreac.Container().
		WithName("collector").
		WithImage(g.image).
		WithImagePullPolicy(corev1.PullIfNotPresent).
		WithCommand("/usr/bin/odi-collector").
		WithArgs("--config=live:"+configDir+"/"+configFile).
		WithEnv(coreac.EnvVar().WithName("GOMEMLIMIT").WithValue(goMemoryLimit)).
		WithPorts(
			port("otlp-grpc", collectorconfig.PortOTLPGRPC),
			port("metrics", collectorconfig.PortMetrics),
			port("health", collectorconfig.PortHealth),
		).
		WithStartupProbe(probe(1, 60)).
		WithReadinessProbe(probe(2, 3)).
		// A reload takes it away for a second or two; only a stuck process is restarted.
		WithLivenessProbe(probe(10, 6)).
		WithResources(coreac.ResourceRequirements().
			WithRequests(corev1.ResourceList{
				corev1.ResourceCPU:    resource.MustParse("50m"),
				corev1.ResourceMemory: resource.MustParse("128Mi"),
			}).
			WithLimits(corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(memoryLimit)})).
		WithSecurityContext(coreac.SecurityContext().
			WithAllowPrivilegeEscalation(false).
			WithReadOnlyRootFilesystem(true).
			WithCapabilities(coreac.Capabilities().WithDrop("ALL"))).
		WithVolumeMounts(
			mount("config", configDir, true),
			mount("credentials", collectorconfig.CredentialsDir, true),
			mount("queue", collectorconfig.QueueDir, false),
		)
}

func probe(period, failures int32) *coreac.ProbeApplyConfiguration {
	return coreac.Probe().
		WithHTTPGet(coreac.HTTPGetAction().WithPath("/").WithPort(intstr.FromString("health"))).
		WithPeriodSeconds(period).
		WithFailureThreshold(failures)
}
