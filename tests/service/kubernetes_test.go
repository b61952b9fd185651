// Package service_test runs nlapply as service managers do: by the unit and the
// DaemonSet in examples/.
package service_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/nlapply/nlapply/internal/cli"
)

// TestMain makes the test binary nlapply itself when it is called so.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "nlapply" {
		os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// manifest is what the test looks at of Kubernetes' objects. That there are no others,
// and no other keys, is up to Kubernetes.
type manifest struct {
	APIVersion string
	Kind       string
	Metadata   struct{ Name, Namespace string }
	Data       map[string]string
	Spec       struct {
		Selector struct{ MatchLabels map[string]string }
		Template struct {
			Metadata struct{ Labels, Annotations map[string]string }
			Spec     struct {
				HostNetwork bool
				Containers  []container
				Volumes     []struct {
					Name      string
					ConfigMap struct{ Name string }
				}
			}
		}
	}
}

type container struct {
	Command, Args []string
	Ports         []struct {
		Name          string
		ContainerPort int
	}
	SecurityContext struct {
		AllowPrivilegeEscalation *bool
		Privileged               *bool
		ReadOnlyRootFilesystem   bool
		Capabilities             struct{ Add, Drop []string }
	}
	StartupProbe, LivenessProbe, ReadinessProbe *struct {
		HTTPGet struct{ Path, Port string }
	}
	VolumeMounts []struct{ Name, MountPath string }
}

// TestDaemonSet holds the manifest's parts against each other and against nlapply.
func TestDaemonSet(t *testing.T) {
	text, err := os.ReadFile("../../examples/kubernetes/daemonset.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	objects := map[string]manifest{}
	for part := range strings.SplitSeq(string(text), "\n---\n") {
		var m manifest
		if err := yaml.Unmarshal([]byte(part+"\n"), &m); err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, m.APIVersion+" "+m.Kind)
		objects[m.Kind] = m
		if m.Metadata.Namespace != "kube-system" {
			t.Errorf("%s is in namespace %q", m.Kind, m.Metadata.Namespace)
		}
	}
	if diff := cmp.Diff([]string{"v1 ConfigMap", "apps/v1 DaemonSet"}, kinds); diff != "" {
		t.Fatal(diff)
	}
	config, pod := objects["ConfigMap"], objects["DaemonSet"].Spec.Template
	embedded(t, config.Data)
	labels := objects["DaemonSet"].Spec.Selector.MatchLabels
	if diff := cmp.Diff(labels, pod.Metadata.Labels); diff != "" || len(labels) == 0 {
		t.Errorf("the selector does not find the pods:\n%s", diff)
	}
	if !pod.Spec.HostNetwork || len(pod.Spec.Containers) != 1 || len(pod.Spec.Volumes) != 1 {
		t.Fatalf("host network %v, %d containers, %d volumes", pod.Spec.HostNetwork, len(pod.Spec.Containers), len(pod.Spec.Volumes))
	}
	c := pod.Spec.Containers[0]
	if v := pod.Spec.Volumes[0]; v.ConfigMap.Name != config.Metadata.Name || c.VolumeMounts[0].Name != v.Name ||
		!slices.Contains(c.Args, c.VolumeMounts[0].MountPath) {
		t.Errorf("the ConfigMap does not get to where %v reads it", c.Args)
	}
	commandLine(t, c.Args)
	probes(t, c)
	sc := c.SecurityContext
	if diff := cmp.Diff([]string{"NET_ADMIN"}, sc.Capabilities.Add); diff != "" || !slices.Equal(sc.Capabilities.Drop, []string{"ALL"}) ||
		sc.Privileged != nil || sc.AllowPrivilegeEscalation == nil || *sc.AllowPrivilegeEscalation || !sc.ReadOnlyRootFilesystem {
		t.Errorf("rights: %+v", sc)
	}
	if port := pod.Metadata.Annotations["prometheus.io/port"]; c.Ports[0].Name != "metrics" || !strings.HasSuffix(c.Args[len(c.Args)-1], ":"+port) {
		t.Errorf("Prometheus asks at port %s, the command is %v", port, c.Args)
	}
}

// embedded checks that the ConfigMap has the example's document and no other.
func embedded(t *testing.T, data map[string]string) {
	t.Helper()
	want, err := os.ReadFile("../../examples/kubernetes/net.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"net.yaml": string(want)}, data); diff != "" {
		t.Errorf("the ConfigMap is not net.yaml:\n%s", diff)
	}
	dir := t.TempDir()
	for name, text := range data {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if code := cli.Main([]string{"validate", "-f", dir}, nil, &out, &out); code != 0 {
		t.Errorf("nlapply validate: exit status %d, %s", code, out.String())
	}
}

// commandLine checks that nlapply has these commands and flags.
func commandLine(t *testing.T, args []string) {
	t.Helper()
	var out bytes.Buffer
	if code := cli.Main(append(slices.Clone(args), "--help"), nil, &out, &out); code != 0 || !strings.Contains(out.String(), "nlapply watch") {
		t.Errorf("%v: exit status %d, %s", args, code, out.String())
	}
}

func probes(t *testing.T, c container) {
	t.Helper()
	for name, p := range map[string]struct{ have, want string }{
		"startup": {c.StartupProbe.HTTPGet.Path, "/healthz"},
		"live":    {c.LivenessProbe.HTTPGet.Path, "/healthz"},
		"ready":   {c.ReadinessProbe.HTTPGet.Path, "/readyz"},
	} {
		if p.have != p.want {
			t.Errorf("%s: %s, want %s", name, p.have, p.want)
		}
	}
	if c.StartupProbe.HTTPGet.Port != "metrics" || c.LivenessProbe.HTTPGet.Port != "metrics" || c.ReadinessProbe.HTTPGet.Port != "metrics" {
		t.Error("a probe goes to another port")
	}
}
