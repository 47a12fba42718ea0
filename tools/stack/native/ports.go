// Package native runs Sallyport on one machine without Docker and without root: process-compose
// starts the parts in order, restarts what dies, and keeps a log file each.
package native

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Ports are the ports of a stack, counted from one base.
type Ports int

// Base is the default of PORT_BASE.
const Base Ports = 8800

const (
	public = iota
	console
	envoyAdmin
	authzGRPC
	authzOps
	identityHTTP
	identityGRPC
	identityOps
	accesslogGRPC
	accesslogOps
	adminGRPC
	adminOps
	redis
	elasticHTTP
	elasticTransport
	atlassian
	switches
	portCount
)

var portNames = [portCount]string{"the MCP endpoint", "the console", "Envoy's admin interface", "authz", "authz", "identity", "identity", "identity",
	"accesslog", "accesslog", "admin", "admin", "Redis", "Elasticsearch", "Elasticsearch", "the Atlassian stand-in", "the Atlassian stand-in"}

func (p Ports) address(offset int) string { return fmt.Sprintf("127.0.0.1:%d", p.port(offset)) }
func (p Ports) url(offset int) string     { return "http://" + p.address(offset) }
func (p Ports) port(offset int) int       { return int(p) + offset }

// publicURL is the URL that people and assistants use.
func (p Ports) publicURL() string { return fmt.Sprintf("http://localhost:%d", p.port(public)) }

// check returns an error for the first port that somebody else has.
func (p Ports) check() error {
	if p < 1024 || int(p)+portCount > 65535 {
		return fmt.Errorf("PORT_BASE is %d: choose one from 1024 to %d", p, 65535-portCount)
	}
	for offset := range portCount {
		listener, err := net.Listen("tcp", p.address(offset))
		if err != nil {
			return fmt.Errorf("port %d, for %s, is in use%s: stop what uses it, or choose other ports with PORT_BASE, such as PORT_BASE=%d",
				p.port(offset), portNames[offset], user(p.port(offset)), int(p)+1000)
		}
		listener.Close()
	}
	return nil
}

// user names the process that listens on a port, where Linux tells.
func user(port int) string {
	inode := listeningInode(port)
	if inode == "" {
		return ""
	}
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || target != "socket:["+inode+"]" {
			continue
		}
		process := filepath.Dir(filepath.Dir(link))
		name, _ := os.ReadFile(filepath.Join(process, "comm"))
		return fmt.Sprintf(" by %s (process %s)", strings.TrimSpace(string(name)), filepath.Base(process))
	}
	return ""
}

// listeningInode finds the socket of a listening port in Linux's /proc/net/tcp (proc(5)).
func listeningInode(port int) string {
	file, err := os.Open("/proc/net/tcp")
	if err != nil {
		return ""
	}
	defer file.Close()
	const stateListen = "0A"
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[3] != stateListen {
			continue
		}
		_, hexPort, _ := strings.Cut(fields[1], ":")
		raw, err := hex.DecodeString(hexPort)
		if err == nil && len(raw) == 2 && int(raw[0])<<8|int(raw[1]) == port {
			return fields[9]
		}
	}
	return ""
}

// ParsePorts reads PORT_BASE.
func ParsePorts(text string) (Ports, error) {
	if text == "" {
		return Base, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("PORT_BASE is %q: it must be a number such as %d", text, Base)
	}
	return Ports(n), nil
}
