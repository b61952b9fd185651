package reconcile

import (
	"testing"

	"github.com/nlapply/nlapply/internal/testns"
)

func TestMain(m *testing.M) { testns.Main(m) }
