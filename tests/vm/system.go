package vm

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/nlapply/nlapply/tests/tools"
)

// oracles are the programs of this machine that the guest gets with their
// libraries: the judges of the tests, and a shell, because busybox's calls its
// own "ip" whatever PATH says.
var oracles = []string{"sh", "ip", "bridge", "tc", "ping", "strace", "auditctl", "auditd", "ausearch", "ausyscall", "setpriv", "unshare", "nsenter", "zebra", "staticd"}

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
	a.bytes("etc/passwd", 0o644, users)
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
	packSystemd(a)
	packExamples(a)
}

// users are those of the guest. One of auditd's examples has a rule for chrony.
const users = "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\nchrony:x:101:65534::/:/bin/false\n"

// packExamples copies the examples of auditd's package to where the package has them.
func packExamples(a *archive) {
	if dir, err := tools.Beside("auditctl", tools.AuditExamples); err == nil {
		a.tree(tools.AuditExamples, dir, nil)
	}
}

// packSystemd copies the service manager, and the targets that it wants to see, to
// where it expects them: a test starts it beside the guest's own init process.
func packSystemd(a *archive) {
	systemctl, err := exec.LookPath("systemctl")
	if err != nil {
		return
	}
	root := filepath.Dir(filepath.Dir(systemctl)) // of the system, or of an unpacked package
	packProgram(a, "systemctl")
	for _, name := range []string{"systemd", "systemd-executor"} { // the second since 255
		if _, err := exec.LookPath(filepath.Join(root, "lib/systemd", name)); err == nil {
			packFile(a, "usr/lib/systemd/"+name, filepath.Join(root, "lib/systemd", name))
		}
	}
	for _, name := range []string{"basic", "multi-user", "network", "network-pre", "paths", "shutdown", "slices", "sockets", "sysinit", "timers", "umount"} {
		unit := "lib/systemd/system/" + name + ".target"
		if _, err := os.Stat(filepath.Join(root, unit)); err == nil {
			a.file("usr/"+unit, filepath.Join(root, unit))
		}
	}
}

// library is a line of ldd's output that names a file.
var library = regexp.MustCompile(`(/\S+) \(0x`)

// packProgram copies a program to /bin, and the libraries that it is linked
// with to where it looks for them. One that this machine lacks is left out:
// the tests that need it say so themselves.
func packProgram(a *archive, name string) {
	if from, err := exec.LookPath(name); err == nil {
		packFile(a, "bin/"+name, from)
	}
}

// packFile copies a program, and its libraries.
func packFile(a *archive, to, from string) {
	a.file(to, from)
	out, err := exec.Command("ldd", from).CombinedOutput()
	if err != nil && !strings.Contains(string(out), "not a dynamic") {
		a.err = fmt.Errorf("ldd %s: %w\n%s", from, err, out)
	}
	for _, m := range library.FindAllSubmatch(out, -1) {
		packLibrary(a, string(m[1]))
	}
}

// packLibrary copies a library to where the loader looks for it: the loader's own path is
// built into programs, a library is found by its name, wherever this machine keeps it.
// With the C library comes what that loads when a program ends a thread (pthread_cancel).
func packLibrary(a *archive, lib string) {
	to := lib
	if !strings.Contains(filepath.Base(lib), "ld-linux") {
		to = "lib/x86_64-linux-gnu/" + filepath.Base(lib)
	}
	if to = strings.Trim(to, "/"); a.dirs[to] {
		return
	}
	a.dirs[to] = true // once
	a.file(to, lib)
	unwinder := filepath.Join(filepath.Dir(lib), "libgcc_s.so.1")
	if _, err := os.Stat(unwinder); err == nil && filepath.Base(lib) == "libc.so.6" {
		packLibrary(a, unwinder)
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
