package service_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// unit reads the systemd unit, or its drop-in, with the command at another path.
func unit(t *testing.T, name, command string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../examples/systemd", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "/usr/local/sbin/nlapply", command)
}

var execStart = regexp.MustCompile(`(?m)^ExecStart=(.*)$`)

// TestUnitVerifies has systemd read the unit, and nlapply its command line.
func TestUnitVerifies(t *testing.T) {
	verify, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, dropIns := range [][]string{nil, {"namespaces.conf"}, {"audit.conf"}, {"audit.conf", "namespaces.conf"}} {
		dir := t.TempDir()
		file := filepath.Join(dir, "nlapply.service")
		write(t, file, unit(t, "nlapply.service", self))
		for _, name := range dropIns {
			write(t, file+".d/"+name, unit(t, "nlapply.service.d/"+name, self))
		}
		out, err := exec.Command(verify, "verify", "--man=no", file).CombinedOutput()
		if err != nil {
			t.Errorf("with %v: %v\n%s", dropIns, err, out)
		}
		for line := range strings.Lines(string(out)) {
			// systemd before 253; the unit says what follows
			if strings.Contains(line, file) && !strings.Contains(line, "ignoring: notify-reload") {
				t.Errorf("with %v: %s", dropIns, line)
			}
		}
	}
	line := execStart.FindStringSubmatch(unit(t, "nlapply.service", "nlapply"))
	if line == nil {
		t.Fatal("no ExecStart")
	}
	commandLine(t, strings.Fields(line[1])[1:])
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// machine is a system with systemd as its first process, in namespaces of its own.
type machine struct {
	t   *testing.T
	pid string // of systemd
	log string // the file that it writes to
}

// boot makes the namespaces and the file systems that systemd wants to see.
const boot = `
set -e
mount --make-rprivate /
mkdir -p /m
mount -t tmpfs -o mode=0755 root /m
for d in bin sbin usr lib lib64; do
	if [ -e /$d ]; then mkdir -p /m/$d; mount --bind /$d /m/$d; fi
done
cd /m
mkdir -p proc sys dev run tmp var etc root home
cp -R /etc/passwd /etc/group etc/
mount -t proc proc proc
mount -t sysfs sys sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount --bind /dev dev
mount -t tmpfs -o mode=0755 run run
mount -t tmpfs -o mode=1777 tmp tmp
cp -R "$1"/. etc/
mkdir -p opt
cp "$2" opt/nlapply
: >etc/machine-id
ip link set lo up
ip link add eth0 type veth peer name eth0-far
ip link set eth0-far up
mount --move . /
exec chroot . env -i container=nlapply PATH=/bin:/sbin:/usr/bin:/usr/sbin \
	/usr/lib/systemd/systemd --system --unit=multi-user.target --log-target=null --show-status=no
`

// startMachine boots a machine with files in /etc.
func startMachine(t *testing.T, files map[string]string) *machine {
	t.Helper()
	etc := t.TempDir()
	files["systemd/system/nlapply.service.d/log.conf"] = "[Service]\nStandardOutput=append:/run/log\nStandardError=append:/run/log\n"
	for name, text := range files {
		write(t, filepath.Join(etc, name), text)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, log: filepath.Join(t.TempDir(), "log")}
	log, err := os.Create(m.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command("unshare", "--fork", "--kill-child", "--pid", "--mount", "--net", "--uts", "--ipc", "--cgroup", "sh", "-c", boot, "sh", etc, self)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			out, _ := m.try("sh", "-c", "systemctl --no-pager status nlapply; cat /run/log")
			t.Logf("the service:\n%s", out)
		}
		cmd.Process.Kill()
		cmd.Wait()
		if text, _ := os.ReadFile(m.log); t.Failed() {
			t.Logf("the machine:\n%s", text)
		}
	})
	m.until("systemd runs", func() bool {
		m.pid = childOf(cmd.Process.Pid)
		out, err := m.try("systemctl", "is-active", "basic.target")
		return err == nil && strings.TrimSpace(out) == "active"
	})
	return m
}

// childOf returns the process that another one started.
func childOf(parent int) string {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		text, _ := os.ReadFile(file) // PID (NAME) STATE PARENT …
		if f := strings.Fields(string(text)); len(f) > 3 && f[3] == strconv.Itoa(parent) {
			return f[0]
		}
	}
	return ""
}

// try runs a command in the machine.
func (m *machine) try(argv ...string) (string, error) {
	out, err := exec.Command("nsenter", append([]string{"-t", m.pid, "-a", "--root", "--wd", "--"}, argv...)...).CombinedOutput()
	return string(out), err
}

// must is try for a command that succeeds.
func (m *machine) must(argv ...string) string {
	m.t.Helper()
	out, err := m.try(argv...)
	if err != nil {
		m.t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
	return out
}

// until waits for a state.
func (m *machine) until(what string, is func() bool) {
	m.t.Helper()
	for end := time.Now().Add(60 * time.Second); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			m.t.Fatalf("still not so after a minute: %s", what)
		}
	}
}

