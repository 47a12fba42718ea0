package native

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"sallyport/tools/stack/parts"
)

// elasticUser is nobody: Elasticsearch refuses to run as root.
const elasticUser = 65534

// jvmOptions keep Elasticsearch small: half a gigabyte of heap, taken when needed.
const jvmOptions = "-Xms512m\n-Xmx512m\n-XX:-AlwaysPreTouch\n-XX:TieredStopAtLevel=1\n"

// elasticNice has calls get the cores first where there are too few of them: what Elasticsearch doesn't get to meanwhile
// waits in Redis. It is a tenth of what others get, so that it goes on whatever else there is.
const elasticNice = 10

// elasticStopSeconds is how long it may take to write its indices out.
const elasticStopSeconds = 30

// elasticHome is where its data and configuration are: in the run folder, unless root's stack is in
// a folder that nobody can't enter, such as root's home.
func (s Stack) elasticHome() string {
	if os.Geteuid() == 0 && parts.Closed(s.RunDir) != "" {
		return filepath.Join("/var/lib/sallyport", s.key())
	}
	return s.path("data", "elasticsearch")
}

// elasticsearch is Elasticsearch as its maker's defaults have it, on loopback. Its translog is on
// disk before a request is answered, which is the default (index.translog.durability: request).
func (s Stack) elasticsearch() *process {
	home := s.elasticHome()
	p := s.process("elasticsearch", filepath.Join(s.Parts.ElasticsearchHome, "bin", "elasticsearch"), "-p", quote(filepath.Join(home, "pid")))
	drop := ""
	if os.Geteuid() == 0 {
		drop = fmt.Sprintf("setpriv --reuid=%d --regid=%d --clear-groups ", elasticUser, elasticUser)
	}
	temporary := filepath.Join(home, "tmp")
	// The launcher's temporary files would stay behind in the system's folder. Its own variable for
	// options, CLI_JAVA_OPTS, can't hold a path with a space; Java's own can.
	p.Command = fmt.Sprintf("exec nice -n %d %senv HOME=%s ES_JAVA_HOME=%s ES_PATH_CONF=%s ES_TMPDIR=%s JDK_JAVA_OPTIONS=%s %s", elasticNice, drop,
		quote(home), quote(s.Parts.JavaHome), quote(filepath.Join(home, "config")), quote(temporary), quote(`"-Djava.io.tmpdir=`+temporary+`"`), p.Command[len("exec "):])
	p.WorkingDir = home
	p.Shutdown.TimeoutSeconds = elasticStopSeconds
	return p
}

// prepareElasticsearch writes its configuration and gives it its folders.
func (s Stack) prepareElasticsearch() error {
	home := s.elasticHome()
	config := filepath.Join(home, "config")
	err := os.RemoveAll(filepath.Join(home, "tmp"))
	if err != nil {
		return err
	}
	for _, folder := range []string{filepath.Join(home, "tmp"), filepath.Join(config, "jvm.options.d")} {
		err = os.MkdirAll(folder, 0o755)
		if err != nil {
			return err
		}
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
