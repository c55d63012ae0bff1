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
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "odi.collectorImage" -}}
{{ .Values.collectorImage.repository }}:{{ .Values.collectorImage.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Pod and container settings that satisfy the Pod Security level "restricted". */}}
{{- define "odi.restrictedPod" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "odi.restrictedContainer" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 65532
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
