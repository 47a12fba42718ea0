package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sallyport/tools/stack/parts"
)

// shell are the programs that an image with a shell has at least.
var shell = []string{
	"bash", "sh", "env", "cat", "ls", "mkdir", "chmod", "chown", "ln", "id", "sleep", "dirname", "basename", "readlink", "tr", "cut", "head", "tail", "grep", "sed",
	"awk", "uname", "rm", "cp", "mv", "touch", "mktemp", "expr", "sort", "wc", "date", "printf", "test", "true",
}

// contents is what an image is put together from.
type contents struct {
	// name is the folder of standin with its Dockerfile.
	name string
	// programs bring the libraries that they need; those without a path are copied themselves, too.
	programs []string
	// files are copied to the same place.
	files []string
	// parts are copied into the image's folder under these names.
	parts map[string]string
}

// assemble puts together what the images are built from: a folder each, with the files of standin, those of this
// machine that its programs need, and the program itself.
func (t *trial) assemble(ctx context.Context, p parts.Paths) error {
	images, err := t.contents(ctx, p)
	if err != nil {
		return err
	}
	for _, image := range images {
		folder := filepath.Join(t.cache, "images", image.name)
		err := os.RemoveAll(folder)
		if err == nil {
			err = copyTo(ctx, folder, filepath.Join(t.root, "tools", "compose", "standin", image.name)+"/.")
		}
		if err == nil {
			err = rootFiles(ctx, filepath.Join(folder, "root"), append(slices.Clone(shell), image.programs...), image.files)
		}
		for from, to := range image.parts {
			if err == nil {
				err = copyTo(ctx, filepath.Join(folder, to), from)
			}
		}
		if err != nil {
			return fmt.Errorf("putting the image %s together: %w", image.name, err)
		}
	}
	return nil
}

// contents finds the programs of all images, and gets those that aren't here.
func (t *trial) contents(ctx context.Context, p parts.Paths) ([]contents, error) {
	redis, err := parts.Redis(ctx, t.progress)
	if err != nil {
		return nil, err
	}
	packages, err := t.consolePackages(ctx)
	if err != nil {
		return nil, err
	}
	kibana := filepath.Join(t.cache, "kibana-docker")
	build := exec.CommandContext(ctx, "go", "build", "-o", kibana, "./compose/kibana")
	build.Dir, build.Env = filepath.Join(t.root, "tools"), append(os.Environ(), "CGO_ENABLED=0")
	_, err = output(build)
	if err != nil {
		return nil, err
	}
	goRoot, err := output(exec.CommandContext(ctx, "go", "env", "GOROOT"))
	if err != nil {
		return nil, err
	}
	modules, err := output(exec.CommandContext(ctx, "npm", "root", "--global"))
	if err != nil {
		return nil, err
	}
	java, err := javaFiles(p.JavaHome)
	if err != nil {
		return nil, err
	}
	javaPrograms := []string{"curl"}
	for _, name := range []string{"bin/java", "lib/server/libjvm.so", "lib/libzip.so"} {
		javaPrograms = append(javaPrograms, filepath.Join(p.JavaHome, name))
	}
	return []contents{
		{"envoy", []string{p.Envoy}, []string{certificates}, map[string]string{p.Envoy: "envoy"}},
		{"redis", []string{redis}, nil, map[string]string{redis: "redis-server"}},
		{"elasticsearch", javaPrograms, java, map[string]string{p.ElasticsearchHome: "elasticsearch"}},
		{"kibana", []string{"curl"}, nil, map[string]string{kibana: "kibana-docker"}},
		{"golang", nil, []string{certificates}, map[string]string{goRoot: "go"}},
		{"node", []string{"node"}, nil, map[string]string{filepath.Join(modules, "npm"): "npm", packages: "packages"}},
	}, nil
}

// certificates are those that this machine trusts, where Debian has them.
const certificates = "/etc/ssl/certs/ca-certificates.crt"

// output is what a program prints.
func output(command *exec.Cmd) (string, error) {
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(command.Args, " "), err, complaint(err))
	}
	return strings.TrimSpace(string(out)), nil
}

