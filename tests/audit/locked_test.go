package audit_test

import (
	"testing"

	"github.com/nlapply/nlapply/tests/scenario"
)

// TestLocked comes last, as the name of its file does: it locks the machine's audit system.
func TestLocked(t *testing.T) { scenario.RunLastOnMachine(t, "testdata/locked") }
