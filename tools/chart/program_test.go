package chart_test

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// usageError is what programs end with that can't take their settings.
const usageError = 80

// TestPrograms gives the real programs what their containers have: each has to know all of its settings, to take
// their values, and to find the files that are mounted.
func TestPrograms(t *testing.T) {
	for _, c := range cases(t) {
		if c.Error != "" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			r, err := render(t, c.Values)
			must(t, err)
			for name, pod := range r.pods {
				if name == "envoy" {
					drain := pod.Spec.Containers[0].Lifecycle.PreStop.Exec.Command
					wantTaken(t, "drain", append(drain[1:], "--admin", "http://127.0.0.1:1"), nil)
					r.configureEnvoy(t)
					continue
				}
				container := pod.Spec.Containers[0]
				wantKnown(t, name, container)
				folder := secrets(t, pod)
				for _, env := range container.Env {
					if file, ok := strings.CutPrefix(env.Value, "/run/secrets/"); ok {
						_, err = os.Stat(filepath.Join(folder, file))
						if err != nil {
							t.Errorf("%s of %s isn't mounted: %v", env.Name, name, err)
						}
					}
				}
				// It starts nothing, and finds nobody to ask.
				wantTaken(t, name, []string{"--ready", "--ops-listen", "127.0.0.1:1"}, environment(container, "/run/secrets", folder))
			}
		})
	}
}

// wantKnown looks each setting up in what a program says of itself.
func wantKnown(t *testing.T, program string, container corev1.Container) {
	t.Helper()
	help, err := exec.CommandContext(t.Context(), binary(program), "--help").CombinedOutput()
	must(t, err)
	for _, env := range container.Env {
		if !regexp.MustCompile(`\$` + env.Name + `\b`).Match(help) {
			t.Errorf("%s has no setting %s", program, env.Name)
		}
	}
}

// wantTaken runs a program, which may fail, though not for its settings.
func wantTaken(t *testing.T, program string, arguments, environment []string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), binary(program), arguments...)
	command.Env = environment
	out, err := command.CombinedOutput()
	exit, ended := errors.AsType[*exec.ExitError](err)
	if err != nil && (!ended || exit.ExitCode() == usageError) {
		t.Errorf("%s can't take %q: %v\n%s", program, environment, err, out)
	}
}

// configureEnvoy has envoyconf write what Envoy reads, and returns it.
func (r *release) configureEnvoy(t *testing.T) string {
	t.Helper()
	pod := r.pods["envoy"]
	container := pod.Spec.InitContainers[0]
	wantKnown(t, "envoyconf", container)
	from, into := t.TempDir(), t.TempDir()
	must(t, os.CopyFS(from, os.DirFS(filepath.Join(root, "envoy"))))
	must(t, os.Mkdir(filepath.Join(from, "console"), 0o700))
	command := exec.CommandContext(t.Context(), binary("envoyconf"), "--from", from, "--into", into)
	command.Env = environment(container, "", "")
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("envoyconf: %v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(into, "envoy.yaml"))
	must(t, err)
	return string(text)
}

// secrets is a folder with the files that a pod has in /run/secrets.
func secrets(t *testing.T, pod corev1.PodTemplateSpec) string {
	t.Helper()
	folder := t.TempDir()
	projected := pod.Spec.Volumes[0].Projected
	if projected == nil {
		return folder
	}
	for _, source := range projected.Sources {
		if len(source.Secret.Items) == 0 {
			t.Errorf("the whole Secret %s is given", source.Secret.Name)
		}
		for _, item := range source.Secret.Items {
			must(t, os.WriteFile(filepath.Join(folder, item.Path), []byte("something"), 0o600))
		}
	}
	return folder
}

// environment is that of a container, whose files in a folder are in another one here.
func environment(container corev1.Container, folder, here string) []string {
	var all []string
	for _, env := range container.Env {
		value := env.Value
		if folder != "" {
			value = strings.Replace(value, folder, here, 1)
		}
		all = append(all, env.Name+"="+value)
	}
	return all
}

func binary(program string) string {
	path, _ := filepath.Abs(filepath.Join(root, "bin", program)) // fails only without a working directory
	return path
}

var envoyAddress = regexp.MustCompile(`address: (sallyport-[a-z]+), port_value: ([0-9]+)`)

// lookAtCalls looks whether each address that a part is told is that of a service that has this port, and whether the
// network lets the one out and the other in.
func (r *release) lookAtCalls(t *testing.T) {
	t.Helper()
	for _, match := range envoyAddress.FindAllStringSubmatch(r.configureEnvoy(t), -1) {
		r.lookAtCall(t, "envoy", match[1]+":"+match[2])
	}
	for name, pod := range r.pods {
		for _, env := range pod.Spec.Containers[0].Env {
			address := env.Value
			if u, err := url.Parse(address); err == nil && u.Host != "" {
				address = u.Host
			}
			if strings.HasPrefix(address, "sallyport-") && strings.Contains(address, ":") && !strings.Contains(address, "-es-http") {
				r.lookAtCall(t, name, address)
			}
		}
	}
}

func (r *release) lookAtCall(t *testing.T, from, address string) {
	t.Helper()
	host, port, _ := strings.Cut(address, ":")
	service, ok := r.services[host]
	if !ok {
		t.Errorf("%s calls %s, which is no service", from, address)
		return
	}
	to := part(service.Spec.Selector)
	var target int32
	for _, p := range service.Spec.Ports {
		if fmt.Sprint(p.Port) == port {
			target = portOf(r.pods[to], p.TargetPort.StrVal)
		}
	}
	if target == 0 {
		t.Errorf("%s calls %s, which hasn't that port", from, address)
	}
	if len(r.policies) == 0 {
		return
	}
	out, in := false, false
	for _, rule := range r.policies[from].Spec.Egress {
		out = out || r.lets(rule.To, rule.Ports, to, to, target)
	}
	for _, rule := range r.policies[to].Spec.Ingress {
		in = in || r.lets(rule.From, rule.Ports, from, to, target)
	}
	if !out || !in {
		t.Errorf("%s calls %s; its policy lets it out: %v, and that of %s lets it in: %v", from, address, out, to, in)
	}
}

// lets says whether a rule has a peer, by the part that it is, and the port of a part.
func (r *release) lets(peers []networkingv1.NetworkPolicyPeer, ports []networkingv1.NetworkPolicyPort, peer, of string, port int32) bool {
	for _, p := range peers {
		if p.PodSelector == nil || part(p.PodSelector.MatchLabels) != peer {
			continue
		}
		for _, q := range ports {
			if q.Port.Type == intstr.Int && q.Port.IntVal == port || q.Port.Type == intstr.String && portOf(r.pods[of], q.Port.StrVal) == port {
				return true
			}
		}
	}
	return false
}

// portOf is the number of a pod's port, or 0.
func portOf(pod corev1.PodTemplateSpec, name string) int32 {
	for _, port := range pod.Spec.Containers[0].Ports {
		if port.Name == name {
			return port.ContainerPort
		}
	}
	return 0
}
