{{/* What each pod has, by the restricted Pod Security Standard. Nothing here talks to Kubernetes' API. */}}
{{- define "sallyport.pod" -}}
{{- $root := index . 0 -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: { type: RuntimeDefault }
topologySpreadConstraints:
  {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "sallyport.selector" $ | nindent 8 }}
  {{- end }}
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{- define "sallyport.confined" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{/* What the container of each of the four services has. It is stopped when nobody is told of its address any more:
     Envoy looks names up every five seconds, and a name server may remember them as long again. */}}
{{- define "sallyport.service" -}}
{{- $root := index . 0 -}}
name: {{ index . 1 }}
image: {{ include "sallyport.image" . }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
{{ include "sallyport.confined" . }}
resources: {{- toYaml (index $root.Values (index . 1)).resources | nindent 2 }}
startupProbe: { httpGet: { path: /healthz, port: ops }, periodSeconds: 2, failureThreshold: 30 }
livenessProbe: { httpGet: { path: /healthz, port: ops }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }
readinessProbe: { httpGet: { path: /readyz, port: ops }, periodSeconds: 5, timeoutSeconds: 2 }
lifecycle: { preStop: { sleep: { seconds: 15 } } }
{{- end }}

{{/* Where traces are sent. */}}
{{- define "sallyport.traces" -}}
{{- with .Values.traces.collector }}
- { name: SALLYPORT_TRACES, value: {{ . | quote }} }
{{- end }}
{{- end }}

{{/* Settings that all services have, and those that values name. */}}
{{- define "sallyport.env" -}}
{{- $root := index . 0 -}}
- { name: SALLYPORT_OPS_LISTEN, value: "0.0.0.0:9090" }
- { name: SALLYPORT_LOG_LEVEL, value: {{ $root.Values.logLevel | quote }} }
{{- include "sallyport.traces" $root }}
- { name: SALLYPORT_REDIS, value: {{ $root.Values.redis.address | quote }} }
{{- with $root.Values.redis.sentinel.master }}
- { name: SALLYPORT_REDIS_SENTINEL_MASTER, value: {{ . | quote }} }
{{- end }}
{{- if $root.Values.redis.sentinel.signIn }}
- { name: SALLYPORT_REDIS_SENTINEL_PASSWORD_FILE, value: /run/secrets/redis.sentinel.password }
{{- end }}
{{- if $root.Values.redis.cluster }}
- { name: SALLYPORT_REDIS_CLUSTER, value: "true" }
{{- end }}
{{- with $root.Values.redis.user }}
- { name: SALLYPORT_REDIS_USER, value: {{ . | quote }} }
{{- end }}
{{- if $root.Values.redis.signIn }}
- { name: SALLYPORT_REDIS_PASSWORD_FILE, value: /run/secrets/redis.password }
{{- end }}
{{- if $root.Values.redis.tls }}
- { name: SALLYPORT_REDIS_TLS, value: "true" }
{{- end }}
{{- if $root.Values.redis.ca.secretName }}
- { name: SALLYPORT_REDIS_CA_FILE, value: /run/secrets/redis.ca }
{{- end }}
- { name: SALLYPORT_STREAM_LIMIT, value: {{ $root.Values.streamLimit | int64 | quote }} }
{{- include "sallyport.env.more" (index $root.Values (index . 1)).env }}
{{- end }}

{{- define "sallyport.env.more" -}}
{{- range $name, $value := . }}
{{- if and (kindIs "float64" $value) (eq $value (floor $value)) }}
{{- $value = int64 $value }}{{/* which is written without an exponent */}}
{{- end }}
- { name: {{ $name }}, value: {{ $value | toString | quote }} }
{{- end }}
{{- end }}

{{- define "sallyport.env.elasticsearch" -}}
{{- $root := index . 0 -}}
- { name: SALLYPORT_ELASTICSEARCH, value: {{ include "sallyport.elasticsearch.url" $root | quote }} }
{{- with index $root.Values.elasticsearch.users (index . 1) }}
- { name: SALLYPORT_ELASTICSEARCH_USER, value: {{ . | quote }} }
- { name: SALLYPORT_ELASTICSEARCH_PASSWORD_FILE, value: /run/secrets/elasticsearch.password }
{{- end }}
{{- if or $root.Values.elasticsearch.eck.enabled $root.Values.elasticsearch.ca.secretName }}
- { name: SALLYPORT_ELASTICSEARCH_CA_FILE, value: /run/secrets/elasticsearch.ca }
{{- end }}
{{- end }}

{{/* The files of a service in /run/secrets. The rest of the list are keys of the Secret. Keys are always named, since
     without any the whole Secret would be there. */}}
{{- define "sallyport.secrets" -}}
{{- $root := index . 0 -}}
{{- $part := index . 1 -}}
{{- $elasticsearch := $root.Values.elasticsearch -}}
{{- $sources := list -}}
{{- $items := list -}}
{{- range rest (rest .) }}
{{- $items = append $items (dict "key" . "path" .) }}
{{- end }}
{{- with $root.Values.redis }}
{{- if .signIn }}
{{- $items = append $items (dict "key" "redis.password" "path" "redis.password") }}
{{- end }}
{{- if .sentinel.signIn }}
{{- $items = append $items (dict "key" "redis.sentinel.password" "path" "redis.sentinel.password") }}
{{- end }}
{{- if .ca.secretName }}
{{- $sources = append $sources (dict "secret" (dict "name" .ca.secretName "items" (list (dict "key" .ca.key "path" "redis.ca")))) }}
{{- end }}
{{- end }}
{{- if has $part (list "accesslog" "admin") }}
{{- if index $elasticsearch.users $part }}
{{- $items = append $items (dict "key" (printf "sallyport-%s.password" $part) "path" "elasticsearch.password") }}
{{- end }}
{{- if $elasticsearch.eck.enabled }}
{{- $sources = append $sources (dict "secret" (dict "name" (printf "%s-es-http-certs-public" (include "sallyport.name" $root)) "items" (list (dict "key" "ca.crt" "path" "elasticsearch.ca")))) }}
{{- else if $elasticsearch.ca.secretName }}
{{- $sources = append $sources (dict "secret" (dict "name" $elasticsearch.ca.secretName "items" (list (dict "key" $elasticsearch.ca.key "path" "elasticsearch.ca")))) }}
{{- end }}
{{- end }}
{{- if $items }}
{{- $sources = prepend $sources (dict "secret" (dict "name" $root.Values.secretName "items" $items)) }}
{{- end }}
- name: secrets
  {{- if $sources }}
  projected:
    defaultMode: 0440
    sources: {{- toYaml $sources | nindent 6 }}
  {{- else }}
  emptyDir: {}
  {{- end }}
{{- end }}
