// Package audit_test runs scripts about the audit system, of which a machine has one:
// in virtual machines, one script at a time. auditctl is the judge.
package audit_test

import (
	"testing"

	"github.com/nlapply/nlapply/tests/scenario"
)

func TestMain(m *testing.M) { scenario.MachineMain(m) }

func TestScripts(t *testing.T) { scenario.RunOnMachine(t, "testdata") }
