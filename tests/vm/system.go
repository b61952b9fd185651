package vm

import (
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// oracles are the programs of this machine that the guest gets with their
// libraries: the judges of the tests, and a shell, because busybox's calls its
// own "ip" whatever PATH says.
var oracles = []string{"sh", "ip", "bridge", "tc", "ping", "strace", "auditctl", "setpriv", "unshare", "nsenter", "zebra", "staticd"}

// packSystem writes what makes a system of the archive: busybox, the oracles
// and the few files of /etc that they read.
func packSystem(a *archive) {
	a.dir("dev")
	a.device("dev/console", 5, 1)
	for _, d := range []string{"proc", "sys", "run", "tmp", "root", "var", "sbin", "usr/bin", "usr/sbin"} {
		a.dir(d)
	}
	a.link("var/run", "/run")
	a.link("sbin/modprobe", "/bin/busybox") // what the kernel calls to load a module
	a.bytes("etc/passwd", 0o644, "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
	a.bytes("etc/group", 0o644, "root:x:0:\nnogroup:x:65534:\n")
	a.bytes("etc/hosts", 0o644, "127.0.0.1 localhost\n")
	for _, dir := range []string{"etc/iproute2", "usr/share/iproute2"} {
		if _, err := filepath.EvalSymlinks("/" + dir); err == nil {
			a.tree(dir, "/"+dir, nil)
		}
	}
	packProgram(a, "busybox")
	for _, name := range oracles {
		packProgram(a, name)
	}
}

// library is a line of ldd's output that names a file.
var library = regexp.MustCompile(`(/\S+) \(0x`)

// packProgram copies a program to /bin, and the libraries that it is linked
// with to where it looks for them. One that this machine lacks is left out:
// the tests that need it say so themselves.
func packProgram(a *archive, name string) {
	from, err := exec.LookPath(name)
	if err != nil {
		return
	}
	a.file("bin/"+name, from)
	out, err := exec.Command("ldd", from).CombinedOutput()
	if err != nil && !strings.Contains(string(out), "not a dynamic") {
		a.err = fmt.Errorf("ldd %s: %w\n%s", from, err, out)
	}
	for _, m := range library.FindAllSubmatch(out, -1) {
		lib := string(m[1])
		// The loader's path is built into the program; a library is found by
		// its name, wherever this machine keeps it.
		to := lib
		if !strings.Contains(filepath.Base(lib), "ld-linux") {
			to = "lib/x86_64-linux-gnu/" + filepath.Base(lib)
		}
		if to = strings.Trim(to, "/"); !a.dirs[to] {
			a.dirs[to] = true // once
			a.file(to, lib)
		}
	}
}

// outsideTree reports what of the source tree the guest does not get.
func outsideTree(rel string, d fs.DirEntry) bool {
	if strings.HasPrefix(d.Name(), ".") || strings.HasSuffix(rel, ".test") {
		return true
	}
	fi, err := d.Info()
	return err != nil || d.Type().IsRegular() && fi.Size() > 1<<20
}
