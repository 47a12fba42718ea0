package native

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

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

// listeningInode finds the socket of a listening port in Linux's tables (proc(5)). A program that
// listens on all addresses is often in the one for IPv6 only.
func listeningInode(port int) string {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		if inode := inodeIn(table, port); inode != "" {
			return inode
		}
	}
	return ""
}

func inodeIn(table string, port int) string {
	file, err := os.Open(table)
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
		listening, err := strconv.ParseUint(hexPort, 16, 16)
		if err == nil && int(listening) == port {
			return fields[9]
		}
	}
	return ""
}
