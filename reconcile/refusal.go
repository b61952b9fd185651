package reconcile

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route/kind"
	"github.com/nlapply/nlapply/spec"
)

// A StepError is a step that the kernel refused.
type StepError struct {
	Step Step
	// Field is the document's key for the attribute that the kernel objects
	// to; empty when the kernel does not say which of several.
	Field string
	// Place is where the document declares the object, nil for what it does
	// not declare.
	Place *spec.Error
	Err   error
}

// Error returns the place, the object, what the refusal means for it, and the
// kernel's own words.
func (e *StepError) Error() string {
	var b strings.Builder
	if e.Place != nil && e.Place.Line > 0 {
		fmt.Fprintf(&b, "%s:%d:%d: ", e.Place.File, e.Place.Line, e.Place.Column)
	}
	fmt.Fprintf(&b, "%s %s", e.Step.Class, e.Step.Object)
	if e.Step.Namespace != "" {
		b.WriteString(" in " + e.Step.Namespace)
	}
	b.WriteString(": ")
	if e.Field != "" {
		b.WriteString(e.Field + ": ")
	}
	if m := meaning(e.Step.Class, e.Err); m != "" {
		b.WriteString(m + ": ")
	}
	b.WriteString(e.Err.Error())
	return b.String()
}

// Unwrap returns the kernel's error.
func (e *StepError) Unwrap() error { return e.Err }

// newStepError finds out which field the kernel means and where it stands.
func (r *Run) newStepError(st Step, err error) *StepError {
	e := &StepError{Step: st, Err: err}
	var ne *netlink.Error
	if errors.As(err, &ne) {
		e.Field = r.fieldOf(st, ne)
	}
	if e.Field == "" && st.Action == Change && len(st.Fields) == 1 {
		e.Field = st.Fields[0].Name
	}
	if st.Path == "" {
		return e
	}
	path := st.Path
	if e.Field != "" {
		path += "." + e.Field
	}
	e.Place = r.doc.Errorf(path, "%v", err)
	return e
}

// fieldOf translates the path of attribute types that the kernel reports into
// the document's key.
func (r *Run) fieldOf(st Step, e *netlink.Error) string {
	path := e.Path
	if e.MissingType != 0 {
		path = append(path[:len(path):len(path)], e.MissingType)
	}
	if len(path) == 0 {
		return ""
	}
	if st.Class == "link" && path[0] == unix.IFLA_LINKINFO {
		return r.optionOf(st, path)
	}
	return attributeFields[st.Class][path[0]]
}

// optionOf returns the key of an option of a link's kind or port.
func (r *Run) optionOf(st Step, path []uint16) string {
	w := r.links.want(st)
	if w == nil || len(path) < 3 {
		return ""
	}
	k, section := w.kind, ""
	if path[1] == unix.IFLA_INFO_SLAVE_DATA {
		k, section = w.port, portSuffix
	}
	if k == nil {
		return ""
	}
	if f := kindField(k, path[2]); f != "" {
		return k.Name() + section + "." + f
	}
	return k.Name() + section
}

func kindField(k kind.Kind, typ uint16) string {
	for _, f := range k.Fields() {
		if f.Type == typ && f.Value.IsSet() {
			return f.Name
		}
	}
	return ""
}

// want returns the declared link that a step is about.
func (p *linkPlan) want(st Step) *linkWant {
	for _, l := range p.steps {
		if l.want != nil && l.scope.Name == st.Namespace && l.want.path() == st.Path {
			return l.want
		}
	}
	return nil
}

