package reconcile

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/spec"
)

// ErrCapability is matched by the error of a run that lacks a right.
var ErrCapability = errors.New("missing capability")

// hasCapability tells whether the process has a capability in its user
// namespace (capabilities(7)).
func hasCapability(n int) bool {
	h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var d [2]unix.CapUserData
	if unix.Capget(&h, &d[0]) != nil {
		return false
	}
	return d[n/32].Effective&(1<<(n%32)) != 0
}

// CheckCapabilities names what is missing to apply a document. The error matches
// ErrCapability.
func CheckCapabilities(doc *spec.Document) error {
	if !hasCapability(unix.CAP_NET_ADMIN) {
		return fmt.Errorf("%w: CAP_NET_ADMIN is needed to change the network", ErrCapability)
	}
	if doc.Audit != nil && !hasCapability(unix.CAP_AUDIT_CONTROL) {
		return fmt.Errorf("%w: CAP_AUDIT_CONTROL is needed to change the audit system", ErrCapability)
	}
	if len(doc.Namespaces) > 0 && !hasCapability(unix.CAP_SYS_ADMIN) {
		return fmt.Errorf("%w: CAP_SYS_ADMIN is needed for namespaces", ErrCapability)
	}
	return nil
}
