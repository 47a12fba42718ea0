{{/* What the names of all objects begin with. */}}
{{- define "sallyport.name" -}}
{{- if contains "sallyport" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-sallyport" (.Release.Name | trunc 30 | trimSuffix "-") }}{{ end -}}
{{- end }}

{{/* Labels that choose the pods of a part. The argument of this and of the others is a list: the root, and the part. */}}
{{- define "sallyport.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: sallyport
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "sallyport.metadata" -}}
{{- $root := index . 0 -}}
name: {{ include "sallyport.name" $root }}-{{ index . 1 }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "sallyport.selector" . | nindent 2 }}
  app.kubernetes.io/version: {{ $root.Values.image.tag | default $root.Chart.AppVersion | trunc 63 | trimAll "._-" | quote }}
  app.kubernetes.io/managed-by: {{ $root.Release.Service }}
  helm.sh/chart: {{ $root.Chart.Name }}-{{ $root.Chart.Version }}
{{- end }}

{{- define "sallyport.image" -}}
{{- $root := index . 0 -}}
{{ $root.Values.image.prefix }}/{{ index . 1 }}:{{ $root.Values.image.tag | default $root.Chart.AppVersion }}
{{- end }}

{{- define "sallyport.elasticsearch.url" -}}
{{- if .Values.elasticsearch.eck.enabled }}https://{{ include "sallyport.name" . }}-es-http.{{ .Release.Namespace }}.svc:9200{{ else }}{{ .Values.elasticsearch.url }}{{ end -}}
{{- end }}

{{/* The port of a host:port or URL. */}}
{{- define "sallyport.port" -}}
{{- $host := (urlParse .).host | default . -}}
{{- if regexMatch ":[0-9]+$" $host }}{{ regexFind "[0-9]+$" $host }}{{ else if hasPrefix "https:" . }}443{{ else }}80{{ end -}}
{{- end }}
