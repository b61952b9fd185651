package vm

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// wanted are the modules that a test may cause the kernel to load: everything
// that is software and concerns networks. What they depend on comes along.
var wanted = regexp.MustCompile(`^kernel/(net|crypto|lib|arch/x86/crypto|drivers/net/[^/]+\.ko|` +
	`drivers/net/(bonding|macsec|macvlan|ipvlan|ovpn|team|vxlan|wireguard|geneve|netdevsim|dsa|can/dev)/)`)

// unwanted are protocols of hardware, and file systems, that live below net/.
var unwanted = regexp.MustCompile(`^kernel/net/(mac80211|wireless|bluetooth|nfc|sunrpc|ceph|9p|rxrpc|smc|rds|tipc|ieee802154|mac802154|rfkill|6lowpan|nfs|dns_resolver|iucv|sctp)/`)

// packModules writes the wanted modules of an unpacked kernel package to a cpio
// archive, decompressed, because loading is what the emulated machine does
// slowest, and indexed for modprobe.
func packModules(kernelDir, release, to string) error {
	from := filepath.Join(kernelDir, "lib/modules", release)
	names, err := selectModules(kernelDir, release)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(to), "modules-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	tree := filepath.Join(tmp, "lib/modules", release)
	for _, name := range names {
		if err := copyModule(filepath.Join(from, name), filepath.Join(tree, name)); err != nil {
			return err
		}
	}
	for _, name := range []string{"modules.order", "modules.builtin", "modules.builtin.modinfo"} {
		data, err := os.ReadFile(filepath.Join(from, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(tree, name), data, 0o644)
		}
		if err != nil {
			return err
		}
	}
	if err := depmod(tmp, release); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(tmp, "cpio"))
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	a := newArchive(w)
	a.tree("lib/modules/"+release, tree, func(rel string, d fs.DirEntry) bool {
		return strings.HasSuffix(rel, ".bin") // busybox reads the text ones
	})
	if err := a.close(); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return os.Rename(f.Name(), to)
}

// selectModules returns the wanted modules and all that they depend on, as
// paths below lib/modules/RELEASE.
func selectModules(kernelDir, release string) ([]string, error) {
	if err := depmod(kernelDir, release); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(kernelDir, "lib/modules", release, "modules.dep"))
	if err != nil {
		return nil, err
	}
	deps := map[string][]string{}
	for line := range strings.Lines(string(data)) {
		if name, list, ok := strings.Cut(line, ":"); ok {
			deps[name] = strings.Fields(list)
		}
	}
	chosen := map[string]bool{}
	for name := range deps {
		if wanted.MatchString(name) && !unwanted.MatchString(name) {
			chosen[name] = true
			for _, d := range deps[name] { // depmod lists them transitively
				chosen[d] = true
			}
		}
	}
	var names []string
	for name := range chosen {
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: no modules", kernelDir)
	}
	return names, nil
}

func depmod(base, release string) error {
	if out, err := exec.Command("depmod", "-b", base, release).CombinedOutput(); err != nil {
		return fmt.Errorf("depmod -b %s: %w\n%s", base, err, out)
	}
	return nil
}

// copyModule copies a module without its compression.
func copyModule(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if strings.HasSuffix(from, ".xz") {
		data, err := exec.Command("xz", "-dc", from).Output()
		if err != nil {
			return fmt.Errorf("xz -dc %s: %w", from, err)
		}
		return os.WriteFile(strings.TrimSuffix(to, ".xz"), data, 0o644)
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}