// shows waits until a command in the machine prints a text.
func (m *machine) shows(text string, argv ...string) {
	m.t.Helper()
	m.until(strings.Join(argv, " ")+" prints "+text, func() bool {
		out, err := m.try(argv...)
		return err == nil && strings.Contains(out, text)
	})
}

func (m *machine) property(name string) string {
	m.t.Helper()
	return strings.TrimSpace(m.must("systemctl", "show", "--value", "-p", name, "nlapply"))
}

// TestUnitRuns starts the unit as it is in the example, below systemd: it applies the
// example's document with all its restrictions, is reloaded, repairs, and stops.
func TestUnitRuns(t *testing.T) {
	needSystemd(t)
	document, err := os.ReadFile("../../examples/systemd/net.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m := startMachine(t, map[string]string{
		"systemd/system/nlapply.service": unit(t, "nlapply.service", "/opt/nlapply"),
		"nlapply/net.yaml":               string(document),
	})
	// started means in force
	m.must("systemctl", "start", "nlapply")
	m.must("sh", "-c", "ip addr show br0 | grep -q 10.0.0.1/24")
	m.must("sh", "-c", "ip route show | grep -q '^default via 192.0.2.1 dev eth0'")
	m.must("grep", "-qx", "1", "/proc/sys/net/ipv4/ip_forward")
	m.must("grep", "-qx", "1", "/proc/sys/net/ipv6/conf/all/forwarding")
	m.shows("StatusText=10 objects of 1 file in force", "systemctl", "show", "-p", "StatusText", "nlapply")

	// with all the restrictions
	pid := m.property("MainPID")
	proc := m.must("cat", "/proc/"+pid+"/status")
	const netAdminAndLease = "0000000010001000" // 1<<CAP_NET_ADMIN | 1<<CAP_LEASE
	for _, line := range []string{"NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t" + netAdminAndLease, "CapBnd:\t" + netAdminAndLease} {
		if !strings.Contains(proc, line+"\n") {
			t.Errorf("the process has not %q:\n%s", line, proc)
		}
	}
	if strings.Contains(proc, "Uid:\t0\t") {
		t.Errorf("the process is root's:\n%s", proc)
	}

	// it repairs, and is reloaded
	m.must("ip", "route", "del", "default")
	m.shows("default via 192.0.2.1", "ip", "route", "show")
	m.must("sh", "-c", "sed -i s/10.0.0.1/10.0.0.3/ /etc/nlapply/net.yaml")
	if m.property("Type") == "notify-reload" {
		m.must("systemctl", "reload", "nlapply")
		m.must("sh", "-c", "ip addr show br0 | grep -q 10.0.0.3/24")
	} else { // systemd before 253
		m.must("kill", "-HUP", pid)
		m.shows("10.0.0.3/24", "ip", "addr", "show", "br0")
	}
	m.shows("ActiveState=active", "systemctl", "show", "-p", "ActiveState", "nlapply")

	// the watchdog is satisfied, and metrics are served
	if usec := m.property("WatchdogUSec"); usec != "30s" {
		t.Errorf("watchdog %s", usec)
	}
	m.shows("nlapply_document_changes_total 2", "wget", "-q", "-O", "-", "http://127.0.0.1:9130/metrics")
	m.must("/opt/nlapply", "status")
	if n := m.property("NRestarts"); n != "0" {
		t.Errorf("restarted %s times", n)
	}
	m.must("systemctl", "stop", "nlapply")
	if result := m.property("Result"); result != "success" {
		t.Errorf("stopped with %s", result)
	}
}

// TestUnitWithNamespaces does so with the drop-in and a document that has a namespace:
// the whole system sees it.
func TestUnitWithNamespaces(t *testing.T) {
	needSystemd(t)
	m := startMachine(t, map[string]string{
		"systemd/system/nlapply.service":                   unit(t, "nlapply.service", "/opt/nlapply"),
		"systemd/system/nlapply.service.d/namespaces.conf": unit(t, "nlapply.service.d/namespaces.conf", "/opt/nlapply"),
		"nlapply/net.yaml":                                 "version: 1\nnamespaces:\n  red:\n    links: {lo: {addresses: [10.9.9.9/32]}}\n    sysctl: {net.ipv4.ip_forward: 1}\n",
	})
	m.must("systemctl", "start", "nlapply")
	m.must("sh", "-c", "ip -n red addr show lo | grep -q 10.9.9.9/32")
	m.must("sh", "-c", "ip netns exec red grep -qx 1 /proc/sys/net/ipv4/ip_forward")
	m.must("ip", "-n", "red", "addr", "del", "10.9.9.9/32", "dev", "lo")
	m.shows("10.9.9.9/32", "ip", "-n", "red", "addr", "show", "lo")
	m.must("systemctl", "stop", "nlapply")
}

func needSystemd(t *testing.T) {
	t.Helper()
	if os.Getenv("NLAPPLY_TEST_ROOT") == "" || os.Geteuid() != 0 {
		t.Skip("not root of a virtual machine")
	}
	if _, err := os.Stat("/usr/lib/systemd/systemd"); err != nil {
		t.Skip("no systemd")
	}
}
