// Package netns_test holds one scenario per behaviour; README.md says how to
// write and run them.
package netns_test

import (
	"testing"

	"github.com/nlapply/nlapply/tests/scenario"
)

func TestMain(m *testing.M) { scenario.Main(m) }

func TestScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("scenarios take longer than make unit allows")
	}
	scenario.Run(t, "testdata")
}