// attributeFields are the document's keys for the attributes of a class.
var attributeFields = map[string]map[uint16]string{
	"link": {
		unix.IFLA_ADDRESS: "address", unix.IFLA_MTU: "mtu", unix.IFLA_LINK: "link", unix.IFLA_MASTER: "master",
		unix.IFLA_GROUP: "group", unix.IFLA_TXQLEN: "txqueuelen", unix.IFLA_IFALIAS: "alias",
		unix.IFLA_AF_SPEC: "addrgenmode", unix.IFLA_PROP_LIST: "altnames",
	},
	"address": {
		unix.IFA_LOCAL: "address", unix.IFA_ADDRESS: "peer", unix.IFA_BROADCAST: "broadcast", unix.IFA_LABEL: "label",
		unix.IFA_RT_PRIORITY: "metric", unix.IFA_CACHEINFO: "valid_lft",
	},
	"route": {
		unix.RTA_DST: "to", unix.RTA_GATEWAY: "via", unix.RTA_VIA: "via", unix.RTA_OIF: "dev", unix.RTA_PREFSRC: "src",
		unix.RTA_TABLE: "table", unix.RTA_PRIORITY: "metric", unix.RTA_MULTIPATH: "nexthops", unix.RTA_ENCAP: "encap",
		unix.RTA_ENCAP_TYPE: "encap",
	},
	"rule": {
		unix.FRA_SRC: "from", unix.FRA_DST: "to", unix.FRA_PRIORITY: "priority", unix.FRA_TABLE: "table",
		unix.FRA_GOTO: "goto", unix.FRA_SPORT_RANGE: "sport", unix.FRA_DPORT_RANGE: "dport", unix.FRA_IP_PROTO: "ipproto",
		unix.FRA_UID_RANGE: "uidrange", unix.FRA_FWMARK: "fwmark",
	},
	"neighbor": {unix.NDA_DST: "to", unix.NDA_LLADDR: "lladdr"},
	"fdb": {
		unix.NDA_DST: "dst", unix.NDA_LLADDR: "lladdr", unix.NDA_PORT: "port", unix.NDA_VNI: "vni", unix.NDA_VLAN: "vlan",
	},
}

// meanings say what an errno means for a class, where the kernel has no words
// of its own and the errno's are misleading (facts measured on 6.1, 6.12, 6.18).
var meanings = map[string]map[unix.Errno]string{
	"link": {
		unix.EEXIST:       "the name, or what must be unique of this kind, is taken",
		unix.EOPNOTSUPP:   "the kernel lacks the kind or the option, or cannot change it",
		unix.ENODEV:       "a link that it refers to does not exist",
		unix.EBUSY:        "the link is in use",
		unix.ERANGE:       "a value is out of range",
		unix.ENOTEMPTY:    "the link has ports",
		unix.ENETDOWN:     "the link below is down",
		unix.EACCES:       "the option does not go with the link's mode",
		unix.EPROTO:       "the option does not go with the link's state",
		unix.EAFNOSUPPORT: "the address family is not supported",
	},
	"address": {
		unix.EEXIST: "the link has the address already", unix.ENODEV: "the link does not exist",
		unix.EADDRNOTAVAIL: "the address cannot be used here", unix.EACCES: "IPv6 is disabled on the link",
		unix.ENOBUFS: "the kernel is out of memory for it",
	},
	"route": {
		unix.EEXIST: "another route has the same destination, metric and tos", unix.ESRCH: "the route does not exist",
		unix.ENETUNREACH: "the gateway is not on a connected network", unix.EHOSTUNREACH: "the gateway is not on a connected network",
		unix.ENODEV: "the link does not exist", unix.ENETDOWN: "the link is down", unix.ENOENT: "the route does not exist",
	},
	"rule": {
		unix.EEXIST: "the rule exists", unix.ENOENT: "the rule does not exist",
	},
	"neighbor": {
		unix.ENOENT: "the neighbour does not exist", unix.ENODEV: "the link does not exist",
	},
	"fdb": {
		unix.EEXIST: "the entry exists", unix.ENOENT: "the entry does not exist",
	},
}

func meaning(class string, err error) string {
	var e *netlink.Error
	if !errors.As(err, &e) || e.Text != "" {
		return ""
	}
	if e.Errno == unix.EPERM && !hasCapability(unix.CAP_NET_ADMIN) {
		return "CAP_NET_ADMIN is missing"
	}
	return meanings[class][e.Errno]
}
