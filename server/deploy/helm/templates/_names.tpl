{{- define "gateway.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end -}}
{{- end }}

{{- define "gateway.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "gateway.metadata" -}}
name: {{ include "gateway.name" . }}
{{ include "gateway.labelled" . }}
{{- end }}

{{- define "gateway.labelled" -}}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "gateway.selector" . | nindent 2 }}
  app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ .Release.Service }}
  helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "gateway.host" -}}
{{ include "gateway.name" . }}.{{ .Release.Namespace }}.svc.cluster.local
{{- end }}

{{- /* What the pods are kept by: gateways that share PostgreSQL have no volume of their own. */}}
{{- define "gateway.kind" -}}
{{ ternary "Deployment" "StatefulSet" (ne .Values.store.postgres.secretName "") }}
{{- end }}

{{- define "gateway.delay" -}}
{{- if kindIs "invalid" .Values.drain.delaySeconds }}{{ ternary 5 0 (gt (int .Values.replicas) 1) }}{{ else }}{{ int .Values.drain.delaySeconds }}{{ end -}}
{{- end }}

{{- /* The bound of an orderly end (server/docs/operations.md, "Ending"). */}}
{{- define "gateway.grace" -}}
{{ add (include "gateway.delay" .) .Values.drain.timeoutSeconds 40 }}
{{- end }}
