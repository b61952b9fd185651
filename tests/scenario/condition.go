package scenario

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// conditions lists what a script may ask of the machine, as "[name:argument]"
// before a command or as an argument of "needs".
var conditions = []struct {
	name  string
	doc   string // what a failed one means, with the argument
	holds func(arg string) (bool, error)
}{
	{"kind", "the kernel has no link kind %s", hasKind},
	{"kernel", "the kernel is not %s", kernelIs},
	{"root", "not root of the machine", func(string) (bool, error) { return os.Getenv(insideEnv) == "root", nil }},
	{"user", "not in a user namespace", func(string) (bool, error) { return os.Getenv(insideEnv) == "user", nil }},
	{"exec", "no program %s", func(arg string) (bool, error) {
		_, err := exec.LookPath(arg)
		return err == nil, nil
	}},
	{"try", "not possible here: %s", try},
	{"share", "another machine tries it", isShare},
}

// shareEnv says which share of the scenarios that no one kernel is needed for falls
// to this machine, and how many machines there are: "1/2". Without it all do.
const shareEnv = "NLAPPLY_TEST_SHARE"

// isShare reports whether scenarios of share arg, counted from 1, fall to this machine.
func isShare(arg string) (bool, error) {
	share, err := strconv.Atoi(arg)
	if err != nil || share < 1 {
		return false, fmt.Errorf("share %q is no number above 0", arg)
	}
	value := os.Getenv(shareEnv)
	if value == "" {
		return true, nil
	}
	var own, machines int
	if _, err := fmt.Sscanf(value, "%d/%d", &own, &machines); err != nil || machines < 1 {
		return false, fmt.Errorf("%s=%q: want a value like 1/2", shareEnv, value)
	}
	return (share-own)%machines == 0, nil
}

// condition answers one condition, and says what it means when it is false.
func condition(text string) (ok bool, why string, err error) {
	name, arg, _ := strings.Cut(text, ":")
	for _, c := range conditions {
		if c.name != name {
			continue
		}
		if why = c.doc; strings.Contains(c.doc, "%s") {
			why = fmt.Sprintf(c.doc, arg)
		}
		ok, err = c.holds(arg)
		return ok, why, err
	}
	return false, "", fmt.Errorf("unknown condition %q", text)
}

// kernelIs compares the running kernel's version: ">=6.7", "<6.1".
func kernelIs(want string) (bool, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return false, err
	}
	for _, op := range []string{">=", "<"} {
		if v, ok := strings.CutPrefix(want, op); ok {
			older, err := before(unix.ByteSliceToString(u.Release[:]), v)
			return older == (op == "<"), err
		}
	}
	return false, fmt.Errorf("kernel:%s: want >=VERSION or <VERSION", want)
}

// before reports whether the kernel release have is older than version want.
func before(have, want string) (bool, error) {
	h := strings.FieldsFunc(have, func(r rune) bool { return r == '.' || r == '-' || r == '+' })
	for i, part := range strings.Split(want, ".") {
		w, err := strconv.Atoi(part)
		if err != nil || i >= len(h) {
			return false, fmt.Errorf("version %q: %w", want, err)
		}
		n, err := strconv.Atoi(h[i])
		if err != nil {
			return false, fmt.Errorf("release %q: %w", have, err)
		}
		if n != w {
			return n < w, nil
		}
	}
	return false, nil
}

var tried sync.Map // command line → bool

// try runs a command line in a scratch namespace and reports whether it
// succeeded: for abilities that have no name, such as
// "try:ip link add br0 type bridge vlan_filtering 1".
func try(line string) (bool, error) {
	if ok, found := tried.Load(line); found {
		return ok.(bool), nil
	}
	ok, err := scratch(func() (bool, error) {
		_, err := run("", nil, "sh", "-ec", line)
		return err == nil, nil
	})
	if err == nil {
		tried.Store(line, ok)
	}
	return ok, err
}

// Holds answers a condition of scripts outside of one.
func Holds(text string) (bool, error) {
	ok, _, err := condition(text)
	return ok, err
}