// javaFiles are the files that Java runs on. Distributions have links there to what they didn't install.
func javaFiles(home string) ([]string, error) {
	files := []string{filepath.Join(home, "bin", "java")}
	for _, folder := range []string{"conf", "lib"} {
		err := filepath.WalkDir(filepath.Join(home, folder), func(path string, _ os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := os.Stat(path)
			if err == nil && info.Mode().IsRegular() {
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// consolePackages is a cache of npm's that has all that the console is built from.
func (t *trial) consolePackages(ctx context.Context) (string, error) {
	console := filepath.Join(t.root, "services", "console")
	lock, err := os.ReadFile(filepath.Join(console, "package-lock.json"))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(lock)
	packages := filepath.Join(t.cache, "packages-"+hex.EncodeToString(sum[:8]))
	_, err = os.Stat(packages)
	if err == nil {
		return packages, nil
	}
	t.say("Fetching the console's packages")
	folder, err := os.MkdirTemp(t.cache, "fetching-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	for _, name := range []string{"package.json", "package-lock.json"} {
		err = copyTo(ctx, filepath.Join(folder, name), filepath.Join(console, name))
		if err != nil {
			return "", err
		}
	}
	command := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--cache", filepath.Join(folder, "cache"))
	command.Dir = folder
	out, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("fetching the console's packages: %w: %s", err, out)
	}
	return packages, os.Rename(filepath.Join(folder, "cache"), packages)
}

// library finds the files that ldd names.
var library = regexp.MustCompile(`(/\S+) \(0x`)

// rootFiles copies programs of this machine with the libraries that they need, and more files, to where they are
// here, below root.
func rootFiles(ctx context.Context, root string, programs, files []string) error {
	all := slices.Clone(files)
	for _, name := range programs {
		// What has a path has a place of its own in the image.
		path := name
		if !filepath.IsAbs(name) {
			found, err := exec.LookPath(name)
			if err != nil {
				return err
			}
			path = found
			all = append(all, found)
		}
		out, err := exec.CommandContext(ctx, "ldd", path).CombinedOutput()
		if err != nil && !strings.Contains(string(out), "not a dynamic executable") {
			return fmt.Errorf("ldd %s: %w: %s", path, err, out)
		}
		for _, found := range library.FindAllStringSubmatch(string(out), -1) {
			all = append(all, found[1])
			if filepath.Base(found[1]) == "libc.so.6" {
				// What programs load themselves needs its companions.
				for _, name := range []string{"libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1"} {
					all = append(all, filepath.Join(filepath.Dir(found[1]), name))
				}
			}
		}
	}
	slices.Sort(all)
	for _, folder := range []string{"tmp", "usr/bin"} {
		err := os.MkdirAll(filepath.Join(root, folder), 0o755)
		if err != nil {
			return err
		}
	}
	err := errors.Join(os.Chmod(filepath.Join(root, "tmp"), 0o777|os.ModeSticky), os.Symlink("usr/bin", filepath.Join(root, "bin")))
	if err != nil {
		return err
	}
	for _, path := range slices.Compact(all) {
		err = copyFile(filepath.Join(root, path), path)
		if err != nil {
			return err
		}
	}
	return nil
}

// copyTo copies a file or folder, with its modes and times, so that Docker sees that it is the same as before.
func copyTo(ctx context.Context, to, from string) error {
	err := os.MkdirAll(filepath.Dir(to), 0o755)
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "cp", "--recursive", "--preserve=mode,timestamps,links", "--no-target-directory", from, to).CombinedOutput()
	if err != nil {
		return fmt.Errorf("copying %s: %w: %s", from, err, out)
	}
	return nil
}

// buildStandIns builds the images under the official names.
func (t *trial) buildStandIns(ctx context.Context, javaHome string) error {
	command := t.docker.command(ctx, "compose", "--file", filepath.Join(t.root, "tools", "compose", "standin", "compose.yaml"), "build")
	command.Env = append(command.Env, "IMAGES="+filepath.Join(t.cache, "images"), "JAVA_HOME="+javaHome)
	return t.docker.do(command, t.logFile("build"))
}
