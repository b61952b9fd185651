package tools

import "testing"

func TestNewest(t *testing.T) {
	names := []string{
		"linux-image-6.1.0-9-cloud-amd64", "linux-image-6.1.0-56-cloud-amd64-unsigned", "linux-image-6.1.0-56-cloud-amd64",
		"linux-image-6.1-cloud-amd64", "linux-image-6.1.0-57-amd64", "linux-image-6.12.99+deb12-cloud-amd64",
		"linux-image-6.12.117+deb12-cloud-amd64-unsigned", "linux-image-6.12.117+deb12-rt-amd64", "tmp-123",
	}
	want := map[string]string{
		"6.12": "linux-image-6.12.117+deb12-cloud-amd64-unsigned",
		"6.1":  "linux-image-6.1.0-56-cloud-amd64",
	}
	for _, s := range Kernels {
		if got := newest(s, names); got != want[s.Name] {
			t.Errorf("%s: got %q, want %q", s.Name, got, want[s.Name])
		}
	}
	if got := newest(Kernels[0], nil); got != "" {
		t.Errorf("got %q of nothing", got)
	}
}
