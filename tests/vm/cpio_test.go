package vm

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The archive is what cpio itself makes of it; parents come first, and once.
func TestArchive(t *testing.T) {
	var b bytes.Buffer
	a := newArchive(&b)
	a.device("dev/console", 5, 1)
	a.bytes("etc/deep/passwd", 0o644, "root\n")
	a.link("/etc/link", "/target")
	a.dir("etc/deep")
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	if b.Len()%512 != 0 {
		t.Errorf("%d bytes: the next archive would not begin on a boundary", b.Len())
	}
	cmd := exec.Command("busybox", "cpio", "-t")
	if _, err := exec.LookPath("cpio"); err == nil {
		cmd = exec.Command("cpio", "-t", "--quiet")
	} else if _, err := exec.LookPath("busybox"); err != nil {
		t.Skip("neither cpio nor busybox")
	}
	cmd.Stdin = &b
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"dev", "dev/console", "etc", "etc/deep", "etc/deep/passwd", "etc/link"}
	if diff := cmp.Diff(want, strings.Fields(string(out))); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestWantedModules(t *testing.T) {
	for name, want := range map[string]bool{
		"kernel/net/8021q/8021q.ko.xz":              true,
		"kernel/drivers/net/bonding/bonding.ko":     true,
		"kernel/drivers/net/dummy.ko":               true,
		"kernel/net/sched/cls_flower.ko.xz":         true,
		"kernel/drivers/net/ethernet/amazon/ena.ko": false,
		"kernel/net/bluetooth/bluetooth.ko":         false,
		"kernel/fs/ext4/ext4.ko":                    false,
	} {
		if got := wanted.MatchString(name) && !unwanted.MatchString(name); got != want {
			t.Errorf("%s: wanted %v", name, got)
		}
	}
}
