package elastictest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"sallyport/services/internal/nativetest"
)

const (
	// startTimeout is how long the server may take on a machine that is busy with other tests.
	startTimeout = 2 * time.Minute
	// stopTimeout is how long it may take to close its indices before it is killed.
	stopTimeout = 10 * time.Second
	// nobody is the user and group that it runs as where the tests run as root, which it refuses.
	nobody = 65534
)

// Server is an Elasticsearch of the tests' own.
type Server struct {
	// URL is where it answers.
	URL string

	// http and transport are where it listens.
	http, transport string

	dir     string
	heap    int
	program *exec.Cmd
	ended   chan error
}

// testHeap is small: tests have little data.
const testHeap = 256

// Start starts an empty Elasticsearch on free loopback ports. The caller stops it.
func Start(t testing.TB) *Server {
	t.Helper()
	return StartSized(t, testHeap)
}

// StartSized starts one with a heap of so many MiB, for measuring.
func StartSized(t testing.TB, heap int) *Server {
	t.Helper()
	home, java := parts(t)
	dir, err := os.MkdirTemp("", "sallyport-elasticsearch-")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{dir: dir, heap: heap, http: nativetest.FreeAddress(t), transport: nativetest.FreeAddress(t)}
	err = s.start(home, java)
	if err != nil {
		log, _ := os.ReadFile(s.logFile())
		s.Stop()
		t.Fatalf("starting Elasticsearch: %v; its log:\n%s", err, log)
	}
	return s
}

// PID is the process of its launcher, whose child the server is.
func (s *Server) PID() int { return s.program.Process.Pid }

// Stop stops the server and removes its data.
func (s *Server) Stop() {
	s.Halt()
	_ = os.RemoveAll(s.dir)
}

// Halt stops the server and keeps its data, so that Resume can start it again at the same URL.
func (s *Server) Halt() {
	if s.program == nil {
		return
	}
	_ = s.program.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(stopTimeout):
		_ = s.program.Process.Kill()
		<-s.ended
	}
	s.program = nil
}

// Resume starts a halted server again.
func (s *Server) Resume(t testing.TB) {
	t.Helper()
	home, java := parts(t)
	err := s.run(home, java)
	if err != nil {
		t.Fatalf("starting Elasticsearch again: %v", err)
	}
}

func (s *Server) logFile() string { return filepath.Join(s.dir, "console.log") }

func (s *Server) start(home, java string) error {
	s.URL = "http://" + s.http
	_, httpPort, _ := net.SplitHostPort(s.http)
	_, transportPort, _ := net.SplitHostPort(s.transport)
	config := filepath.Join(s.dir, "config")
	err := os.CopyFS(config, os.DirFS(filepath.Join(home, "config")))
	if err != nil {
		return err
	}
	err = os.WriteFile(filepath.Join(config, "elasticsearch.yml"), fmt.Appendf(nil, settings, httpPort, transportPort, s.dir, s.dir), 0o600)
	if err != nil {
		return err
	}
	err = os.Mkdir(filepath.Join(s.dir, "tmp"), 0o700)
	if err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		err = giveAway(s.dir)
		if err != nil {
			return err
		}
	}
	return s.run(home, java)
}

// settings are those of the native stack, on other ports.
const settings = `cluster.name: sallyport-test
discovery.type: single-node
xpack.security.enabled: false
network.host: 127.0.0.1
http.port: %s
transport.port: %s
path.data: %s/data
path.logs: %s/logs
cluster.routing.allocation.disk.threshold_enabled: false
`

func (s *Server) run(home, java string) error {
	console, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer console.Close()
	s.program = exec.Command(filepath.Join(home, "bin", "elasticsearch"))
	s.program.Stdout, s.program.Stderr = console, console
	s.program.Dir = s.dir
	s.program.Env = append(os.Environ(), "ES_JAVA_HOME="+java, "ES_PATH_CONF="+filepath.Join(s.dir, "config"), "ES_TMPDIR="+filepath.Join(s.dir, "tmp"),
		// Quick to start: tests end soon. The native stack has the same options (tools/stack/native).
		fmt.Sprintf("ES_JAVA_OPTS=-Xms%dm -Xmx%dm -XX:-AlwaysPreTouch -XX:TieredStopAtLevel=1", s.heap, s.heap))
	// A test that is killed takes it along.
	s.program.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 {
		s.program.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	err = s.program.Start()
	if err != nil {
		s.program = nil
		return err
	}
	ended := make(chan error, 1)
	s.ended = ended
	program := s.program
	go func() {
		ended <- program.Wait()
		close(ended)
	}()
	return s.wait()
}

func (s *Server) wait() error {
	deadline := time.After(startTimeout)
	for {
		select {
		case err := <-s.ended:
			s.program = nil
			return fmt.Errorf("it ended: %w", err)
		case <-deadline:
			return fmt.Errorf("no answer within %v", startTimeout)
		case <-time.After(100 * time.Millisecond):
		}
		response, err := http.Get(s.URL + "/_cluster/health?wait_for_status=yellow&timeout=1s")
		if err != nil {
			continue
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return nil
		}
	}
}

// giveAway makes a folder and all in it nobody's.
func giveAway(dir string) error {
	return filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chown(path, nobody, nobody))
	})
}

// parts returns the folders of Elasticsearch and of Java, from what `make parts` wrote down.
func parts(t testing.TB) (home, java string) {
	t.Helper()
	found := nativetest.Find()
	if found.ElasticsearchHome == "" || found.JavaHome == "" {
		t.Fatal("there is no Elasticsearch on this machine: run `make parts`, which fetches one")
	}
	return found.ElasticsearchHome, found.JavaHome
}
