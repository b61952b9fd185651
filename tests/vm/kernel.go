package vm

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/nlapply/nlapply/tests/tools"
)

// Kernel is one that can be booted.
type Kernel struct {
	Release string // as uname -r says: 6.1.0-56-cloud-amd64
	Image   string // the file that is booted
	Modules string // its modules as a cpio archive
}

// OpenKernel brings the newest kernel of a series into the cache.
func OpenKernel(c *tools.Cache, s tools.Series) (*Kernel, error) {
	dir, err := c.Kernel(s)
	if err != nil {
		return nil, err
	}
	images, _ := filepath.Glob(filepath.Join(dir, "boot/vmlinuz-*"))
	if len(images) != 1 {
		return nil, fmt.Errorf("%s: %d kernel images, want 1", dir, len(images))
	}
	k := &Kernel{
		Release: filepath.Base(images[0])[len("vmlinuz-"):],
		Image:   images[0],
		Modules: filepath.Join(dir, "modules.cpio"),
	}
	unlock, err := c.Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if _, err := os.Stat(k.Modules); err == nil {
		return k, nil
	}
	return k, packModules(dir, k.Release, k.Modules)
}
