package chart_test

import (
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

// TestCases renders the chart for each case, and holds all objects against the schemas of Kubernetes' API.
func TestCases(t *testing.T) {
	known := &schemas{t: t, known: map[string]*jsonschema.Schema{}}
	for _, c := range cases(t) {
		t.Run(c.Name, func(t *testing.T) {
			known.t = t
			r, err := render(t, c.Values)
			if c.Error != "" {
				if err == nil || !strings.Contains(err.Error(), c.Error) {
					t.Errorf("got %v, want %s", err, c.Error)
				}
				return
			}
			must(t, err)
			texts := map[string]string{}
			for _, object := range r.all {
				err = known.validate(object)
				if err != nil {
					t.Errorf("%s: %v", title(object), err)
				}
				text, err := yaml.Marshal(object)
				must(t, err)
				texts[title(object)] = string(text)
			}
			texts["notes"] = r.notes
			c.look(t, texts)
			r.lookAtPods(t)
			r.lookAtSelectors(t)
			r.lookAtCalls(t)
		})
	}
}

func (c testCase) look(t *testing.T, texts map[string]string) {
	t.Helper()
	for name, text := range c.Has {
		if !strings.Contains(texts[name], text) {
			t.Errorf("%s doesn't say %q:\n%s", name, text, texts[name])
		}
	}
	for name, text := range c.Lacks {
		if got, ok := texts[name]; ok && (text == "" || strings.Contains(got, text)) {
			t.Errorf("%s is there or says %q:\n%s", name, text, got)
		}
	}
}

// lookAtPods holds each pod against the restricted Pod Security Standard, and against what the parts have in common.
func (r *release) lookAtPods(t *testing.T) {
	t.Helper()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	must(t, err)
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	if len(r.pods) != 5 {
		t.Errorf("there are %d parts, want 5", len(r.pods))
	}
	for name, pod := range r.pods {
		for _, result := range evaluator.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec) {
			if !result.Allowed {
				t.Errorf("the pods of %s aren't restricted: %s: %s", name, result.ForbiddenReason, result.ForbiddenDetail)
			}
		}
		if token := pod.Spec.AutomountServiceAccountToken; token == nil || *token {
			t.Errorf("the pods of %s are given a token for Kubernetes' API", name)
		}
		container := pod.Spec.Containers[0]
		if container.StartupProbe == nil || container.ReadinessProbe == nil || container.LivenessProbe == nil || container.Lifecycle == nil || container.Lifecycle.PreStop == nil {
			t.Errorf("%s lacks a probe, or is stopped without warning", name)
		}
		for _, c := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
			if root := c.SecurityContext.ReadOnlyRootFilesystem; root == nil || !*root {
				t.Errorf("%s of %s may write to its root file system", c.Name, name)
			}
			if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
				t.Errorf("%s of %s has no memory limit, or asks for no CPU", c.Name, name)
			}
		}
		if _, ok := r.budgets[name]; !ok {
			t.Errorf("%s has no budget", name)
		}
	}
}

// lookAtSelectors looks whether what chooses pods chooses some, and whether ports that are named are there.
func (r *release) lookAtSelectors(t *testing.T) {
	t.Helper()
	for name, service := range r.services {
		pod, ok := r.pods[part(service.Spec.Selector)]
		if !ok {
			t.Fatalf("the service %s is of no part", name)
		}
		for label, value := range service.Spec.Selector {
			if pod.Labels[label] != value {
				t.Errorf("the service %s wants %s=%s, which its pods haven't", name, label, value)
			}
		}
		for _, port := range service.Spec.Ports {
			if portOf(pod, port.TargetPort.StrVal) == 0 {
				t.Errorf("the service %s sends to the port %s, which its pods haven't", name, port.TargetPort.StrVal)
			}
		}
	}
	for name := range r.scalers {
		if _, ok := r.pods[strings.TrimPrefix(name, "sallyport-")]; !ok {
			t.Errorf("what scales %s finds nothing", name)
		}
	}
}
