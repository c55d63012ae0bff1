{{- define "odi.labels" -}}
app.kubernetes.io/name: odi
app.kubernetes.io/part-of: odi
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* The two labels that select the pods of a component; they never change. */}}
{{- define "odi.selector" -}}
app.kubernetes.io/name: odi
app.kubernetes.io/component: {{ . }}
{{- end }}

{{- define "odi.image" -}}
{{ include "odi.imageName" (dict "image" .Values.image "version" .Chart.AppVersion) }}
{{- end }}

{{- define "odi.collectorImage" -}}
{{ include "odi.imageName" (dict "image" .Values.collectorImage "version" .Chart.AppVersion) }}
{{- end }}

{{/* A digest wins over a tag: nobody can put another image under it. */}}
{{- define "odi.imageName" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .version }}
{{- end -}}
{{- end }}

{{/* The user's node selector, and Linux: nothing of odi runs elsewhere. */}}
{{- define "odi.nodeSelector" -}}
{{ toYaml (merge (dict "kubernetes.io/os" "linux") (. | default dict)) }}
{{- end }}

{{/*
The user of each component. Processes of one user may read each other's memory and
environment, so no two share one, and none is nobody's 65532 or 65534, which other
people's images run as. The range 60706 to 61183 is given to nobody by distributions.
*/}}
{{- define "odi.user" -}}
{{- get (dict "manager" 61001 "node-collector" 61002 "gateway" 61003) . -}}
{{- end }}

{{/* Pod and container settings that satisfy the Pod Security level "restricted", for a component. */}}
{{- define "odi.restrictedPod" -}}
runAsNonRoot: true
runAsUser: {{ include "odi.user" . }}
runAsGroup: {{ include "odi.user" . }}
fsGroup: {{ include "odi.user" . }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "odi.restrictedContainer" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: {{ include "odi.user" . }}
runAsGroup: {{ include "odi.user" . }}
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* The rules of a generated role file: dict "root" $ "file" path "kind" kind. */}}
{{- define "odi.generatedRules" -}}
{{- $want := .kind -}}
{{- $rules := list -}}
{{- range splitList "\n---\n" (.root.Files.Get .file) -}}
{{- $doc := fromYaml . -}}
{{- if eq (default "" $doc.kind) $want -}}
{{- $rules = concat $rules ($doc.rules | default list) -}}
{{- end -}}
{{- end -}}
{{- toYaml $rules -}}
{{- end }}

{{/* Not empty where the manager may test Destinations in the gateway's pods: RBAC alone would let it into all pods of the namespace. */}}
{{- define "odi.destinationTestRequests" -}}
{{- if and .Values.destinationTestRequests .Values.admissionPolicies (.Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy") }}yes{{ end }}
{{- end }}
