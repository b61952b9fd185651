package kind_test

import (
	"flag"
	"testing"

	"github.com/nlapply/nlapply/internal/testns"
)

var update = flag.Bool("update", false, "capture the fixtures in testdata anew, on this kernel")

func TestMain(m *testing.M) { testns.Main(m) }
