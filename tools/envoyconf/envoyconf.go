// Package envoyconf fills in what differs from place to place in envoy/envoy.yaml, the one configuration of
// Envoy that Sallyport has: addresses, and whether there is a certificate.
package envoyconf

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var placeholder = regexp.MustCompile(`\$\{[A-Z0-9_]+\}`)

// Render fills the values into the text of envoy.yaml, by the names that it has in braces after a dollar sign. A
// name without a value is an error.
func Render(text []byte, values map[string]string) ([]byte, error) {
	var unknown []string
	rendered := placeholder.ReplaceAllStringFunc(string(text), func(match string) string {
		value, ok := values[match[2:len(match)-1]]
		if !ok {
			unknown = append(unknown, match)
		}
		return value
	})
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return nil, fmt.Errorf("envoy.yaml has names that nothing fills in: %s", strings.Join(slices.Compact(unknown), ", "))
	}
	return []byte(rendered), nil
}

// Upstream are the values for the MCP server that calls go to, given by its URL.
func Upstream(callsURL string) (map[string]string, error) {
	u, err := url.Parse(callsURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !strings.HasPrefix(u.Path, "/") {
		return nil, fmt.Errorf("%q isn't the URL of an MCP server, such as https://mcp.atlassian.com/v2/mcp", callsURL)
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return map[string]string{
		"ATLASSIAN_HOST": u.Hostname(), "ATLASSIAN_PORT": port, "ATLASSIAN_AUTHORITY": u.Host, "ATLASSIAN_PATH": u.EscapedPath(),
		"ATLASSIAN_TLS": fmt.Sprint(u.Scheme == "https"),
	}, nil
}

// Plain has the listeners take what isn't encrypted: on loopback, or behind something that ends TLS. It is a value
// of TRANSPORT_SOCKET, in JSON, as YAML takes it.
const Plain = `{"name":"envoy.transport_sockets.raw_buffer","typed_config":{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"}}`

// TLS has the listeners take TLS 1.2 and later with the certificate that the file from Certificate names. A
// changed file is read at once, without a restart.
func TLS(certificateFile string) string {
	const context = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
	return inJSON(object{"name": "envoy.transport_sockets.tls", "typed_config": object{
		"@type": context,
		"common_tls_context": object{
			"tls_params":     object{"tls_minimum_protocol_version": "TLSv1_2"},
			"alpn_protocols": []string{"h2", "http/1.1"},
			"tls_certificate_sds_secret_configs": []object{{
				"name": "certificate",
				"sds_config": object{
					"resource_api_version": "V3",
					"path_config_source":   object{"path": certificateFile},
				},
			}},
		},
	}})
}

// Certificate is the file that TLS names: where the certificate and its key are. Envoy reads both again when
// a file is moved into the folder.
func Certificate(folder string) string {
	file := func(name string) object { return object{"filename": filepath.Join(folder, name)} }
	return inJSON(object{"resources": []object{{
		"@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret", "name": "certificate",
		"tls_certificate": object{
			"certificate_chain": file("fullchain.pem"), "private_key": file("privkey.pem"), "watched_directory": object{"path": folder},
		},
	}}})
}

type object map[string]any

func inJSON(o object) string {
	text, _ := json.Marshal(o) // of strings only, which can always be written
	return string(text)
}
