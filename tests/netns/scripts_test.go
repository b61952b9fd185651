// Package netns_test holds one scenario per behaviour; README.md says how to
// write and run them.
package netns_test

import (
	"flag"
	"os"
	"strconv"
	"testing"

	"github.com/nlapply/nlapply/tests/scenario"
)

var (
	edits = flag.Int("edits", 40, "how many times the scenario watch_edits changes files")
	churn = flag.Int("churn", 15, "how many times the scenario watch_beside_frr disturbs both programs in four ways")
)

func TestMain(m *testing.M) { scenario.Main(m) }

func TestScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("scenarios take longer than make unit allows")
	}
	os.Setenv("EDITS", strconv.Itoa(*edits))
	os.Setenv("CHURN", strconv.Itoa(*churn))
	scenario.Run(t, "testdata")
}
