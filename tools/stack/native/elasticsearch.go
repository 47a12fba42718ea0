package native

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// elasticUser is nobody: Elasticsearch refuses to run as root.
const elasticUser = 65534

// jvmOptions keep Elasticsearch small: half a gigabyte of heap, taken when needed.
const jvmOptions = "-Xms512m\n-Xmx512m\n-XX:-AlwaysPreTouch\n-XX:TieredStopAtLevel=1\n"

// elasticsearch is Elasticsearch as its maker's defaults have it, on loopback. Its translog is on
// disk before a request is answered, which is the default (index.translog.durability: request).
func (s Stack) elasticsearch() *process {
	p := s.process("elasticsearch", filepath.Join(s.Parts.ElasticsearchHome, "bin", "elasticsearch"), "-p", s.path("data", "elasticsearch", "pid"))
	drop := ""
	if os.Geteuid() == 0 {
		drop = fmt.Sprintf("setpriv --reuid=%d --regid=%d --clear-groups ", elasticUser, elasticUser)
	}
	p.Command = fmt.Sprintf("exec %senv HOME=%s ES_JAVA_HOME=%s ES_PATH_CONF=%s %s", drop,
		s.path("data", "elasticsearch"), quote(s.Parts.JavaHome), s.path("data", "elasticsearch", "config"), p.Command[len("exec "):])
	p.WorkingDir = s.path("data", "elasticsearch")
	p.Shutdown.TimeoutSeconds = 30
	return p
}

// prepareElasticsearch writes its configuration and gives it its folders.
func (s Stack) prepareElasticsearch() error {
	home := s.path("data", "elasticsearch")
	config := filepath.Join(home, "config")
	err := os.MkdirAll(filepath.Join(config, "jvm.options.d"), 0o755)
	if err != nil {
		return err
	}
	shipped := os.DirFS(filepath.Join(s.Parts.ElasticsearchHome, "config"))
	for _, name := range []string{"jvm.options", "log4j2.properties"} {
		text, err := fs.ReadFile(shipped, name)
		if err != nil {
			return fmt.Errorf("Elasticsearch's own configuration: %w", err)
		}
		err = os.WriteFile(filepath.Join(config, name), text, 0o644)
		if err != nil {
			return err
		}
	}
	settings := fmt.Sprintf(`cluster.name: sallyport
node.name: native
path.data: %s
path.logs: %s
network.host: 127.0.0.1
http.port: %d
transport.port: %d
discovery.type: single-node
xpack.security.enabled: false
cluster.routing.allocation.disk.threshold_enabled: false
`, filepath.Join(home, "data"), filepath.Join(home, "logs"), s.Ports.port(elasticHTTP), s.Ports.port(elasticTransport))
	err = os.WriteFile(filepath.Join(config, "elasticsearch.yml"), []byte(settings), 0o644)
	if err != nil {
		return err
	}
	err = os.WriteFile(filepath.Join(config, "jvm.options.d", "sallyport.options"), []byte(jvmOptions), 0o644)
	if err != nil || os.Geteuid() != 0 {
		return err
	}
	return filepath.WalkDir(home, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, elasticUser, elasticUser)
	})
}
