package spec

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// SysctlPath returns the path below /proc/sys of a name of Namespace.Sysctl. As for
// sysctl(8), a slash in such a name is a dot in the name of a directory.
//
//	SysctlPath("net.ipv4.conf.eth0/100.forwarding") // net/ipv4/conf/eth0.100/forwarding
func SysctlPath(name string) string { return swapDots.Replace(name) }

var swapDots = strings.NewReplacer(".", "/", "/", ".")

// LinkSysctl returns the full name of a name of Link.Sysctl.
//
//	LinkSysctl("eth0.100", "ipv6.accept_ra") // net.ipv6.conf.eth0/100.accept_ra
func LinkSysctl(link, name string) string {
	family, rest, _ := strings.Cut(name, ".")
	return "net." + family + ".conf." + strings.ReplaceAll(link, ".", "/") + "." + rest
}

func checkSysctl(name string) error {
	if !strings.HasPrefix(name, "net.") {
		return errors.New("only net.* can be set")
	}
	return checkSysctlParts(name)
}

func checkLinkSysctl(name string) error {
	family, rest, _ := strings.Cut(name, ".")
	if family != "ipv4" && family != "ipv6" || rest == "" || strings.ContainsAny(rest, "./") {
		return errors.New("want ipv4.NAME or ipv6.NAME")
	}
	return checkSysctlParts(name)
}

func checkSysctlParts(name string) error {
	if len(name) > maxKey {
		return fmt.Errorf("the name of a sysctl has at most %d bytes", maxKey)
	}
	for part := range strings.SplitSeq(SysctlPath(name), "/") {
		if part == "" || part == "." || part == ".." || strings.ContainsAny(part, " \t\n") || hasControl(part) {
			return fmt.Errorf("%s is no name of a sysctl", quote(name))
		}
	}
	return nil
}

// readSysctls adds a map of values to what other files say. set enters the full
// name of a key, or reports that it is set already.
func (d *decoder) readSysctls(n ref, into *map[string]string, check func(string) error, set func(name string, at ref) bool) bool {
	if d.t.shape(n) == isNull {
		return true
	}
	if d.t.shape(n) != isMap {
		return d.want(n, "a map of sysctls")
	}
	if *into == nil && d.t.next(n) > n+1 {
		*into = map[string]string{}
	}
	ok := true
	for k, end := n+1, d.t.next(n); k < end; k = d.t.next(k + 1) {
		name := d.t.string(k)
		d.push(name)
		if err := check(name); err != nil {
			ok = d.fail(k, "%v", err)
		} else if set(name, k) {
			var v string
			ok = sysctlValue.read(d, k+1, &v) && ok
			(*into)[name] = v
		} else {
			ok = false
		}
		d.pop()
	}
	return ok
}

// sysctlValue is a number or a text, taken as it is written.
var sysctlValue = format[string]{
	read: func(d *decoder, n ref, v *string) bool {
		if s := d.t.shape(n); s != isPlain && s != isText {
			return d.want(n, "a number or a text")
		}
		*v = strings.Join(strings.Fields(d.t.string(n)), " ")
		switch {
		case d.t.shape(n) == isPlain && (*v == "true" || *v == "false"):
			return d.fail(n, "want a number or a text, have %s", *v)
		case hasControl(*v):
			return d.fail(n, "a sysctl has no control characters")
		}
		return true
	},
	write: func(w *writer, v *string) {
		if n, err := parseNumber(*v); err == nil && isDecimal(*v) {
			w.number(n)
			return
		}
		w.text(*v)
	},
	schema: schema{"type": []string{"number", "string"}},
}

func writeSysctls(w *writer, values map[string]string) {
	if len(values) == 0 {
		return
	}
	w.key("sysctl")
	w.openMap(len(w.frames) > 1)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		w.key(name)
		v := values[name]
		sysctlValue.write(w, &v)
	}
	w.close()
}

var linkSysctls = key[Link]{
	name: "sysctl", doc: "ipv4.NAME and ipv6.NAME: net.ipv4.conf.LINK.NAME and net.ipv6.conf.LINK.NAME",
	schema: orNull(schema{"additionalProperties": sysctlValue.schema}),
	read: func(d *decoder, n ref, l *Link) bool {
		return d.readSysctls(n, &l.Sysctl, checkLinkSysctl, func(name string, at ref) bool {
			return d.first(d.found.sysctls, LinkSysctl(d.link, name), at, "the sysctl is set twice")
		})
	},
	write: func(w *writer, l *Link) { writeSysctls(w, l.Sysctl) },
}
